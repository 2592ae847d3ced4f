"""Lifting scheme: wavelets along a sequence of planes, with a few planes in memory at a time.

A level splits planes x0, x1, x2, ... into low ones (even positions) and high ones (odd positions)
by invertible steps: high = odd + predict(neighbors), low = even + update(neighbors). At the ends
the one neighbor is used twice: the symmetric extension of JPEG 2000 (ITU-T T.800, annex F), for any
number of planes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

P = TypeVar("P")
# Gives what is added to a plane, from its two neighbors.
Change = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Step:
    """A pair of lifting steps: odd planes change by their even neighbors, then even by odd."""

    predict: Change
    update: Change


def forward(planes: Iterable[P], step: Step) -> Iterator[P]:
    """Yield low and high planes alternately, a low one first."""
    source = iter(planes)
    even = next(source)
    before: P | None = None
    for odd in source:
        after = next(source, None)
        high = odd + step.predict(even, even if after is None else after)
        yield even + step.update(high if before is None else before, high)
        yield high
        if after is None:
            return
        before, even = high, after
    yield even if before is None else even + step.update(before, before)


def inverse(planes: Iterable[P], step: Step) -> Iterator[P]:
    """Yield the planes that `forward` was given."""
    source = iter(planes)
    low = next(source)
    even: P | None = None
    before: P | None = None
    for high in source:
        this = low - step.update(high if before is None else before, high)
        if even is not None:
            assert before is not None
            yield before - step.predict(even, this)
        yield this
        even, before = this, high
        after = next(source, None)
        if after is None:
            yield high - step.predict(this, this)
            return
        low = after
    if before is None or even is None:
        yield low
        return
    this = low - step.update(before, before)
    yield before - step.predict(even, this)
    yield this


def _scaled(factor: float) -> Change:
    return lambda a, b: factor * (a + b)


# The 9/7 wavelet without its scaling of the bands, which `coefficients.weights` does.
CDF_9_7: tuple[Step, ...] = (
    Step(_scaled(-1.586134342059924), _scaled(-0.052980118572961)),
    Step(_scaled(0.882911075530934), _scaled(0.443506852043971)),
)


def split(planes: Iterable[P], steps: Sequence[Step]) -> Iterator[P]:
    """Yield the low and high planes of one level alternately."""
    for step in steps:
        planes = forward(planes, step)
    return iter(planes)


def join(planes: Iterable[P], steps: Sequence[Step]) -> Iterator[P]:
    """Yield the planes that `split` was given."""
    for step in reversed(steps):
        planes = inverse(planes, step)
    return iter(planes)


def lengths(count: int, levels: int) -> list[int]:
    """Return the number of high planes of each level, finest first, then the number of low planes.

    Levels without a high plane are left out.
    """
    found: list[int] = []
    while count > 1 and len(found) < levels:
        found.append(count // 2)
        count -= count // 2
    return [*found, count]
