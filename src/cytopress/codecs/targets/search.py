"""Solve a target: find the value of the quality parameter that meets it, on real encodes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from cytopress.codecs import progress
from cytopress.codecs.base import QualityParameter, StreamCodec
from cytopress.codecs.container import container
from cytopress.codecs.targets.target import UNITS, Target
from cytopress.errors import UnreachableTargetError, UnsupportedImageError
from cytopress.image import Image

# Each is a real encode; twelve halvings of the range are finer than most codecs' own steps.
MOST_HALVINGS = 12
# Where the ends of the quality parameter do not decide, its range is tried in so many steps first.
GRID = 8
DESCENTS = 3
# The largest error is one pixel's: it jumps from setting to setting, and a coarser one may do.
PROBES = (0.01, 0.02, 0.04, 0.08)


@dataclass(frozen=True)
class Solution:
    """The setting that was found, its bytes, and what it reached.

    ``reached`` is in the target's unit; the ratio where no target was asked. ``warnings`` are
    sentences that one should read before using the result: a ratio exceeded by far, a yardstick
    that could not be estimated well. ``encode_s`` is the wall time, in seconds, of the encode that
    gave these bytes, the search for the setting left out.
    """

    codec: StreamCodec
    data: bytes
    reached: float
    encode_s: float
    warnings: tuple[str, ...] = ()


def solve(
    image: Image,
    target: Target,
    parameter: QualityParameter,
    at: Callable[[float | None], StreamCodec],
    *,
    name: str,
    can_be_lossless: bool,
    guarded: bool,
) -> Solution:
    """Find the quality parameter setting that meets a target, by bisection on real encodes.

    ``at`` makes the codec for a value of the quality parameter, or its lossless form for None. Of
    the settings tried that meet the target, the one with the fewest bytes is returned; for
    ``ratio``, the finest. The
    lossless form is one of them, where there is one. ``guarded`` says that a coarse setting may
    take more bytes than a fine one, since its residual does.

    Raises
    ------
    UnsupportedImageError
        No setting codes this image.
    UnreachableTargetError
        No setting meets the target; the message says what the nearest one reached.
    """
    lossless = None
    if can_be_lossless and _accepts(at(None), image):
        progress.stage("lossless")
        lossless = attempt(image, target, at(None))
    exact = lossless if lossless and target.met(lossless.reached) else None
    if exact and target.kind == "ratio":
        return _with_warnings(exact, target)
    search = _Search(image, target, parameter, at)
    search.run(guarded=guarded)
    best = search.best
    if exact and (best is None or len(exact.data) < len(best.data)):
        best = exact
    if best is None:
        reached = [found.reached for found in search.tried.values()]
        raise _unreachable(name, target, reached + ([lossless.reached] if lossless else []))
    return _with_warnings(best, target)


@dataclass(frozen=True)
class _Tried:
    """What a setting reached, and in how many bytes; the bytes of all would be too many."""

    reached: float
    size: int


class _Search:
    """Encodes tried so far, by position in the range of settings: 0 is the coarsest, 1 the finest.

    ``best`` is the one to return of those that meet the target: the finest for ``ratio``, else the
    one with the fewest bytes.
    """

    def __init__(
        self,
        image: Image,
        target: Target,
        parameter: QualityParameter,
        at: Callable[[float], StreamCodec],
    ) -> None:
        self._image, self._target, self._parameter, self._at = image, target, parameter, at
        self.tried: dict[float, _Tried] = {}
        self.best: Solution | None = None
        self._best_place = 0.0

    def run(self, *, guarded: bool) -> None:
        """Try the ends, the grid between them if they do not decide, then halve the bracket."""
        by_ratio = self._target.kind == "ratio"
        coarsest = self._coarsest()
        grid = [coarsest + (1 - coarsest) * step / GRID for step in range(GRID + 1)]
        # A ratio is met from some position down and wants the finest such; the other targets are
        # met from some position up and want the coarsest.
        if not guarded and self._met(coarsest if by_ratio else 1.0):
            grid = [coarsest, 1.0]
        met = [position for position in grid if self._met(position)]
        if not met:
            return
        easy = max(met) if by_ratio else min(met)
        beyond = [place for place in grid if (place > easy if by_ratio else place < easy)]
        if beyond:
            easy = self._halve(easy, min(beyond) if by_ratio else max(beyond))
        if self._target.kind == "max_error" and self._found(easy).reached < self._target.value:
            for step in PROBES:
                self._found(max(easy - step, coarsest))
        if guarded and not by_ratio:
            self._descend((1 - coarsest) / GRID / 2)

    def _halve(self, easy: float, hard: float) -> float:
        """Return the place nearest to ``hard`` that meets the target."""
        for _ in range(MOST_HALVINGS):
            at_easy, at_hard = (
                parameter_value(self._parameter, easy),
                parameter_value(self._parameter, hard),
            )
            if at_easy == at_hard or (self._parameter.integer and abs(at_easy - at_hard) <= 1):
                break
            if self._target.close(self._found(easy).reached):
                break
            middle = (easy + hard) / 2
            easy, hard = (middle, hard) if self._met(middle) else (easy, middle)
        return easy

    def _descend(self, step: float) -> None:
        """Go down in bytes from the best setting so far."""
        for _ in range(DESCENTS):
            met = [place for place in self.tried if self._met(place)]
            best = min(met, key=lambda place: self.tried[place].size)
            for position in (best - step, best + step):
                if 0 <= position <= 1 and self._accepts(position):
                    self._found(position)
            step /= 2

    def _coarsest(self) -> float:
        """Return the coarsest position that the codec accepts for this image."""
        if self._accepts(0.0):
            return 0.0
        self._at(parameter_value(self._parameter, 1.0)).check(self._image)
        refused, accepted = 0.0, 1.0
        for _ in range(MOST_HALVINGS):
            middle = (refused + accepted) / 2
            if self._accepts(middle):
                accepted = middle
            else:
                refused = middle
        return accepted

    def _accepts(self, position: float) -> bool:
        return _accepts(self._at(parameter_value(self._parameter, position)), self._image)

    def _met(self, position: float) -> bool:
        return self._target.met(self._found(position).reached)

    def _found(self, position: float) -> _Tried:
        value = parameter_value(self._parameter, position)
        same = [place for place in self.tried if parameter_value(self._parameter, place) == value]
        if not same:
            progress.stage(f"setting {len(self.tried) + 1}: {self._parameter.name} {value:g}")
            found = attempt(self._image, self._target, self._at(value))
            self.tried[position] = _Tried(found.reached, len(found.data))
            if self._target.met(found.reached):
                self._keep(position, found)
        return self.tried[same[0] if same else position]

    def _keep(self, position: float, found: Solution) -> None:
        if self.best is not None:
            better = len(found.data) < len(self.best.data)
            if self._target.kind == "ratio":
                better = position > self._best_place
            if not better:
                return
        self.best, self._best_place = found, position


def _accepts(codec: StreamCodec, image: Image) -> bool:
    try:
        codec.check(image)
    except UnsupportedImageError:
        return False
    return True


def attempt(image: Image, target: Target, codec: StreamCodec) -> Solution:
    """Code an image with one setting and measure what it reached."""
    recipe, notes = codec.recipe(), target.notes()
    if _knows_noise(recipe):
        notes = {key: value for key, value in notes.items() if key not in ("a", "b", "offset")}
    begin = time.perf_counter()
    data = codec.encode(image, notes)
    encode_s = time.perf_counter() - begin
    if target.kind == "ratio":
        return Solution(codec, data, image.raw_bytes / len(data), encode_s)
    header, stream = container.unpack(data)
    reached = target.reached(image, codec.restore(stream, header.form).pixels)
    if math.isfinite(reached):
        notes["reached"] = float(f"{reached:.4g}")
        data = container.pack(recipe, header.form, stream, notes)
    return Solution(codec, data, reached, encode_s)


def _knows_noise(recipe: container.Recipe) -> bool:
    inner = recipe.options.get("codec")
    return bool({"a", "b"} & recipe.options.keys()) or (
        isinstance(inner, container.Recipe) and _knows_noise(inner)
    )


def _with_warnings(found: Solution, target: Target) -> Solution:
    return replace(found, warnings=tuple(target.warnings(found.reached)))


def parameter_value(parameter: QualityParameter, position: float) -> float:
    """Return the quality parameter's value at a position from 0 (coarsest) to 1 (finest)."""
    if parameter.finer == "lower":
        position = 1 - position
    if parameter.scale == "log":
        value = parameter.least * (parameter.most / parameter.least) ** position
    else:
        value = parameter.least + (parameter.most - parameter.least) * position
    # Four digits are finer than what any codec tells apart, and short in the bytes.
    value = min(max(float(f"{value:.4g}"), parameter.least), parameter.most)
    return round(value) if parameter.integer else value


def _unreachable(name: str, target: Target, reached: list[float]) -> UnreachableTargetError:
    at_most = target.kind in ("max_error", "sigma")
    nearest = min(reached) if at_most else max(reached)
    return UnreachableTargetError(
        f"{name}: no setting reaches {target.kind}={target.value:g} on this image; the nearest"
        f" gives {nearest:.4g} {UNITS[target.kind]}."
    )
