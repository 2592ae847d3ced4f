"""Initial setting of a target search, from the rate and error that the codec expects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.expectation import Expectation, Expects
from cytopress.codecs.targets.target import Target
from cytopress.codecs.wrappers import Lines, Scaled
from cytopress.image import Image

Array = npt.NDArray[Any]
# A margin grows by at least this much from one position to the next, so that it has an inverse.
LEAST_GROWTH = 1e-3
# The largest error of an image over its root-mean-square error, about.
LARGEST = 7.5
# Of an image's rows and columns, those whose noise is averaged.
EVERY = 4


@dataclass(frozen=True)
class InitialGuess:
    """First setting of a search, and the scale along which it goes.

    Parameters
    ----------
    abscissa : float
        Where the first setting lies, from 0, where a target is hardest to meet, to 1.
    slope : float
        The margin's growth with the abscissa there; 0: not known.
    abscissas, shares : tuple of float
        The scale: at which shares of the quality parameter's range abscissas lie. Along the margins
        that are expected a search needs fewer tries than along the parameter.
    """

    abscissa: float = 0.5
    slope: float = 0.0
    abscissas: tuple[float, ...] = (0.0, 1.0)
    shares: tuple[float, ...] = (0.0, 1.0)

    @property
    def expected(self) -> bool:
        """Whether margins were expected at all settings."""
        return len(self.abscissas) > 2

    def share(self, abscissa: float) -> float:
        """Return the share of the parameter's range, from hard to easy, of an abscissa."""
        return float(np.interp(abscissa, self.abscissas, self.shares))

    @classmethod
    def of(cls, expected: Expectation, target: Target, image: Image) -> InitialGuess:
        """Return that of an expectation."""
        reached = _reached(expected, target, image)
        margins = np.array([target.margin(float(each)) for each in reached])
        shares = expected.positions
        if target.kind == "ratio":
            margins, shares = margins[::-1], 1 - shares[::-1]
        steps = np.maximum(np.diff(np.clip(margins, -50, 50)), LEAST_GROWTH)
        grown = np.concatenate([[0.0], np.cumsum(steps)])
        abscissa = float(np.interp(0.0, margins, grown)) / grown[-1]
        return cls(abscissa, float(grown[-1]), (*(grown / grown[-1]),), (*shares,))


MIDDLE = InitialGuess()


def expectation(codec: StreamCodec, image: Image) -> Expectation | None:
    """Return what a composed codec expects of its settings; None where it does not know."""
    if isinstance(codec, Lines):
        found, lost = expectation(codec.codec, codec.rest(image)), 0.0
        scale = 4.0 ** -codec.scale(image)
    elif isinstance(codec, Scaled):
        small = codec.reduced(image)
        found, scale = expectation(codec.codec, small), 4.0 ** (image.bits - small.bits)
        lost = codec.lost(image)
    else:
        return codec.expected(image) if isinstance(codec, Expects) else None
    if found is None:
        return None
    out_of_band = tuple(each * scale for each in found.out_of_band)
    return replace(found, errors=found.errors * scale + lost, out_of_band=out_of_band)


def error_of(target: Target, image: Image) -> float:
    """Return a target of error as counts: largest, or root-mean-square of all."""
    if target.kind == "psnr":
        return target.error(target.value)
    return target.value * (_noise(target, image) if target.kind == "sigma" else 1.0)


def _noise(target: Target, image: Image) -> float:
    """Return the counts of an error of 1 sigma, the noise being that of each pixel."""
    assert target.noise is not None
    sigma = target.noise.sigma(image.pixels[..., ::EVERY, ::EVERY])
    return float(1 / np.sqrt(np.mean(1 / np.square(sigma))))


def _reached(expected: Expectation, target: Target, image: Image) -> Array:
    """Return the values that are expected, in the target's unit."""
    errors = np.sqrt(expected.errors)
    if target.kind == "ratio":
        return image.raw_bytes / expected.sizes
    if target.kind == "max_error":
        return LARGEST * errors
    if target.kind == "psnr":
        assert target.data_range is not None
        levels: Array = 20 * np.log10(target.data_range / errors)
        return levels
    return errors / _noise(target, image)
