"""Layers with pixel shuffles in one pass are what they give one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.kernels import paths, threads
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.pixel_shuffle import ShuffledConvolutions, shuffled

pytestmark = pytest.mark.both_numpy
MOST = 2**28
# Factors and sides of layers one after the other.
FORMS = [((2, 3), (2, 3)), ((1, 5),), ((3, 1), (1, 3), (2, 5)), ()]


def layer(outputs: int, inputs: int, side: int, low: int, high: int) -> Convolution:
    random = np.random.default_rng(outputs + side)
    weight = random.integers(-60, 61, (outputs, inputs, side, side)).astype(np.int16)
    return Convolution(weight, random.integers(-999, 999, outputs).astype(np.int32), 6, low, high)


def layers(form: tuple[tuple[int, int], ...]) -> ShuffledConvolutions:
    channels, hidden = 5, []
    for number, (factor, side) in enumerate(form):
        behind = 4 + 3 * number
        hidden.append((layer(behind * factor**2, channels, side, 0, 2**14), factor))
        channels = behind
    last = tuple(layer(outputs, channels, 1, -MOST, MOST) for outputs in (20, 3, 16))
    return ShuffledConvolutions(tuple(hidden), last, most=2**13)


def one_by_one(of: ShuffledConvolutions, inputs: np.ndarray) -> list[np.ndarray]:
    """Return the outputs by numpy, whole arrays at once, and the shuffle by its definition."""
    a = np.clip(inputs, -of.most, of.most).astype(np.int16)
    with paths.using(paths.NUMPY):
        for each, factor in of.hidden:
            found = each(a)
            height, width, channels = found.shape
            count = channels // factor**2
            a = np.empty((height * factor, width * factor, count), np.int16)
            for y in range(factor):
                for x in range(factor):
                    at = (y * factor + x) * count
                    a[y::factor, x::factor] = found[..., at : at + count]
        return [each(a) for each in of.last]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (37, 9)])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_outputs_are_those_of_the_layers_one_by_one(
    path: str, form: tuple[tuple[int, int], ...], shape: tuple[int, int], number: int
) -> None:
    of = layers(form)
    inputs = np.random.default_rng(0).integers(-(2**14), 2**14, (*shape, 5)).astype(np.int32)
    with threads.using(number):
        found = of(inputs)
    for each, right in zip(found, one_by_one(of, inputs), strict=True):
        np.testing.assert_array_equal(each, right)


def test_empty_places_are_what_they_are_without_the_shortcut(path: str) -> None:
    of = layers(FORMS[0])
    inputs = np.resize(np.arange(10, dtype=np.int32) * 77, (21, 50, 5))
    inputs[4, 11], inputs[20, 49] = 500, -500
    for each, right in zip(of(inputs), one_by_one(of, inputs), strict=True):
        np.testing.assert_array_equal(each, right)


def test_the_halo_is_what_an_output_depends_on(path: str) -> None:
    of = layers(FORMS[0])
    inputs = np.random.default_rng(1).integers(-99, 99, (15, 1, 5)).astype(np.int32)
    before = of(inputs)[0]
    inputs[7] += 50
    rows = np.flatnonzero((of(inputs)[0] != before).any((1, 2)))
    assert 7 - of.halo <= rows.min() // of.upsample
    assert rows.max() // of.upsample <= 7 + of.halo


def test_a_shuffle_and_its_definition() -> None:
    a = np.arange(2 * 3 * 12, dtype=np.int16).reshape(2, 3, 12)
    found = shuffled(a, 2)
    assert found.shape == (4, 6, 3)
    np.testing.assert_array_equal(found[3, 4], a[1, 2, 6:9])


def test_inputs_of_other_channels_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"cannot take|do not fit"):
        layers(FORMS[0])(np.zeros((3, 4, 6), np.int32))
