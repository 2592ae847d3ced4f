"""Quantization of a fit by rate and distortion: what is kept, and how finely."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from cytopress.codecs.periodic_noise.fitting import Fit, Fitted
from cytopress.codecs.periodic_noise.layer import (
    MOST_COUNTS,
    MOST_LINES,
    STEP_BITS,
    Layer,
    Line,
    rounded_step,
    within_work,
)

Floats = npt.NDArray[np.float64]
# A decoder's error in a part that a codec drops is about the noise; a bit must save this share of
# the step's own error: that of an ideal quantizer at a high rate.
SLOPE = 2 * math.log(2)
# Bits of a kept part beside its size, of one not kept, and of a wave without its parts.
KEPT, DROPPED, HEAD = 4.0, 0.15, 60.0


def quantized(found: Fit, shape: tuple[int, ...], strength: float) -> Layer:
    """Return the layer of a fit.

    Parameters
    ----------
    found : Fit
        From `fit`.
    shape : (int, int)
        Of the plane.
    strength : float
        Error that is left in each part, in variances of the noise: more of it, fewer bytes.
    """
    error = strength * found.variance
    whole = rounded_step(math.sqrt(12 * error * 4 / (shape[0] * shape[1])))
    lines: list[Line] = []
    for wave in found.lines[:MOST_LINES]:
        line = _line(wave, whole / 2**STEP_BITS, error)
        if line is not None and within_work(shape, [*lines, line]):
            lines.append(line)
    return Layer(shape, whole, tuple(lines))


def _line(wave: Fitted, step: float, error: float) -> Line | None:
    """Return a wave, None where it does not pay."""
    price = SLOPE * error
    parts = np.stack([wave.cosines.real, wave.cosines.imag], axis=1)
    numbers = np.rint(parts / step)
    saved = (parts**2 - (parts - numbers * step) ** 2) * wave.energy
    cost = price * (KEPT + 2 * np.log2(np.maximum(np.abs(numbers), 1)))
    numbers[saved <= cost] = 0
    gain = np.where(numbers != 0, saved - cost, 0.0).sum(axis=1)
    # Of the ends that the sum may have, the one that saves most.
    total = np.cumsum(gain - DROPPED * price)
    last = int(total.argmax())
    if total[last] <= HEAD * price or np.abs(numbers).sum() * step >= MOST_COUNTS:
        return None
    kept = numbers[: last + 1].astype(np.int64)
    return Line(wave.along, wave.frequency, wave.carrier, wave.chirp, kept)
