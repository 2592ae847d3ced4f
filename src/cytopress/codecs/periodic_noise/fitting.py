"""Fit of periodic noise to a plane: each wave's frequency, carrier and amplitude by row.

Structure is left out: pixels that differ from the mean of their neighbors by more than noise does
take no part, and each row's amplitude is the mean over the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import dct, fft, idct
from scipy.ndimage import uniform_filter1d

from cytopress.codecs.periodic_noise.detection import (
    CLIP,
    SLOWEST,
    Frequency,
    axis_frequencies,
    large_enough,
)
from cytopress.codecs.periodic_noise.layer import FREQUENCY_BITS, NYQUIST, carrier_phase, rounded
from cytopress.codecs.periodic_noise.sines import TURN_BITS

Floats = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex128]
# Width in pixels of the mean that is subtracted first.
SMOOTH = 15
# A row is cut into so many parts, whose phases tell the frequency.
PARTS = 16
# Bins of the rows' spectrum that a wave is sought in.
STRONGEST = 8
# Quarter turns of curvature that are tried.
CHIRPS = np.arange(-64, 65, 2)
# A part of an amplitude is the wave's where its power is so many times the noise.
SIGNIFICANT = 12.0
# Rows of which less than this share is left are not trusted.
LEAST_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Fitted:
    """A wave before quantization.

    ``cosines`` are the complex parts of its amplitude in counts, (rows,), as an orthogonal sum in
    which each has the same ``energy``: summed squared counts of a part of amplitude 1.
    """

    along: int
    frequency: int
    carrier: int
    chirp: int
    cosines: Complex
    energy: float


@dataclass(frozen=True, eq=False)
class Fit:
    """Waves of a plane, and the variance of the noise that they stand in."""

    lines: tuple[Fitted, ...]
    variance: float


def fit(plane: npt.NDArray[Any], frequencies: Iterable[Frequency]) -> Fit:
    """Fit waves at about the given frequencies, (axis, frequency) as `find_frequencies` has them.

    Parameters
    ----------
    plane : ndarray
        (H, W) of integers.
    frequencies : iterable of (int, int)
        Where to look; what is not there costs nothing when it is quantized.
    """
    wanted = list(frequencies)
    lines: list[Fitted] = []
    rest = plane.astype(np.float32)
    for along in dict.fromkeys(axis for axis, _ in wanted):
        if not large_enough(plane.shape, along):
            continue
        here = [frequency for axis, frequency in wanted if axis == along]
        if lines:
            # A wave oscillates along both axes, and what was one along the other is gone.
            here = _still_there(rest, along, here)
        turned = rest if along else np.ascontiguousarray(rest.T)
        lines += _fit_axis(turned, here, along)
        rest = turned if along else np.ascontiguousarray(turned.T)
    spread = _residual(rest[::4], 1)[2]
    # That of rounding to counts is always there.
    return Fit(tuple(lines), max(spread**2, 1 / 12))


def _still_there(rest: Floats, along: int, frequencies: list[int]) -> list[int]:
    left = np.array(axis_frequencies(rest, along)[1])
    near = 2 * 2**FREQUENCY_BITS / rest.shape[along]
    return [one for one in frequencies if (np.abs(left - one) <= near * (one > 0)).any()]


def _fit_axis(plane: Floats, frequencies: list[int], along: int) -> list[Fitted]:
    """Return the waves along the columns of a plane, which are subtracted from it."""
    rest, inside, _ = _residual(plane, 1)
    found: list[Fitted] = []
    for frequency in [one for one in frequencies if one]:
        line = _fit_wave(rest, inside, frequency, along)
        found.append(line)
        wave = _wave(line, plane.shape)
        plane -= wave
        wave *= inside
        rest -= wave
    if 0 in frequencies:
        line = _fit_rows(plane, along)
        found.append(line)
        plane -= _wave(line, plane.shape)
    return found


def _residual(plane: Floats, axis: int) -> tuple[Floats, npt.NDArray[np.bool_], float]:
    """Return a plane less its smooth part, 0 where structure is; where it is not; the noise."""
    rest = plane - uniform_filter1d(plane, SMOOTH, axis=axis, mode="nearest")
    spread = 1.4826 * float(np.median(np.abs(rest[::4])))
    inside = np.abs(rest) <= CLIP * max(spread, 0.5)
    rest *= inside
    return rest, inside, spread


def _fit_rows(plane: Floats, along: int) -> Fitted:
    """Return the noise that each row has as a whole."""
    rest, inside, _ = _residual(plane, 0)
    height, width = plane.shape
    means = rest.sum(axis=1, dtype=np.float64) / np.maximum(inside.sum(axis=1), LEAST_SHARE * width)
    parts = dct(means, norm="ortho") / np.sqrt(height / 2)
    return Fitted(along, 0, 0, 0, parts.astype(np.complex128), height * width / 2)


def _fit_wave(rest: Floats, inside: npt.NDArray[np.bool_], about: int, along: int) -> Fitted:
    height, width = rest.shape
    frequency = _refined(rest, about)
    real = frequency in (0, NYQUIST)
    kept = np.maximum(inside.mean(axis=1), LEAST_SHARE)
    amplitude = _amplitudes(rest, frequency) / kept
    carrier, chirp = (0, 0) if real else _carrier(amplitude)
    if not real:
        phase = carrier_phase(carrier, chirp, height) % 2**TURN_BITS
        amplitude = amplitude * np.exp(-2j * np.pi / 2**TURN_BITS * phase)
    parts = (dct(amplitude.real, norm="ortho") + 1j * dct(amplitude.imag, norm="ortho")) / np.sqrt(
        height / 2
    )
    energy = height * width / (2 if real else 4)
    return Fitted(along, frequency, carrier, chirp, parts.astype(np.complex128), energy)


def _amplitudes(rest: Floats, frequency: int) -> Complex:
    """Return the complex amplitude of a wave in each row, by least squares."""
    width = rest.shape[1]
    turned = (np.arange(width, dtype=np.int64) - width // 2) * frequency % 2**FREQUENCY_BITS
    angle = 2 * np.pi / 2**FREQUENCY_BITS * turned
    basis = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    # Near half a turn a pixel the two are not orthogonal, and at it there is but one.
    inverse = np.linalg.pinv(basis.T @ basis, rcond=0.02)
    parts = (rest @ basis.astype(np.float32)) @ inverse
    amplitudes: Complex = parts[:, 0] - 1j * parts[:, 1]
    return amplitudes


def _refined(rest: Floats, about: int) -> int:
    """Return the frequency near ``about`` at which the rows' strongest parts add up best."""
    width = rest.shape[1]
    long = width // PARTS
    places = np.arange(long * PARTS, dtype=np.int64)
    wave = np.exp(-2j * np.pi / 2**FREQUENCY_BITS * (places * about % 2**FREQUENCY_BITS))
    cut = (rest[:, : long * PARTS] * wave.astype(np.complex64)).reshape(-1, PARTS, long).sum(axis=2)
    spectrum = fft(cut, axis=0)
    power = (np.abs(spectrum) ** 2).sum(axis=1)
    strong = spectrum[np.argsort(-power)[:STRONGEST]]
    # Within a bin and a half of the row's spectrum, in steps of a fiftieth.
    offsets = np.arange(-1.5, 1.5, 0.02) / width
    turns = np.exp(-2j * np.pi * offsets[:, None] * long * np.arange(PARTS))
    sums = (np.abs(turns @ strong.T) ** 2).sum(axis=1)
    best = about / 2**FREQUENCY_BITS + float(offsets[sums.argmax()])
    return min(max(rounded(best, width), rounded(SLOWEST, width)), NYQUIST)


