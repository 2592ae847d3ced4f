"""Secondary transforms: exact in integers, chosen where they pay, and coded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.range_coder import RangeDecoder, RangeEncoder
from cytopress.codecs.learned.latents.secondary_transforms import SecondaryTransforms
from cytopress.codecs.learned.model.load import open_model
from cytopress.errors import CorruptDataError, PackageError
from cytopress.models.model_package import Package, open_package
from fakes.learned_packages import encode_latents, remade

pytestmark = pytest.mark.both_numpy


@pytest.fixture(scope="module")
def turned() -> Package:
    return open_package(Path(__file__).parents[1] / "tiny-turned.cytomodel")


@pytest.fixture(scope="module")
def rest(turned: Package) -> SecondaryTransforms:
    """Two transforms of four latents, each as likely as none, and as an escape."""
    transforms = open_model(turned).coder.transforms[1]
    assert transforms is not None
    return transforms


@pytest.mark.parametrize("most", [1, 40, 2**30])
def test_the_inverse_is_exact_in_integers(rest: SecondaryTransforms, most: int) -> None:
    """By Python's integers, of any size, one place after the other."""
    random = np.random.default_rng(1)
    symbols = random.integers(-most, most + 1, (4, 300)).astype(np.int32)
    which = random.integers(0, 3, 300)
    found = rest.inverse(symbols, which)
    for place, number in enumerate(which.tolist()):
        column = [int(value) for value in symbols[:, place]]
        if number:
            matrix = rest.matrices[number - 1].tolist()
            sums = [sum(matrix[i][j] * column[i] for i in range(4)) for j in range(4)]
            # 14 bits of fraction to 8, to the nearest, halves to the even one.
            exact = [round(total / 64) if total % 64 == 32 else total + 32 >> 6 for total in sums]
            column = [np.float32(value / 256) for value in exact]
        assert found[:, place].tolist() == [np.float32(value) for value in column]


def test_activity_is_the_bits_of_a_sum(rest: SecondaryTransforms) -> None:
    random = np.random.default_rng(2)
    index = (random.uniform(-4, 24, (4, 500)) * 256).astype(np.int32)
    index[:, :60] = 9 * 256 + np.arange(60) * 17
    classes = rest.activity(index)
    for place, kind in enumerate(classes.tolist()):
        total = sum(max(int(value) - 9 * 256, 0) for value in index[:, place])
        # Two tables of activity or more make class 0, four class 1, and so on.
        assert kind == min(max(total.bit_length() - 1 - 8 - 1, -1), 8)
    assert set(classes.tolist()) >= {-1, 0, 1, 2, 3, 4}


def test_forward_and_inverse_cancel(rest: SecondaryTransforms) -> None:
    random = np.random.default_rng(3)
    residual = (1000 * random.standard_normal((4, 200))).astype(np.float32)
    which = random.integers(0, 3, 200)
    seen = residual.copy()
    rest.forward(seen, which)
    assert np.abs(seen - residual)[:, which > 0].max() > 100
    np.testing.assert_array_equal(seen[:, which == 0], residual[:, which == 0])
    back = rest.inverse(np.rint(seen).astype(np.int32), which)
    assert np.abs(back - residual).max() < 2


def test_what_pays_is_chosen(turned: Package, rest: SecondaryTransforms) -> None:
    """Latents of which one alone is not 0 once transformed are transformed; noise is not."""
    tables = open_model(turned).coder.scales
    assert tables is not None
    random = np.random.default_rng(4)
    index = np.full((4, 400), 14 * 256, np.int32)
    classes = rest.activity(index)
    assert (classes >= 0).all()
    own = rest.matrices / 2**14
    costs = tables, 8.0
    wanted = np.arange(400) % 3
    single = np.zeros((4, 400))
    single[random.integers(0, 4, 400), np.arange(400)] = 40 * random.choice([-1, 1], 400)
    for number in (1, 2):
        single[:, wanted == number] = own[number - 1].T @ single[:, wanted == number]
    residual = single.astype(np.float32)
    which = rest.choose(residual, index, classes, tables, 8.0)
    assert (which == wanted).mean() > 0.9
    # One block that gains does not pay for the choices of all others.
    lone = np.where(np.arange(400) == np.flatnonzero(wanted == 1)[0], residual, 0)
    assert rest.choose(residual[:, wanted == 1][:, :1], index[:, :1], classes[:1], *costs).any()
    assert not rest.choose(lone, index, classes, *costs).any()
    # Far out, the matrices' 14 bits would tell.
    assert not rest.choose(100 * residual, index, classes, tables, 8.0).any()
    # A transform that makes all scales larger is not worth coding.
    wide = (2 * random.standard_normal((4, 400))).astype(np.float32)
    low = SecondaryTransforms(rest.matrices, rest.bias + 6 * 256, rest.choices)
    assert not low.choose(wide, index, classes, tables, 8.0).any()


