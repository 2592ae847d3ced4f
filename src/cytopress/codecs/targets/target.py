"""Portable targets: quality or rate that any lossy codec can be asked for, and its measurement.

A target is measured on the decoded pixels or the bytes; a codec's own promise does not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from cytopress.errors import UsageError
from cytopress.figures import ratio_text
from cytopress.image import Image, Pixels
from cytopress.metrics.noise import NoiseModel

TargetKind = Literal["max_error", "sigma", "psnr", "ratio"]
TARGET_KINDS: tuple[TargetKind, ...] = get_args(TargetKind)
UNITS: dict[TargetKind, str] = {
    "max_error": "counts",
    "sigma": "noise sigma",
    "psnr": "dB",
    "ratio": "x",
}
# Decibels of a relative change of the error.
DB = 20 / math.log(10)
RATIO_EXCEEDED = 1.1


@dataclass(frozen=True)
class Target:
    """A quality or rate asked of a lossy codec, and its reference scale.

    Parameters
    ----------
    kind : {"max_error", "sigma", "psnr", "ratio"}
        Largest error in counts; root-mean-square error in units of the noise; peak signal-to-noise
        ratio in dB over ``data_range``; raw bytes over coded bytes.
    value : float
        Upper limit for the first two kinds, lower limit for the others.
    data_range : float, optional
        Span in counts that ``psnr`` refers to.
    noise : NoiseModel, optional
        The noise that ``sigma`` refers to.
    """

    kind: TargetKind
    value: float
    data_range: float | None = None
    noise: NoiseModel | None = None

    def __post_init__(self) -> None:
        if self.kind not in TARGET_KINDS:
            raise UsageError(f"A target is one of {', '.join(TARGET_KINDS)}, not {self.kind!r}.")
        if not (math.isfinite(self.value) and self.value >= 0):
            raise UsageError(f"{self.kind} is a number from 0 on, not {self.value:g}.")
        if self.kind == "ratio" and self.value == 0:
            raise UsageError("ratio is a number above 0: raw bytes over coded bytes.")
        if self.data_range is not None and not (
            math.isfinite(self.data_range) and self.data_range > 0
        ):
            raise UsageError(f"range is a number of counts above 0, not {self.data_range:g}.")

    def reached(self, original: Image, decoded: Pixels) -> float:
        """Return the value that decoded pixels reach, in the target's unit (not for ``ratio``)."""
        if self.kind == "sigma" and self.noise is None:
            raise UsageError("sigma needs a noise model: give a= and b=.")
        if self.kind == "psnr" and self.data_range is None:
            raise UsageError("psnr needs a data range: give range=.")
        # Plane by plane: a volume's errors in floats would take four times its memory.
        shape = (-1, *original.shape[-2:])
        pairs = zip(original.pixels.reshape(shape), decoded.reshape(shape), strict=True)
        planes = [self._of_plane(before, after) for before, after in pairs]
        if self.kind == "max_error":
            return max(planes)
        mse = float(np.mean(planes))
        if self.data_range is None or self.kind == "sigma":
            return math.sqrt(mse)
        return math.inf if mse == 0 else 10 * math.log10(self.data_range**2 / mse)

    def _of_plane(self, original: Pixels, decoded: Pixels) -> float:
        """Return a plane's largest error, or its mean square error (in units of the noise)."""
        error = decoded.astype(np.float64) - original
        if self.kind == "max_error":
            return float(np.abs(error).max())
        if self.kind == "sigma" and self.noise is not None:
            error /= self.noise.sigma(original)
        return float(np.mean(error**2))

    def error(self, reached: float) -> float:
        """Return the root-mean-square error in counts of a ``psnr`` that is reached."""
        assert self.kind == "psnr"
        assert self.data_range is not None
        return float(self.data_range * 10 ** (-reached / 20))

    def met(self, reached: float) -> bool:
        """Whether a value reached is the target or better."""
        at_most = self.kind in ("max_error", "sigma")
        return reached <= self.value if at_most else reached >= self.value

    def margin(self, reached: float) -> float:
        """Return how much better than the target a value is: relative, below 0 where it is worse.

        In logarithms: for ``psnr`` that of the error, so that all kinds share one scale.
        """
        if self.kind == "psnr":
            return (reached - self.value) / DB
        better, worse = (reached, self.value) if self.kind == "ratio" else (self.value, reached)
        if better == worse:
            return 0.0
        if min(better, worse) <= 0:
            return math.inf if better > worse else -math.inf
        return math.log(better / worse)

    def warnings(self, reached: float) -> list[str]:
        """Return warnings about a result that meets the target."""
        if self.kind != "ratio" or reached <= self.value * RATIO_EXCEEDED:
            return []
        text = (
            f"ratio={self.value:g} was asked, and the finest setting that meets it makes this image"
        )
        return [f"{text} {ratio_text(reached)} smaller."]

    def notes(self) -> dict[str, float | str]:
        """Return the header's notes of this target, with its reference scale."""
        notes: dict[str, float | str] = {"target": self.kind, "asked": self.value}
        if self.kind == "psnr" and self.data_range is not None:
            notes["range"] = self.data_range
        if self.kind == "sigma" and self.noise is not None:
            notes |= {"a": self.noise.a, "b": self.noise.b, "offset": self.noise.offset}
        return notes
