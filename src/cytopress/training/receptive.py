"""Receptive field of the U-Net: the input pixels that one output pixel depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ReceptiveField:
    """Along one axis: ``size`` pixels at most, none farther than ``reach`` from the output."""

    size: int
    reach: int


def receptive_field(depth: int, *, halved: int | None = None, fold: int = 1) -> ReceptiveField:
    """Compute the receptive field of the U-Net of `cytopress.training.network` along one axis.

    Walks from an output pixel back to the input along the deepest path, which contains every
    other: two 3-tap convolutions at each level on the way up and on the way down and at the
    bottom, transposed convolutions without overlap, 2-fold pooling. What a pixel sees depends on
    its place in the grid of the bottom level, so the largest over all places counts.

    Parameters
    ----------
    depth : int
        Number of halvings.
    halved : int, optional
        Number of them, the last ones, that halve this axis; all unless given.
    fold : int, optional
        Pixels that are folded into one before the first level.
    """
    halved = depth if halved is None else halved
    factors = [1] * (depth - halved) + [2] * halved
    intervals = [(place, *_seen(place, factors, fold)) for place in range(fold * 2**halved)]
    return ReceptiveField(
        size=max(last - first + 1 for _, first, last in intervals),
        reach=max(max(place - first, last - place) for place, first, last in intervals),
    )


def _seen(place: int, factors: Sequence[int], fold: int) -> tuple[int, int]:
    first = last = place // fold
    for factor in factors:
        first, last = (first - 2) // factor, (last + 2) // factor
    first, last = first - 2, last + 2
    for factor in reversed(factors):
        first, last = factor * first - 2, factor * (last + 1) + 1
    return fold * first, fold * (last + 1) - 1
