"""The one table of codecs: complete, numbered for ever, and fit for the search to work with."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from cytopress.codecs import registry
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container.recipe import OPTION_NUMBERS
from cytopress.codecs.registry import FAMILIES, WRAPPERS
from cytopress.codecs.spec import COMMON_OPTIONS
from cytopress.codecs.wrappers.error_scaling import RoundsPixels, ScalesError
from cytopress.codecs.wrappers.rescaled import StretchesRange
from cytopress.errors import UsageError

NUMBERED = (
    "1 png, 2 zstd, 3 jpegxl, 4 jpegls, 5 jpeg2000, 6 htj2k, 7 jpegxr, 8 jpeg, 9 avif, 10 lerc,"
    " 11 zfp, 12 sperr, 13 sz3, 14 blosc2, 15 round-zstd, 16 anscombe-jpegxl, 17 hevc, 18 av1,"
    " 25 scaled, 26 lines, 27 wavelet, 28 per-plane, 29 rescaled, 30 tiled, 31 guarded"
)


BASES = {
    "StreamCodec",
    "PartsCodec",
    "PiecesCodec",
    "LossyWrapper",
    "ErrorBoundedCodec",
    "VideoCodec",
}
# Codecs of model packages have names of their own, and one number a kind; `Stretched`, which
# `Rescaled` puts around the codec of a part, is in no file.
OF_NO_TABLE = {"Learned", "CompressAI", "Stretched"}


def test_the_table_is_complete_and_its_numbers_are_frozen() -> None:
    """Numbers are in people's files: append, never change."""
    table = {family.name: family.number for family in (*FAMILIES, *WRAPPERS)}
    assert len({*table.values()}) == len(table) == len(FAMILIES) + len(WRAPPERS)
    assert {f"{number} {name}" for name, number in table.items()} == set(NUMBERED.split(", "))
    folder = Path(registry.__file__).parent
    written = {
        node.name
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef) and BASES & {ast.unparse(base) for base in node.bases}
    }
    assert {family.__name__ for family in (*FAMILIES, *WRAPPERS)} == written - BASES - OF_NO_TABLE
    assert (registry.LEARNED, registry.COMPRESSAI) == (32, 33)
    assert not {registry.LEARNED, registry.COMPRESSAI} & set(table.values())


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_traits_are_ones_that_targets_can_be_solved_with(family: type[StreamCodec]) -> None:
    parameter = family.traits.parameter
    assert family.traits.can_be_lossless or parameter is not None
    own = {option.name for option in fields(family)}
    assert own <= OPTION_NUMBERS.keys(), "give the option a number in recipe.py: headers are short"
    if parameter is None:
        return
    assert parameter.name in own - {*COMMON_OPTIONS}
    assert parameter.unit
    assert 0 <= parameter.least < parameter.most
    assert parameter.least > 0 or parameter.scale == "linear"
    for end in (parameter.least, parameter.most):
        family.from_options({parameter.name: end})
    # Floats may have any range, so a parameter that follows it ends where float32 does.
    beyond = 2.0**128 if parameter.follows_range else parameter.most * 1e6
    for wrong in (beyond, float("nan"), -1, "much"):
        with pytest.raises((UsageError, TypeError)):
            family.from_options({parameter.name: wrong})


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_wrappers_ask_of_a_codec_is_in_its_traits(family: type[StreamCodec]) -> None:
    """The table says `z=wavelet` of exactly the codecs that the wavelet finds able to."""
    parameter = family.traits.parameter
    codec = family.from_options({parameter.name: parameter.finest} if parameter else {})
    assert family.traits.wavelet == isinstance(codec, ScalesError)
    assert not isinstance(codec, RoundsPixels) or isinstance(codec, ScalesError)
    assert not isinstance(codec, StretchesRange) or family.traits.stretch
