"""Detection of periodic noise: frequencies at which the rows' power spectra have a spike.

Quick: a part of the rows tells. The logarithm of their power is averaged, so that a few rows full
of structure change little, and compared with its median around each frequency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft
from scipy.ndimage import median_filter

from cytopress.codecs.periodic_noise.layer import FREQUENCY_BITS, NYQUIST

Floats = npt.NDArray[np.float32]
# A wave is told from structure by at least so many pixels along it, in at least so many rows.
LEAST_ALONG, LEAST_ROWS = 64, 16
# Rows that are looked at, and the width of the spectrum's neighborhood in bins.
ROWS, AROUND = 384, 31
# Rows whose spectra are computed at once: they stay in the cache.
CHUNK = 32
# Slower waves are the image's own; in cycles a pixel.
SLOWEST = 1 / 32
# Standard deviation of the logarithm of a power of white noise, and so many of the mean's are a
# spike, which is at least so high.
LOG_SD, SIGNIFICANT, LEAST_SPIKE = 1.28, 5.0, 0.12
# Variance of the rows' means over what white noise leaves, from which rows have noise of their own.
ROW_EXCESS = 4.0
# Values farther from 0 than so many standard deviations are structure.
CLIP = 4.0
# Most frequencies of an axis.
MOST = 12

# An axis (1: along x) and a frequency in units of 2 ** -20 turns a pixel.
Frequency = tuple[int, int]


def find_frequencies(plane: npt.NDArray[Any]) -> tuple[Frequency, ...]:
    """Return axis and approximate frequency of waves in a plane, strongest first on each axis.

    The axis with the strongest wave comes first. Frequency 0 stands for rows (or columns) whose
    means scatter more than their noise.
    """
    sides = [(along, *axis_frequencies(plane, along)) for along in (1, 0)]
    sides.sort(key=lambda side: -side[1])
    return tuple((along, one) for along, _, frequencies in sides for one in frequencies)


def large_enough(shape: tuple[int, ...], along: int) -> bool:
    """Whether a plane has pixels enough to tell a wave along an axis from structure."""
    return shape[along] >= LEAST_ALONG and shape[1 - along] >= LEAST_ROWS


def axis_frequencies(plane: npt.NDArray[Any], along: int) -> tuple[float, list[int]]:
    """Return the frequencies of an axis as `find_frequencies`, and the strongest one's spike."""
    turned = plane if along else plane.T
    if not large_enough(plane.shape, along):
        return 0.0, []
    rows = _some_rows(turned)
    strongest, found = _spikes(rows)
    across = found and large_enough(plane.shape, 1 - along)
    if across and _has_row_noise(_some_rows(turned.T)):
        strongest, found = _spikes_beside(rows)
    return strongest, [0] * _has_row_noise(rows) + found


def _some_rows(plane: npt.NDArray[Any]) -> Floats:
    """Return some rows in bands of neighbors, (bands, 3, width), spread over the plane."""
    bands = min(ROWS, plane.shape[0]) // 3
    starts = np.linspace(0, plane.shape[0] - 3, bands).astype(int)
    found: Floats = plane[starts[:, None] + np.arange(3)].astype(np.float32)
    return found


def _has_row_noise(bands: Floats) -> bool:
    """Whether rows differ in their means from both neighbors by more than their noise does."""
    differences = bands[:, 1] - (bands[:, 0] + bands[:, 2]) / 2
    # One value in four tells the noise as well.
    spread = 1.4826 * float(np.median(np.abs(differences[:, ::4])))
    if not spread:
        return False
    inside = np.abs(differences) < CLIP * spread
    means = (differences * inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    typical = (1.4826 * float(np.median(np.abs(means)))) ** 2
    return bool(typical > ROW_EXCESS * spread**2 / differences.shape[1])


def _spikes_beside(bands: Floats) -> tuple[float, list[int]]:
    """Return `_spikes` where all rows share noise: that of the columns, each as a whole.

    It is the same in every row, so that any frequency of it looks like a wave. A wave that all rows
    share stands out of it by itself.
    """
    shared = bands.reshape(1, -1, bands.shape[-1]).mean(axis=1, keepdims=True)
    both = [_spikes(shared), _spikes(bands - shared)]
    found = dict.fromkeys(one for _, frequencies in both for one in frequencies)
    return max(strongest for strongest, _ in both), list(found)[:MOST]


def _spikes(bands: Floats) -> tuple[float, list[int]]:
    """Return the highest spike of the rows' mean spectrum, and the frequencies of all."""
    rows = bands.reshape(-1, bands.shape[-1])
    width = rows.shape[1]
    power = _power(rows)
    floor = np.float32(power.mean() * 1e-9 + 1e-30)
    parts = (power[top : top + CHUNK] + floor for top in range(0, len(power), CHUNK))
    level = np.sum([np.log(part, out=part).sum(axis=0) for part in parts], axis=0) / len(power)
    spike = level - median_filter(level, AROUND, mode="reflect")
    least = max(SIGNIFICANT * LOG_SD / len(rows) ** 0.5, LEAST_SPIKE)
    first = max(int(SLOWEST * width), 3)
    beside = np.pad(spike, 1, constant_values=-np.inf)
    peaks = (spike >= beside[:-2]) & (spike > beside[2:]) & (spike > least)
    peaks[:first] = False
    bins = np.flatnonzero(peaks)
    bins = bins[np.argsort(-spike[bins])][:MOST]
    found = [min(round(int(one) * 2**FREQUENCY_BITS / width), NYQUIST) for one in bins]
    return float(spike[bins].max(initial=0.0)), found


def _power(rows: Floats) -> Floats:
    """Return the power spectrum of each row, less its mean, under a window."""
    window = np.hanning(rows.shape[1] + 2)[1:-1].astype(np.float32)
    power = np.empty((len(rows), rows.shape[1] // 2 + 1), np.float32)
    for top in range(0, len(rows), CHUNK):
        part = rows[top : top + CHUNK]
        part = part - part.mean(axis=1, keepdims=True)
        part *= window
        spectrum = rfft(part, axis=1)
        np.add(spectrum.real**2, spectrum.imag**2, out=power[top : top + CHUNK])
    return power
