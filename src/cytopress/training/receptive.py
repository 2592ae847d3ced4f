"""How far a U-Net sees: which input pixels one output pixel depends on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReceptiveField:
    """Along one axis: ``size`` pixels at most, none farther than ``reach`` from the output."""

    size: int
    reach: int


def receptive_field(depth: int) -> ReceptiveField:
    """Compute the receptive field of the U-Net of `cytopress.training.network`.

    Walks from an output pixel back to the input along the deepest path, which contains every
    other: two 3-tap convolutions at each level on the way up and on the way down and at the
    bottom, 2-fold transposed convolutions without overlap, 2-fold pooling. What a pixel sees
    depends on its place in the grid of the bottom level, so the largest over all places counts.
    """
    intervals = [(place, *_seen(place, depth)) for place in range(2**depth)]
    return ReceptiveField(
        size=max(last - first + 1 for _, first, last in intervals),
        reach=max(max(place - first, last - place) for place, first, last in intervals),
    )


def _seen(place: int, depth: int) -> tuple[int, int]:
    first = last = place
    for _ in range(depth):
        first, last = (first - 2) // 2, (last + 2) // 2
    first, last = first - 2, last + 2
    for _ in range(depth):
        first, last = 2 * first - 2, 2 * last + 3
    return first, last
