import numpy as np
import pytest
from scipy.ndimage import correlate

from cytopress.codecs.learned.latents.hyper_synthesis import MOST_ACTIVATION, HyperSynthesis, Layer
from cytopress.errors import PackageError

pytestmark = pytest.mark.both_numpy


def layers(seed: int = 0) -> tuple[Layer, ...]:
    random = np.random.default_rng(seed)
    made = []
    for after, before, side, relu, upsample, shift, most in (
        (20, 3, 3, True, 2, 13, 3000),
        (24, 5, 5, False, 2, 14, 3000),
        (7, 6, 1, False, 1, 0, 30),
    ):
        weight = random.integers(-most, most, (after, before, side, side)).astype(np.int32)
        bias = random.integers(-300 * most, 300 * most, after)
        made.append(Layer(weight, bias, shift, relu, upsample))
    return tuple(made)


def by_definition(z_hat: np.ndarray, chain: tuple[Layer, ...]) -> np.ndarray:
    """Return the same in 64-bit integers, one channel and one pixel of a shuffle at a time."""
    a = np.clip(z_hat, -4096, 4096).astype(np.int64) * 256
    for layer in chain:
        sums = np.stack(
            [
                bias
                + sum(
                    correlate(plane, kernel, output=np.int64, mode="constant")
                    for plane, kernel in zip(a, kernels.astype(np.int64), strict=True)
                )
                for kernels, bias in zip(layer.weight, layer.bias, strict=True)
            ]
        )
        if layer.shift:
            sums = (sums + 2 ** (layer.shift - 1)) // 2**layer.shift
        if layer.relu:
            sums = np.maximum(sums, 0)
        factor, (channels, height, width) = layer.upsample, sums.shape
        a = np.empty((channels // factor**2, height * factor, width * factor), np.int64)
        for channel in range(channels):
            down, right = divmod(channel % factor**2, factor)
            a[channel // factor**2, down::factor, right::factor] = sums[channel]
        a = np.clip(a, -(2**20), 2**20)
    return a


@pytest.mark.parametrize("most", [5, 5000])
def test_equals_the_definition_in_integers(most: int) -> None:
    z_hat = np.random.default_rng(1).integers(-most, most, (3, 6, 9))
    found = HyperSynthesis(layers())(z_hat)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, by_definition(z_hat, layers()))
    assert (np.abs(found) == MOST_ACTIVATION).any() == (most == 5000)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_regions_change_no_number(size: int) -> None:
    z_hat = np.random.default_rng(2).integers(-9, 9, (3, 11, 6))
    whole = HyperSynthesis(layers(), size=64)(z_hat)
    np.testing.assert_array_equal(HyperSynthesis(layers(), size=size)(z_hat), whole)


def test_the_halo_is_what_an_output_sees() -> None:
    # Layers of 3 x 3, then 5 x 5 on a grid twice as fine: one, and two halves.
    assert HyperSynthesis(layers()).halo == 2


def test_sums_that_float64_cannot_hold_are_refused() -> None:
    weight = np.full((1, 1000, 3, 3), 2**20, np.int32)
    with pytest.raises(PackageError, match="exact"):
        Layer(weight, np.zeros(1, np.int64), 0, relu=False, upsample=1)
    Layer(weight[:, :100], np.zeros(1, np.int64), 0, relu=False, upsample=1)
    with pytest.raises(PackageError, match="exact"):
        Layer(weight[:, :1], np.array([2**53]), 0, relu=False, upsample=1)


@pytest.mark.parametrize(
    ("weight", "bias"),
    [
        (np.zeros((4, 2, 3, 3)), np.zeros(4, np.int64)),
        (np.zeros((4, 2, 3, 3), np.int32), np.zeros(4)),
        (np.zeros((4, 2, 3, 3), np.int32), np.zeros(5, np.int64)),
        (np.zeros((4, 2, 2, 2), np.int32), np.zeros(4, np.int64)),
        (np.zeros((4, 2, 3, 1), np.int32), np.zeros(4, np.int64)),
        (np.zeros((6, 2, 3, 3), np.int32), np.zeros(6, np.int64)),
    ],
)
def test_what_is_no_layer_is_refused(weight: np.ndarray, bias: np.ndarray) -> None:
    with pytest.raises(PackageError):
        Layer(weight, bias, 8, relu=True, upsample=2)


def test_layers_must_follow_each_other() -> None:
    with pytest.raises(PackageError, match="follow"):
        HyperSynthesis(layers()[::-1])