def _carrier(amplitude: Complex) -> tuple[int, int]:
    """Return carrier and chirp with which an amplitude is nearest to a constant."""
    length = len(amplitude)
    rows = np.arange(length)
    best, found = -1.0, (0, 0)
    for chirp in CHIRPS:
        turned = amplitude * np.exp(-0.5j * np.pi * int(chirp) * (rows / length) ** 2)
        spectrum = np.abs(fft(turned, 2 * length))
        peak = int(spectrum.argmax())
        if spectrum[peak] > best:
            best, found = float(spectrum[peak]), (peak, int(chirp))
    return rounded(found[0] / (2 * length), length) % 2**FREQUENCY_BITS, found[1]


def _wave(line: Fitted, shape: tuple[int, ...]) -> Floats:
    """Return the significant part of a wave."""
    height, width = shape
    power = np.abs(line.cosines) ** 2
    floor = float(np.median(power)) / np.log(2)
    parts = np.where(power > SIGNIFICANT * floor, line.cosines, 0) * np.sqrt(height / 2)
    amplitude = idct(parts.real, norm="ortho") + 1j * idct(parts.imag, norm="ortho")
    phase = carrier_phase(line.carrier, line.chirp, height) % 2**TURN_BITS
    amplitude = amplitude * np.exp(2j * np.pi / 2**TURN_BITS * phase)
    places = np.arange(width, dtype=np.int64) - width // 2
    turned = 2 * np.pi / 2**FREQUENCY_BITS * (places * line.frequency % 2**FREQUENCY_BITS)
    left = np.stack([amplitude.real, -amplitude.imag], axis=1).astype(np.float32)
    right = np.stack([np.cos(turned), np.sin(turned)]).astype(np.float32)
    found: Floats = left @ right
    return found
