"""What is found in planes with known waves, and in planes without any."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cytopress.codecs.periodic_noise.detection import find_frequencies
from cytopress.codecs.periodic_noise.fitting import fit
from cytopress.codecs.periodic_noise.frequencies import (
    frequencies_of_planes,
    frequencies_text,
    read_frequencies,
)
from cytopress.codecs.periodic_noise.layer_stream import pack_layer
from cytopress.codecs.periodic_noise.quantization import quantized
from cytopress.errors import UsageError

SHAPE = (200, 260)


def noise(seed: int, sigma: float = 1.5) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(100, sigma, SHAPE)


def pickup(frequency: float, amplitude: float, seed: int = 0) -> npt.NDArray[np.float64]:
    """Return a wave along x whose phase drifts from row to row."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    drift = np.cumsum(np.random.default_rng(seed).normal(0, 0.02, SHAPE[0]))[:, None]
    turned = 2 * np.pi * (frequency * x + 0.37 * y + 2 * (y / SHAPE[0]) ** 2) + drift
    return amplitude * np.cos(turned)


def as_counts(plane: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    return np.clip(np.rint(plane), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("frequency", [0.08, 0.215, 0.43, 0.49, 0.5])
@pytest.mark.parametrize("along", [1, 0])
def test_a_drifting_wave_is_found_and_nearly_all_of_it_fitted(frequency: float, along: int) -> None:
    wave = pickup(frequency, 1.0)
    plane = as_counts(noise(1) + wave)
    turned = plane if along else plane.T
    found = find_frequencies(turned)
    assert any(
        axis == along and abs(units / 2**20 - frequency) < 1 / SHAPE[1] for axis, units in found
    )
    layer = quantized(fit(turned, found), turned.shape, 2.0)
    values = layer.values(8) / 2**8
    left = (values if along else values.T) - wave
    assert np.mean(left**2) < 0.1 * np.mean(wave**2)
    assert len(pack_layer(layer)) < 60


def test_row_noise_is_found_where_it_is() -> None:
    rows = np.random.default_rng(3).normal(0, 0.8, (SHAPE[0], 1))
    plane = as_counts(noise(2) + rows)
    assert (1, 0) in find_frequencies(plane)
    assert (0, 0) in find_frequencies(plane.T)
    values = quantized(fit(plane, [(1, 0)]), SHAPE, 2.0).values(8) / 2**8
    # A smooth part of the rows' levels is the image's own.
    rough = rows - np.convolve(rows[:, 0], np.ones(15) / 15, mode="same")[:, None]
    assert np.mean((values - rough)[10:-10] ** 2) < 0.4 * np.mean(rough[10:-10] ** 2)


@pytest.mark.parametrize("seed", range(4))
def test_row_noise_is_no_waves_along_the_columns(seed: int) -> None:
    # It is the same in all columns, whose spectra are then those of one noise.
    rows = np.random.default_rng(seed).normal(0, 1.5, (SHAPE[0], 1))
    plane = noise(seed + 9) + rows
    assert find_frequencies(as_counts(plane)) == ((1, 0),)
    assert find_frequencies(as_counts(plane.T)) == ((0, 0),)
    hum = find_frequencies(as_counts(plane + pickup(0.215, 1.0)))
    assert {along for along, units in hum if abs(units / 2**20 - 0.215) < 0.004} == {1}
    assert len(hum) <= 4


def test_a_wave_that_all_columns_share_is_one_beside_row_noise() -> None:
    y = np.arange(SHAPE[0])[:, None]
    rows = np.random.default_rng(3).normal(0, 0.3, (SHAPE[0], 1))
    found = find_frequencies(as_counts(noise(2) + rows + 20 * np.cos(2 * np.pi * 0.12 * y)))
    assert any(along == 0 and abs(units / 2**20 - 0.12) < 0.005 for along, units in found)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_found_in_white_noise(seed: int) -> None:
    assert find_frequencies(as_counts(noise(seed))) == ()


@pytest.mark.parametrize(
    "plane",
    [np.zeros(SHAPE), np.full(SHAPE, 255), np.eye(*SHAPE) * (np.arange(260) == 99) * 200],
    ids=["black", "white", "one hot pixel"],
)
def test_nothing_is_found_where_nothing_is(plane: npt.NDArray[np.float64]) -> None:
    found = find_frequencies(as_counts(plane))
    assert quantized(fit(as_counts(plane), found), SHAPE, 1.5).lines == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (15, 300), (63, 63)])
def test_small_planes_have_none_and_handed_frequencies_do_no_harm(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).integers(0, 9, shape).astype(np.uint8)
    if min(shape) < 16 or max(shape) < 64:
        assert find_frequencies(plane) == ()
    assert quantized(fit(plane, [(1, 0), (1, 225_000), (0, 99_999)]), shape, 1.5).lines == ()


def test_a_frequency_that_a_plane_does_not_have_costs_nothing() -> None:
    plane = as_counts(noise(5))
    assert quantized(fit(plane, [(1, 300_000), (0, 123_456), (1, 0)]), SHAPE, 1.5).lines == ()


def test_a_coarser_layer_takes_fewer_bytes() -> None:
    plane = as_counts(noise(1) + pickup(0.2, 1.0) + pickup(0.4, 0.3, 1))
    found = fit(plane, find_frequencies(plane))
    sizes = [len(pack_layer(quantized(found, SHAPE, strength))) for strength in (1.5, 6, 30, 1e6)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2] > sizes[3] == 0


def test_frequencies_of_several_planes_are_joined() -> None:
    planes = [as_counts(noise(n) + pickup(0.2 + 0.0003 * n, 1.0)) for n in range(2)]
    found = frequencies_of_planes([*planes, as_counts(noise(3) + pickup(0.33, 1.0)).T])
    near = [one for axis, one in found if axis == 1 and abs(one / 2**20 - 0.2) < 0.01]
    assert len(near) == 1
    assert any(axis == 0 and abs(one / 2**20 - 0.33) < 0.01 for axis, one in found)


def test_frequencies_are_text_that_reads_back() -> None:
    text = "x0.22119+x0+y0.5"
    found = read_frequencies(text)
    assert found == ((1, 231935), (1, 0), (0, 2**19))
    assert frequencies_text(found) == text


@pytest.mark.parametrize("text", ["x", "0.2", "x0.51", "z0.1", "x0.1+", "x-0.1", "2", "x1e-1", ""])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"lines is auto, 1, 0, or frequencies"):
        read_frequencies(text)
