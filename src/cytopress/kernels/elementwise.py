"""Elementwise steps between the kernels, in one pass each: scaling, narrowing, rounding to counts.

Shifts round to the nearest, halves up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths
from cytopress.kernels.fixed_point import MOST_VALUE
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
MOST_INT16 = 2**15 - 1
# Numbers of one step of the numpy path: temporary arrays stay in the cache.
CHUNK = 2**14
# What a kernel does with numbers from the first to the last.
Step = Callable[[int, int], None]


def scaled(values: Array, multiplier: Array, shift: int, *, threads: int = 1) -> Array:
    """Return ``values * multiplier >> shift``, int32, clipped to 28 bits and a sign.

    Parameters
    ----------
    values : ndarray
        (..., C) int32.
    multiplier : ndarray
        (C,) of integers from 0 to 2 ** 31 - 1.
    shift : int
        From 0 to 62.
    threads : int, optional
        Threads that share the values; no number depends on it.

    Raises
    ------
    ValueError
        Values or multipliers are of another type or shape.
    """
    channels = values.shape[-1] if values.ndim else 0
    factors = np.ascontiguousarray(multiplier, np.int64)
    _refuse(values.dtype == np.int32 and factors.shape == (channels,) and 0 <= shift <= 62)
    _refuse(not channels or bool(0 <= factors.min() <= factors.max() < 2**31))

    def step(source: Array, out: Array) -> None:
        sums = source * factors
        sums += 1 << shift >> 1
        sums >>= shift
        np.clip(sums, -MOST_VALUE, MOST_VALUE, out=out, casting="unsafe")

    return _run("scaled", values, np.int32, (shift, factors), step, channels, threads)


def narrowed(values: Array, shift: int = 0, *, threads: int = 1) -> Array:
    """Return ``values >> shift`` as int16, clipped to 32767 either way, of int32.

    Raises
    ------
    ValueError
        Values are of another type, or the shift is not from 0 to 30.
    """
    _refuse(values.dtype == np.int32 and 0 <= shift <= 30)

    def step(source: Array, out: Array) -> None:
        np.clip(_shifted(source, shift), -MOST_INT16, MOST_INT16, out=out, casting="unsafe")

    return _run("narrowed", values, np.int16, (shift, None), step, 1, threads)


def nearest_rows(index: Array, shift: int, count: int, *, threads: int = 1) -> Array:
    """Return ``index >> shift`` as uint8, clipped to 0 to ``count`` - 1, of int32.

    Raises
    ------
    ValueError
        Indices are of another type, the shift is not from 0 to 30, or there are no rows or more
        than 256.
    """
    _refuse(index.dtype == np.int32 and 0 <= shift <= 30 and 1 <= count <= 256)

    def step(source: Array, out: Array) -> None:
        np.clip(_shifted(source, shift), 0, count - 1, out=out, casting="unsafe")

    return _run("nearest_rows", index, np.uint8, (shift, count), step, 1, threads)


def counts(
    values: Array, span: int, middle: int, shift: int, most: int, *, threads: int = 1
) -> Array:
    """Return ``middle + (values * span >> shift)``, clipped to 0 to ``most``, of int32.

    They are uint8 where ``most`` fits, else uint16.

    Raises
    ------
    ValueError
        Values are of another type, or a number is beyond: ``span``, ``middle`` and ``most`` from 0
        to 65535, ``shift`` from 0 to 30.
    """
    numbers = all(0 <= n < 2**16 for n in (span, middle, most))
    _refuse(values.dtype == np.int32 and numbers and 0 <= shift <= 30)
    kind = np.uint8 if most < 2**8 else np.uint16

    def step(source: Array, out: Array) -> None:
        sums = source.astype(np.int64) * span
        sums += 1 << shift >> 1
        sums >>= shift
        sums += middle
        np.clip(sums, 0, most, out=out, casting="unsafe")

    return _run("counts", values, kind, (shift, (span, middle, most)), step, 1, threads)


def _shifted(values: Array, shift: int) -> Array:
    found: Array = values.astype(np.int64)
    found += 1 << shift >> 1
    found >>= shift
    return found


def _refuse(fits: bool) -> None:  # noqa: FBT001
    if not fits:
        raise ValueError("An elementwise kernel was given numbers of another type or range.")


def _run(
    name: str,
    values: Array,
    kind: Any,
    parameters: tuple[int, Any],
    step: Callable[[Array, Array], None],
    channels: int,
    threads: int,
) -> Array:
    """Apply a step to values in spans of whole groups of channels; return them, of ``kind``."""
    out = np.empty(values.shape, kind)
    if not out.size:
        return out
    source, target = np.ascontiguousarray(values).reshape(-1, channels), out.reshape(-1, channels)
    path = paths.current(_known_answer)
    if path == paths.NUMPY:
        rows = max(1, CHUNK // channels)

        def span(first: int, end: int) -> None:
            for start in range(first, end, rows):
                part = slice(start, min(start + rows, end))
                step(source[part], target[part])
    else:
        call, number = getattr(extension.loaded(), name), paths.NUMBERS[path]
        shift, aux = parameters

        def span(first: int, end: int) -> None:
            call(number, source, aux, target, shift, (first * channels, end * channels))

    in_spans(span, len(source), threads)
    return out


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few numbers."""
    values = (np.arange(77, dtype=np.int64) * 2654435761 % 2**32 - 2**31).astype(np.int32)
    factors = np.array([2**31 - 1, 1, 77, 0, 2**20, 2**30 + 1, 3])
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            parts = (
                scaled(values.reshape(11, 7), factors, 21).reshape(-1),
                narrowed(values, 15),
                nearest_rows(values, 25, 50),
                counts(values, 65535, 31000, 30, 65535),
                counts(values >> 8, 999, 128, 30, 255),
            )
            found.append(parts)
    return all(np.array_equal(*pair) for pair in zip(*found, strict=True))
