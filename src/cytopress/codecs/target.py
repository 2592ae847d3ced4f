"""Portable quality: the same targets for every lossy codec, solved on real encodes.

A target is met by a setting of the codec's native knob that a search finds; what counts is always
what the decoded pixels (or the bytes) say, never what the codec promises.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from cytopress.codecs import container
from cytopress.codecs.codec import Knob, StreamCodec
from cytopress.errors import UnreachableTargetError, UsageError
from cytopress.image import Image, Pixels
from cytopress.metrics.noise import NoiseModel

Kind = Literal["max_error", "sigma", "psnr", "ratio"]
KINDS: tuple[Kind, ...] = get_args(Kind)
UNITS: dict[Kind, str] = {"max_error": "counts", "sigma": "noise sigma", "psnr": "dB", "ratio": "x"}
# Each is a real encode; twelve halvings of a knob's range are finer than most codecs' own steps.
MOST_ENCODES = 14
PRECISION = 1e-4


@dataclass(frozen=True)
class Target:
    """What is asked of a lossy codec, and the yardstick it is measured with.

    Parameters
    ----------
    kind : {"max_error", "sigma", "psnr", "ratio"}
        Largest error in counts; root-mean-square error in units of the noise; peak signal-to-noise
        ratio in dB over ``data_range``; raw bytes over coded bytes.
    value : float
        Reached at most for the first two, at least for the others.
    data_range : float, optional
        Span in counts that ``psnr`` refers to.
    noise : NoiseModel, optional
        The noise that ``sigma`` refers to.
    """

    kind: Kind
    value: float
    data_range: float | None = None
    noise: NoiseModel | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"A target is one of {', '.join(KINDS)}, not {self.kind!r}.")
        least_ok = self.value >= 0 if self.kind == "max_error" else self.value > 0
        if not (math.isfinite(self.value) and least_ok):
            raise UsageError(f"{self.kind}={self.value:g}: a positive number is needed.")

    def reached(self, original: Image, decoded: Pixels) -> float:
        """Return what decoded pixels reached, in the target's unit (any kind but ``ratio``)."""
        error = decoded.astype(np.float64) - original.pixels
        if self.kind == "max_error":
            return float(np.abs(error).max())
        if self.kind == "sigma":
            assert self.noise is not None
            relative = error / self.noise.sigma(original.pixels)
            return float(np.sqrt(np.mean(relative**2)))
        assert self.data_range is not None
        mse = float(np.mean(error**2))
        return math.inf if mse == 0 else 10 * math.log10(self.data_range**2 / mse)

    def met(self, reached: float) -> bool:
        """Whether what was reached is what was asked or better."""
        at_most = self.kind in ("max_error", "sigma")
        return reached <= self.value if at_most else reached >= self.value

    def notes(self) -> dict[str, float | str]:
        """Return what the header says of this target, estimates included."""
        notes: dict[str, float | str] = {"target": self.kind, "asked": self.value}
        if self.kind == "psnr" and self.data_range is not None:
            notes["range"] = self.data_range
        if self.kind == "sigma" and self.noise is not None:
            notes |= {"a": self.noise.a, "b": self.noise.b, "offset": self.noise.offset}
        return notes


@dataclass(frozen=True)
class Solution:
    """The setting that was found, its bytes, and what it reached (in the target's unit)."""

    codec: StreamCodec
    data: bytes
    reached: float


def solve(
    image: Image,
    target: Target,
    knob: Knob,
    at: Callable[[float | None], StreamCodec],
    *,
    can_be_lossless: bool,
) -> Solution:
    """Find the knob setting that meets a target, by bisection on real encodes.

    ``at`` makes the codec for a knob value, or its lossless form for None. Of the settings tried that
    meet the target, the one with the fewest bytes is returned; for ``ratio``, the finest.

    Raises
    ------
    UnreachableTargetError
        No setting meets the target; the message says what the nearest one reached.
    """
    tried: dict[float, Solution] = {}
    by_ratio = target.kind == "ratio"

    def meets(position: float) -> bool:
        value = knob_value(knob, position)
        if value not in tried:
            tried[value] = attempt(image, target, at(value))
        return target.met(tried[value].reached)

    # Position 0 is the coarsest setting, 1 the finest. A ratio is met from some position down and
    # wants the finest such; the other targets are met from some position up and want the coarsest.
    easy, hard = (0.0, 1.0) if by_ratio else (1.0, 0.0)
    if meets(easy) and not meets(hard):
        while len(tried) < MOST_ENCODES and abs(easy - hard) > PRECISION:
            middle = (easy + hard) / 2
            easy, hard = (middle, hard) if meets(middle) else (easy, middle)
            if knob.integer and abs(knob_value(knob, easy) - knob_value(knob, hard)) <= 1:
                break
    met = {value: found for value, found in tried.items() if target.met(found.reached)}
    if by_ratio and met:
        return met[min(met) if knob.finer == "lower" else max(met)]
    solutions = list(met.values())
    if can_be_lossless:
        lossless = attempt(image, target, at(None))
        solutions += [lossless] if target.met(lossless.reached) else []
    if not solutions:
        raise _unreachable(target, [found.reached for found in tried.values()])
    return min(solutions, key=lambda found: len(found.data))


def attempt(image: Image, target: Target, codec: StreamCodec) -> Solution:
    """Code an image with one setting and measure what it reached."""
    codec.check(image)
    form, notes = container.Form.of(image), target.notes()
    stream = codec.compress(image)
    if target.kind == "ratio":
        # Anyone can divide: what was reached needs no bytes.
        data = container.pack(codec.recipe(), form, stream, notes)
        return Solution(codec, data, image.raw_bytes / len(data))
    reached = target.reached(image, codec.decompress(stream, form))
    if math.isfinite(reached):
        notes["reached"] = float(f"{reached:.4g}")
    return Solution(codec, container.pack(codec.recipe(), form, stream, notes), reached)


def knob_value(knob: Knob, position: float) -> float:
    """Return the knob's value at a position from 0 (coarsest) to 1 (finest)."""
    if knob.finer == "lower":
        position = 1 - position
    if knob.scale == "log":
        value = knob.least * (knob.most / knob.least) ** position
    else:
        value = knob.least + (knob.most - knob.least) * position
    # Four digits are finer than what any codec tells apart, and short in the bytes.
    value = min(max(float(f"{value:.4g}"), knob.least), knob.most)
    return int(round(value)) if knob.integer else value


def _unreachable(target: Target, reached: list[float]) -> UnreachableTargetError:
    at_most = target.kind in ("max_error", "sigma")
    nearest = min(reached) if at_most else max(reached)
    unit = UNITS[target.kind]
    return UnreachableTargetError(
        f"No setting reaches {target.kind}={target.value:g}: the nearest gives {nearest:.4g} {unit}."
    )
