"""Rows of pixels: fixed-point values and their smooth background to counts, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths
from cytopress.kernels.known_answer import scattered
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
# Rows of one step of the numpy path: temporary arrays stay in the cache.
BAND = 16


@dataclass(frozen=True, eq=False)
class Counts:
    """``middle + (value * span >> shift)``, rounded, clipped to 0 to ``most``."""

    span: int
    middle: int
    shift: int
    most: int

    def __post_init__(self) -> None:
        numbers = all(0 <= n < 2**16 for n in (self.span, self.middle, self.most))
        if not numbers or not 0 <= self.shift <= 30:
            raise ValueError(f"Counts cannot be rounded by {self}.")

    def __call__(self, values: Array) -> Array:
        """Return the counts of int32, int64."""
        sums: Array = values.astype(np.int64)
        sums *= self.span
        sums += 1 << self.shift >> 1
        sums >>= self.shift
        sums += self.middle
        return np.clip(sums, 0, self.most, out=sums)


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines that rows are interpolated between: ``(line * scale + rise * below) >> shift``.

    Parameters
    ----------
    lines : ndarray
        (count, width) int64, below 2 ** 40 or so: every result fits 30 bits.
    above, below : ndarray
        (rows,) int32: the number of the line above each row, and how far the row is below it.
    scale : int
        How far the next line is.
    shift : int
        From 1 to 62.
    """

    lines: Array
    above: Array
    below: Array
    scale: int
    shift: int

    def __getitem__(self, rows: slice) -> Array:
        """Return some rows, (n, width) int32."""
        above, below = self.above[rows], self.below[rows, None]
        start = self.lines[above]
        rise = self.lines[np.minimum(above + 1, len(self.lines) - 1)] - start
        start *= self.scale
        rise *= below
        start += rise
        start += 1 << self.shift >> 1
        start >>= self.shift
        found: Array = start.astype(np.int32)
        return found


NO_LINES = Lines(np.empty((0, 0), np.int64), np.empty(0, np.int32), np.empty(0, np.int32), 0, 1)


def counts(values: Array, rounding: Counts, out: Array, lines: Lines | None = None) -> None:
    """Write the counts of values, (rows, width or more) int32, to ``out``, (rows, width).

    Parameters
    ----------
    values : ndarray
        (rows, width or more) int32, contiguous.
    rounding : Counts
        How they are rounded.
    out : ndarray
        (rows, width), contiguous: uint8 where ``rounding.most`` fits, else uint16.
    lines : Lines, optional
        The background that is added, one of as many rows.

    Raises
    ------
    ValueError
        An array has another type or shape.
    """
    rows, width = out.shape
    kind = np.uint8 if rounding.most < 2**8 else np.uint16
    fits = values.dtype == np.int32 and values.ndim == 2 and values.flags.c_contiguous
    fits = fits and out.dtype == kind and out.flags.c_contiguous
    fits = fits and len(values) == rows and values.shape[1] >= width
    if not fits or (lines and (lines.lines.shape[1] != width or len(lines.above) != rows)):
        raise ValueError(
            f"Counts of {values.shape} {values.dtype} cannot be {out.shape} {out.dtype}."
        )
    path = paths.current(_known_answer) if out.size else paths.NUMPY
    held = lines or NO_LINES
    if path == paths.NUMPY:

        def span(first: int, end: int) -> None:
            for start in range(first, end, BAND):
                part = slice(start, min(start + BAND, end))
                seen = values[part, :width]
                out[part] = rounding(seen if lines is None else seen + lines[part])
    else:
        none = np.zeros(rows, np.int32)
        above, below = (held.above, held.below) if lines else (none, none)
        given = (
            *(paths.NUMBERS[path], values, held.lines, above, below, out),
            (rows, width, values.shape[1]),
            (len(held.lines), held.scale, held.shift),
            (rounding.shift, rounding.span, rounding.middle, rounding.most),
        )
        call = extension.loaded().pixel_rows

        def span(first: int, end: int) -> None:
            call(*given, (first, end))

    in_spans(span, rows)


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few rows."""
    numbers = scattered(7 * 11)
    values = (numbers >> 4).astype(np.int32).reshape(7, 11)
    above = np.array([0, 0, 0, 1, 1, 2, 2], np.int32)
    below = np.array([-3, -1, 1, -3, 3, -1, 1], np.int32)
    lines = Lines((numbers[:27] << 6).reshape(3, 9), above, below, 8, 14)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            for most, kind, added in ((999, np.uint16, lines), (255, np.uint8, None)):
                out = np.empty((7, 9), kind)
                counts(values, Counts(60000, 77, 20, most), out, added)
                found.append(out)
    return np.array_equal(found[0], found[2]) and np.array_equal(found[1], found[3])
