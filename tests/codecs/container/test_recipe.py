"""Recipes come back as they went in; crafted ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytopress.codecs.container.recipe import (
    OPTION_NUMBERS,
    WRAPPER_NUMBERS,
    Recipe,
    put_recipe,
    take_recipe,
)
from cytopress.codecs.container.wire import Reader
from cytopress.errors import CorruptDataError

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
    | st.binary(max_size=9)
)
NAMES = st.sampled_from(sorted(OPTION_NUMBERS)) | st.text(min_size=1, max_size=9)


def nested() -> st.SearchStrategy[Recipe]:
    number = st.integers(1, 200).filter(lambda number: number not in WRAPPER_NUMBERS)
    options = st.recursive(
        st.dictionaries(NAMES, VALUES, max_size=5),
        lambda inner: st.builds(
            lambda codec, options: {"codec": codec, **options},
            st.builds(Recipe, number, st.just(""), inner),
            st.dictionaries(NAMES.filter(lambda name: name != "codec"), VALUES, max_size=3),
        ),
        max_leaves=3,
    )
    return st.builds(Recipe, number, st.just(""), options) | st.builds(
        Recipe, st.just(0), st.text(max_size=9), options
    )


def depth(recipe: Recipe) -> int:
    inner = [value for value in recipe.options.values() if isinstance(value, Recipe)]
    return 1 + max((depth(value) for value in inner), default=0)


@settings(max_examples=60, deadline=None)
@given(nested(), st.lists(st.sampled_from(WRAPPER_NUMBERS), max_size=4), st.integers(0, 4096))
def test_a_recipe_comes_back(recipe: Recipe, wrappers: list[int], tile: int) -> None:
    for number in wrappers:
        recipe = Recipe(number, "", {"codec": recipe, "tile": tile})
    out = bytearray()
    put_recipe(out, recipe)
    reader = Reader(bytes(out))
    taken = take_recipe(reader)
    assert (taken, reader.left) == (recipe, 0)
    # Equality does not tell True from 1 nor 1.0 from 1.
    assert [type(value) for value in taken.options.values()] == [
        type(value) for value in recipe.options.values()
    ]


@given(st.binary(max_size=60))
def test_any_bytes_give_a_recipe_or_a_clear_error(data: bytes) -> None:
    taken: Recipe | CorruptDataError
    try:
        taken = take_recipe(Reader(data))
    except CorruptDataError as error:
        taken = error
    assert depth(taken) <= 9 if isinstance(taken, Recipe) else str(taken).endswith(".")


def coded(*parts: bytes) -> Reader:
    return Reader(b"".join(parts))


def test_the_same_option_twice_is_refused() -> None:
    near = bytes([12 << 3 | 3, 2])
    with pytest.raises(CorruptDataError, match="twice"):
        take_recipe(coded(bytes([4 << 2 | 2]), near, near))


def test_an_option_of_a_newer_version_is_refused() -> None:
    with pytest.raises(CorruptDataError, match="option 120"):
        take_recipe(coded(bytes([4 << 2 | 1, 0xC0, 0x07, 0])))


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(CorruptDataError, match="not UTF-8"):
        take_recipe(coded(bytes([0, 2, 0xFF, 0xFE])))


def test_nesting_has_an_end() -> None:
    for level in (bytes([28 << 2]), bytes([4 << 2 | 1, 1 << 3 | 7])):
        with pytest.raises(CorruptDataError, match="nests"):
            take_recipe(coded(level * 5000, bytes([4 << 2])))


def test_a_value_that_cannot_be_stored_is_a_bug_of_the_adapter() -> None:
    with pytest.raises(TypeError, match="list"):
        put_recipe(bytearray(), Recipe(1, "", {"level": [1]}))


def test_option_numbers_are_frozen() -> None:
    """These are in people's files: append, never change."""
    frozen = (
        "codec max_error bits tile a b offset level effort distance quality near step tolerance"
        " qstep model speed"
    )
    numbers = {name: number for number, name in enumerate(frozen.split(), start=1)}
    assert numbers.items() <= OPTION_NUMBERS.items()
    assert len(set(OPTION_NUMBERS.values())) == len(OPTION_NUMBERS)
