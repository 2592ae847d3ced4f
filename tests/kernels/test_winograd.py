"""Convolutions of fewer products are those of the definition, in integers."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.kernels import convolution, paths
from cytopress.kernels.convolution import Convolution


def defined(x, layer: Convolution):  # type: ignore[no-untyped-def]
    """Return the layer by its definition, in Python's integers."""
    padded = np.pad(x.astype(np.int64), ((1, 1), (1, 1), (0, 0)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
    sums = np.einsum("hwcij,ocij->hwo", seen, layer.weight.astype(np.int64)) + layer.bias
    return np.clip(sums + (1 << layer.shift >> 1) >> layer.shift, layer.low, layer.high)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 5), (13, 64), (40, 9)])
def test_sums_are_those_of_the_definition(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "LEAST_CHANNELS", 1)
    random = np.random.default_rng(sum(shape))
    weight = random.integers(-900, 900, (5, 6, 3, 3)).astype(np.int16)
    bias = random.integers(-(10**6), 10**6, 5).astype(np.int32)
    layer = Convolution(weight, bias, 9, -30000, 30000)
    x = random.integers(-(2**15), 2**15, (*shape, 6)).astype(np.int16)
    with paths.using(paths.NUMPY):
        assert layer._winograd is not None
        np.testing.assert_array_equal(layer(x), defined(x, layer))


def test_extremes_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "LEAST_CHANNELS", 1)
    # The largest weights that 32 bits allow, and alternating ends of 16 bits.
    weight = np.full((2, 7, 3, 3), 1023, np.int16)
    weight[:, ::2] *= -1
    layer = Convolution(weight, np.array([3, -5], np.int32), 0, -(2**31), 2**31 - 1)
    x = np.full((6, 8, 7), 2**15 - 1, np.int16)
    x[::2, 1::2] = -(2**15) + 1
    with paths.using(paths.NUMPY):
        np.testing.assert_array_equal(layer(x), defined(x, layer))


def test_an_activation_beyond_what_is_proved_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "LEAST_CHANNELS", 1)
    layer = Convolution(np.ones((1, 1, 3, 3), np.int16), np.zeros(1, np.int32), 0, 0, 100, most=9)
    x = np.full((4, 4, 1), 10, np.int16)
    with paths.using(paths.NUMPY), pytest.raises(ValueError, match="farther from 0 than 9"):
        layer(x)
