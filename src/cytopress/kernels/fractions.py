"""Pixels to fixed-point numbers: around a middle, in units of a span."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths
from cytopress.kernels.fixed_point import MOST_VALUE
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
# Bits of fraction of the factor.
SHIFT = 30
# Pixels of one step of the numpy path: temporary arrays stay in the cache.
CHUNK = 2**14


def fractions(
    pixels: Array, middle: int, span: int, bits: int, most: int, *, threads: int = 1
) -> Array:
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
    threads : int, optional
        Threads that share the pixels; no number depends on it.

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

        def step(first: int, end: int) -> None:
            for start in range(first, end, CHUNK):
                part = slice(start, min(start + CHUNK, end))
                sums = source[part].astype(np.int64)
                sums -= middle
                sums *= factor
                sums += 1 << SHIFT - 1
                sums >>= SHIFT
                target[part] = np.clip(sums, -most, most, out=sums)

    else:
        call, number = extension.loaded().fractions, paths.NUMBERS[path]
        form = middle, factor, most, source.itemsize

        def step(first: int, end: int) -> None:
            call(number, source, target, form, (first, end))

    in_spans(step, len(source), threads)
    return out


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few pixels."""
    pixels = (np.arange(77) * 40503 % 2**16).astype(np.uint16)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            wide = fractions(pixels, 40000, 3, 15, 2**25), fractions(pixels, 9, 65535, 15, 2**25)
            found.append((*wide, fractions(pixels.astype(np.uint8), 100, 77, 15, 2**14)))
    return all(np.array_equal(*pair) for pair in zip(*found, strict=True))
