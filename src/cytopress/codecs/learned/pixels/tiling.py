"""A plane in regions that overlap by what a network sees, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """A rectangle to compute and the larger one to compute it from, in steps of a grid.

    Parameters
    ----------
    kept, seen : tuple of tuple of int
        ((top, bottom), (left, right)), ends exclusive.
    """

    kept: tuple[tuple[int, int], tuple[int, int]]
    seen: tuple[tuple[int, int], tuple[int, int]]

    def source(self, scale: int = 1) -> tuple[slice, slice]:
        """Return where to read, on a grid ``scale`` times as fine."""
        return _slices(self.seen, scale)

    def target(self, scale: int = 1) -> tuple[slice, slice]:
        """Return where to write, on a grid ``scale`` times as fine."""
        return _slices(self.kept, scale)

    def inner(self, scale: int = 1) -> tuple[slice, slice]:
        """Return which part of what came out of `source` belongs into `target`."""
        moved = [
            (low - start, high - start)
            for (low, high), (start, _) in zip(self.kept, self.seen, strict=True)
        ]
        return _slices(moved, scale)


def _slices(bounds: object, scale: int) -> tuple[slice, slice]:
    rows, columns = (slice(low * scale, high * scale) for low, high in bounds)  # type: ignore[attr-defined]
    return rows, columns


def regions(height: int, width: int, *, size: tuple[int, int], halo: int) -> Iterator[Region]:
    """Yield regions that cover a grid of (height, width), row by row.

    Parameters
    ----------
    height, width : int
        Steps of the grid.
    size : tuple of int
        Steps kept along each axis, at most.
    halo : int
        Steps seen beyond them, where the plane has any: at its own borders a network pads as it
        does with the whole plane.
    """
    rows, columns = size
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            bottom, right = min(top + rows, height), min(left + columns, width)
            yield Region(
                kept=((top, bottom), (left, right)),
                seen=(
                    (max(0, top - halo), min(height, bottom + halo)),
                    (max(0, left - halo), min(width, right + halo)),
                ),
            )