def test_choices_come_back(rest: SecondaryTransforms) -> None:
    random = np.random.default_rng(5)
    classes = random.integers(-1, 9, 300).astype(np.int8)
    for which in (random.integers(0, 3, 300), np.zeros(300, np.int64)):
        which = np.where(classes < 0, 0, which).astype(np.int8)  # noqa: PLW2901
        coder = RangeEncoder()
        rest.encode(coder, which, classes)
        stream = coder.bytes()
        decoder = RangeDecoder(stream)
        np.testing.assert_array_equal(rest.decode(decoder, classes), which)
        decoder.finish()
        # A bit where nothing is transformed, else two for each place: as likely as an escape.
        places = np.count_nonzero(classes >= 0)
        wanted = 1 + 2 * places if which.any() else 1
        assert 8 * len(stream) <= wanted + 64


@pytest.mark.parametrize("symbols", [[7], [1, 9]])
def test_a_transform_that_does_not_exist_is_damage(
    rest: SecondaryTransforms, symbols: list[int]
) -> None:
    coder = RangeEncoder()
    coder.encode(np.array(symbols[:1], np.int32), np.array([9], np.uint8), rest.choices)
    for value in symbols[1:]:
        coder.encode(np.array([value], np.int32), np.array([3], np.uint8), rest.choices)
    decoder = RangeDecoder(coder.bytes())
    with pytest.raises(CorruptDataError, match="does not exist"):
        rest.decode(decoder, np.array([3], np.int8))


def test_it_saves_bits(turned: Package, tmp_path: Path) -> None:
    """Of latents of which one alone is not 0 once transformed, fewer than without transforms."""
    with_, without = (
        open_model(turned),
        open_model(remade(turned, tmp_path, manifest={"rotations": 0})),
    )
    rest = with_.coder.transforms[1]
    assert rest is not None
    random = np.random.default_rng(6)
    latents = np.zeros((6, 16, 16), np.float32)
    single = np.zeros((4, 256))
    single[random.integers(0, 4, 256), np.arange(256)] = 200
    latents[2:] = (rest.matrices[0].T / 2**14 @ single).reshape(4, 16, 16)
    setting = with_.setting(0.5)
    transformed_bytes, plain_bytes = (
        len(encode_latents(model, latents.copy(), setting)[0]) for model in (with_, without)
    )
    assert transformed_bytes < 0.9 * plain_bytes


@pytest.mark.parametrize(
    ("manifest", "arrays", "said"),
    [
        ({"rotations": 16}, {}, "an integer from 0 to 15"),
        ({"rotations": "two"}, {}, "an integer"),
        ({"rotations": 3}, {}, "belongs"),
        ({}, {"r0/rotations.rest.matrix": np.zeros((2, 3, 4), np.int16)}, "belongs"),
        ({}, {"r0/rotations.rest.matrix": np.zeros((2, 4, 4), np.float32)}, "belongs"),
        ({}, {"r0/rotations.first.matrix": np.full((2, 2, 2), 2**15, np.int32)}, "above 1"),
        ({}, {"r0/rotations.first.bias": np.full((2, 2), 2**21, np.int32)}, "larger"),
        ({}, {"r0/rotations.first.odds_offset": np.ones(10, np.int32)}, "each class"),
    ],
)
def test_transforms_that_do_not_fit_are_refused(
    turned: Package, tmp_path: Path, manifest: dict, arrays: dict, said: str
) -> None:
    other = remade(turned, tmp_path, manifest=manifest, arrays=arrays)
    with pytest.raises(PackageError, match=said) as caught:
        open_model(other)
    assert str(other.path) in str(caught.value)


def test_a_matrix_whose_sums_would_not_be_exact_is_refused() -> None:
    channels = 512
    full = np.full((1, channels, channels), 2**14, np.int16)
    sizes = [3] * 9 + [3]
    cdf = np.tile(np.array([0, 2**22, 2**23, 2**24]), (10, 1))
    odds = ProbabilityTables(cdf, np.array(sizes), np.zeros(10, np.int64))
    with pytest.raises(PackageError, match="too many"):
        SecondaryTransforms(full, np.zeros((1, channels), np.int64), odds)
    SecondaryTransforms(full[:, :256, :256], np.zeros((1, 256), np.int64), odds)
