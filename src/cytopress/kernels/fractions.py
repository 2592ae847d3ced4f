"""Pixels to fixed-point numbers, and those to what convolutions take; less a background."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths
from cytopress.kernels.fixed_point import MOST_VALUE
from cytopress.kernels.pixel_rows import BAND, Lines
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
# Bits of fraction of the factor.
SHIFT = 30
MOST_INT16 = 2**15 - 1
# Pixels of one step of the numpy path: temporary arrays stay in the cache.
CHUNK = 2**14


def fractions(pixels: Array, middle: int, span: int, bits: int, most: int) -> Array:
    """Return ``(pixels - middle) / span``, int32 with ``bits`` bits of fraction, of pixels' shape.

    Clipped to ``most``. It is a product with 2 ** (bits + 30) / span, rounded, so that it is the
    nearest number or, rarely, the one beside it.

    Parameters
    ----------
    pixels : ndarray
        uint8 or uint16.
    middle, span : int
        In counts, below 2 ** 16; the span is at least 1.
    bits : int
        From 0 to 15.
    most : int
        At most 2 ** 28 - 1.

    Raises
    ------
    ValueError
        Pixels are of another type, or a number is beyond.
    """
    fits = 0 <= middle < 2**16 and 1 <= span < 2**16 and 0 <= bits <= 15 and most <= MOST_VALUE
    if pixels.dtype not in {np.dtype(np.uint8), np.dtype(np.uint16)} or not fits:
        raise ValueError(f"{pixels.dtype} pixels cannot be taken in {bits} bits of {span}.")
    out = np.empty(pixels.shape, np.int32)
    source, target = np.ascontiguousarray(pixels).reshape(-1), out.reshape(-1)
    factor = ((1 << bits + SHIFT + 1) // span + 1) >> 1
    path = paths.current(_known_answer)
    if path == paths.NUMPY:

        def step(part: slice) -> None:
            sums = source[part].astype(np.int64)
            sums -= middle
            sums *= factor
            sums += 1 << SHIFT - 1
            sums >>= SHIFT
            target[part] = np.clip(sums, -most, most, out=sums)

        _in_chunks(step, len(source))
    else:
        call, number = extension.loaded().fractions, paths.NUMBERS[path]
        form = middle, factor, most, source.itemsize
        in_spans(lambda *span: call(number, source, target, form, span), len(source))
    return out


def narrowed(values: Array, shift: int) -> Array:
    """Return ``values >> shift``, rounded half up, as int16, clipped to 32767 either way.

    Raises
    ------
    ValueError
        Values are not int32, or the shift is not from 0 to 30.
    """
    if values.dtype != np.int32 or not 0 <= shift <= 30:
        raise ValueError(f"{values.dtype} cannot be narrowed by {shift} bits.")
    out = np.empty(values.shape, np.int16)
    source, target = np.ascontiguousarray(values).reshape(-1), out.reshape(-1)
    path = paths.current(_known_answer)
    if path == paths.NUMPY:

        def step(part: slice) -> None:
            found = source[part].astype(np.int64)
            found += 1 << shift >> 1
            found >>= shift
            np.clip(found, -MOST_INT16, MOST_INT16, out=target[part], casting="unsafe")

        _in_chunks(step, len(source))
    else:
        call, number = extension.loaded().narrowed, paths.NUMBERS[path]
        in_spans(lambda *span: call(number, source, target, shift, span), len(source))
    return out


def subtract(lines: Lines, rows: Array) -> None:
    """Subtract lines from as many rows, (rows, width) int32, contiguous, in place.

    Raises
    ------
    ValueError
        The rows are of another shape or type.
    """
    shape = len(lines.above), lines.lines.shape[1]
    if rows.dtype != np.int32 or rows.shape != shape or not rows.flags.c_contiguous:
        raise ValueError(f"Lines of shape {shape} are of other rows than {rows.shape}.")
    path = paths.current(_known_answer)
    if path == paths.NUMPY:

        def span(first: int, end: int) -> None:
            for start in range(first, end, BAND):
                part = slice(start, min(start + BAND, end))
                rows[part] -= lines[part]

    else:
        call, number = extension.loaded().subtract_lines, paths.NUMBERS[path]
        held = lines.lines, lines.above, lines.below
        arrays = tuple(np.ascontiguousarray(each) for each in held)

        def span(first: int, end: int) -> None:
            call(number, rows, *arrays, (lines.scale, lines.shift), (first, end))

    in_spans(span, len(rows))


def _in_chunks(step: Callable[[slice], None], count: int) -> None:
    def span(first: int, end: int) -> None:
        for start in range(first, end, CHUNK):
            step(slice(start, min(start + CHUNK, end)))

    in_spans(span, count)


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few pixels."""
    pixels = (np.arange(77) * 40503 % 2**16).astype(np.uint16)
    above, below = (np.arange(7, dtype=np.int32) // n - n // 3 for n in (3, 1))
    grid = pixels[:33].reshape(3, 11).astype(np.int64) << 9
    lines = Lines(grid, np.maximum(above, 0), below, 8, 6)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            wide = fractions(pixels, 40000, 3, 15, 2**25), fractions(pixels, 9, 65535, 15, 2**25)
            small = fractions(pixels.astype(np.uint8), 100, 77, 15, 2**14)
            rows = small.reshape(7, 11).copy()
            subtract(lines, rows)
            found.append((*wide, small, narrowed(wide[0], 3), rows))
    return all(np.array_equal(*pair) for pair in zip(*found, strict=True))
