"""Errors of decoded pixels, in sums that add up over chunks, shards and fields."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from cytopress.archive.plan import Ceiling
from cytopress.image import Pixels
from cytopress.metrics.noise import NoiseModel


@dataclass(frozen=True)
class Errors:
    """Errors of some pixels.

    Parameters
    ----------
    pixels : int
        Their number.
    max_error : float
        Largest absolute error, in counts.
    total : float
        Sum of the errors (decoded minus original), in counts.
    squares : float
        Sum of squared errors.
    noise_squares : float
        Sum of squared errors in units of the noise; NaN where no noise model is known.
    """

    pixels: int
    max_error: float
    total: float
    squares: float
    noise_squares: float

    @property
    def rmse(self) -> float:
        """Root-mean-square error in counts."""
        return math.sqrt(self.squares / self.pixels)

    @property
    def bias(self) -> float:
        """Mean error in counts."""
        return self.total / self.pixels

    @property
    def sigma(self) -> float:
        """Root-mean-square error in units of the noise."""
        return math.sqrt(self.noise_squares / self.pixels)

    def psnr(self, data_range: float) -> float:
        """Return the peak signal-to-noise ratio in dB over a data range in counts."""
        return 20 * math.log10(data_range / self.rmse) if self.squares else math.inf

    def within(self, ceiling: Ceiling, limit: float) -> bool:
        """Whether the errors keep a limit of the kind of a ceiling."""
        if ceiling.kind == "max_error":
            return self.max_error <= limit
        if ceiling.kind == "psnr":
            assert ceiling.data_range is not None
            return self.psnr(ceiling.data_range) >= limit
        return (self.sigma if ceiling.kind == "sigma" else self.rmse) <= limit

    @classmethod
    def sum(cls, parts: Iterable[Errors]) -> Self:
        """Return the errors of all pixels together; at least one part."""
        found = list(parts)
        return cls(
            sum(one.pixels for one in found),
            max(one.max_error for one in found),
            math.fsum(one.total for one in found),
            math.fsum(one.squares for one in found),
            math.fsum(one.noise_squares for one in found),
        )

    @classmethod
    def of_row(cls, row: Any) -> Self:
        """Return the errors that `as_row` wrote."""
        return cls(**{**row, "noise_squares": math.nan} if row["noise_squares"] is None else row)

    def as_row(self) -> dict[str, Any]:
        """Return the errors as JSON values; NaN becomes None."""
        row = asdict(self)
        return row | {"noise_squares": None} if math.isnan(self.noise_squares) else row


def errors_between(original: Pixels, decoded: Pixels, noise: NoiseModel | None) -> Errors:
    """Return the errors of decoded pixels, plane by plane so that little memory is needed."""
    shape = (-1, *original.shape[-2:])
    pairs = zip(original.reshape(shape), decoded.reshape(shape), strict=True)
    return Errors.sum(_of_plane(before, after, noise) for before, after in pairs)


def _of_plane(original: Pixels, decoded: Pixels, noise: NoiseModel | None) -> Errors:
    error = decoded.astype(np.float64) - original
    in_noise = math.nan
    if noise is not None:
        in_noise = float(np.sum(error**2 / noise.variance(original)))
    return Errors(
        error.size,
        float(np.abs(error).max()),
        float(error.sum()),
        float(np.sum(error**2)),
        in_noise,
    )
