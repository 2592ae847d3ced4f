"""Channels at some places of an array, in one pass each: between convolutions and entropy coder.

Arrays are (h, w, C) int32, channels last, and may be views of the channels of a wider array. Places
are flat indices, (n,) int32; None means all, in order. Shifts round to the nearest, halves up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths, workspace
from cytopress.kernels.fixed_point import MOST_VALUE
from cytopress.kernels.known_answer import scattered
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
Places = Array | None
MOST_INT16 = 2**15 - 1
# Bits of fraction of logarithms.
LOG_BITS = 8
# Places of one step of the numpy path: temporary arrays stay in the cache.
CHUNK = 512
# A place as its own neighborhood.
ITSELF = np.zeros((1, 2), np.int32)


def activity(
    index: Array,
    bias: Array,
    form: tuple[int, int, int],
    places: Places = None,
    table: tuple[int, int] | None = None,
) -> tuple[Array, Array]:
    """Return the class of activity of each place, (n,) int8; -1 for none; and rows of a table.

    The class is the number of bits of the sum of what indices exceed a threshold by, less 1, less
    another number, and below a number of classes.

    Parameters
    ----------
    index : ndarray
        (h, w, C) int32 scale indices.
    bias : ndarray
        (C,) int32, added to them.
    form : tuple of int
        Threshold, from 0, bits that are subtracted, and number of classes: both at most 20.
    places : ndarray, optional
        The places.
    table : tuple of int, optional
        Shift and number of rows, for what `table_rows` returns; none are returned unless given.
    """
    least, drop, classes = form
    shift, count = table or (0, 1)
    fits = bias.dtype == np.int32 and bias.shape == index.shape[2:] and len(bias) <= 2**10
    _refuse(index, fits and least >= 0 <= drop and 1 <= classes <= 20 - drop)
    out = workspace.empty((_count(index, places),), np.int8)
    rows = workspace.empty((len(out) if table else 0, index.shape[2]), np.uint8)

    def step(part: slice) -> None:
        seen = gathered(index, places, part) + bias
        if table:
            np.clip(_shifted(seen, shift), 0, count - 1, out=rows[part], casting="unsafe")
        over = np.maximum(seen.astype(np.int64) - least, 0)
        # An exponent is the number of bits.
        bits = np.frexp(over.sum(1).astype(np.float64))[1]
        out[part] = np.clip(bits - 1 - drop, -1, classes - 1)

    given = (index, places, bias, out, rows, form, (shift, count - 1))
    return _run("activity", given, step, out), rows.reshape(-1)


def table_rows(
    index: Array,
    bias: Array,
    shift: int,
    count: int,
    places: Places = None,
    which: Array | None = None,
    kept: Array | None = None,
) -> Array:
    """Return the row of a table of each index, (n * C,) uint8: ``index + bias >> shift``, clipped.

    Parameters
    ----------
    index : ndarray
        (h, w, C) int32 scale indices.
    bias : ndarray
        (kinds, C) int32, added to them.
    shift : int
        From 0 to 30.
    count : int
        Number of rows, from 1 to 256.
    places : ndarray, optional
        The places.
    which : ndarray, optional
        (n,) int8: the kind of each place; 0 unless given.
    kept : ndarray, optional
        (n * C,) uint8: the rows of kind 0, of which those of other kinds are changed, in place.
    """
    _refuse(index, bias.dtype == np.int32 and bias.shape[1:] == index.shape[2:])
    shape = _count(index, places), index.shape[2]
    out = workspace.empty(shape, np.uint8) if kept is None else kept.reshape(shape)

    def step(part: slice) -> None:
        own = bias[0] if which is None else bias[which[part]]
        found = _shifted(gathered(index, places, part) + own, shift)
        np.clip(found, 0, count - 1, out=out[part], casting="unsafe")

    given = (index, places, bias, which, out, (shift, count - 1, kept is not None))
    _run("table_rows", given, step, out)
    return out.reshape(-1)


def add(target: Array, values: Array, places: Places = None) -> None:
    """Add values, (n, C) int32, to ``target``, (h, w, C) int32, in place; sums wrap."""
    shape = _count(target, places), target.shape[2]
    values = np.ascontiguousarray(values).reshape(shape)
    _refuse(target, values.dtype == np.int32)

    def step(part: slice) -> None:
        scatter(target, gathered(target, places, part) + values[part], places, part)

    _run("add_values", (target, places, values), step, values)


def neighborhoods(
    known: Array, shift: int, places: Places = None, offsets: Array = ITSELF
) -> tuple[Array, Array]:
    """Return what lies around places, (n, k, C) int16: its logarithms, and it ``>> shift``.

    The logarithm is sign(v) log2(1 + abs(v)), both with ``LOG_BITS`` bits of fraction, rounded
    down, by a straight line between powers of two. Outside the array are zeros.

    Parameters
    ----------
    known : ndarray
        (h, w, C) int32.
    shift : int
        From 0 to 30; what is shifted is clipped to 32767 either way.
    places : ndarray, optional
        The places.
    offsets : ndarray, optional
        (k, 2) int32 rows and columns from a place; the place itself unless given.
    """
    _refuse(known, offsets.dtype == np.int32 and offsets.shape[1:] == (2,))
    (height, width, channels), count = known.shape, _count(known, places)
    logs, narrow = (workspace.empty((count, len(offsets), channels), np.int16) for _ in range(2))

    def step(part: slice) -> None:
        flat = np.arange(part.start, part.stop) if places is None else places[part]
        at = np.stack(np.divmod(flat, width), axis=1)[:, None] + offsets
        inside = ((at >= 0) & (at < (height, width))).all(2)
        seen = known[np.where(inside, at[..., 0], 0), np.where(inside, at[..., 1], 0)]
        seen[~inside] = 0
        # A float64 is stored as its exponent and then its mantissa.
        raised = np.abs(seen.astype(np.float64)) + 2.0**LOG_BITS
        size = (raised.view(np.int64) >> 52 - LOG_BITS) - (1023 + LOG_BITS << LOG_BITS)
        logs[part] = np.where(seen < 0, -size, size)
        found = _shifted(seen, shift)
        np.clip(found, -MOST_INT16, MOST_INT16, out=narrow[part], casting="unsafe")

    _run("neighborhoods", (known, places, offsets, logs, narrow, shift), step, logs)
    return logs, narrow


def dequantized(
    latents: Array, multiplier: Array, shift: int, narrow_shift: int
) -> tuple[Array, Array]:
    """Return ``latents * multiplier >> shift``, and that ``>> narrow_shift``, (h, w, C) each.

    The first is int32, clipped to 28 bits and a sign, the second int16, clipped to 32767.

    Parameters
    ----------
    latents : ndarray
        (h, w, C) int32.
    multiplier : ndarray
        (C,) int64 from 0 to 2 ** 31 - 1.
    shift, narrow_shift : int
        From 0 to 62, and from 0 to 30.
    """
    fits = multiplier.dtype == np.int64 and multiplier.shape == latents.shape[2:]
    _refuse(latents, fits and 0 <= multiplier.min() <= multiplier.max() < 2**31)
    out, narrow = (workspace.empty(latents.shape, kind) for kind in (np.int32, np.int16))
    wide, beside = (each.reshape(-1, latents.shape[2]) for each in (out, narrow))

    def step(part: slice) -> None:
        sums: Array = gathered(latents, None, part) * multiplier
        sums += 1 << shift >> 1
        sums >>= shift
        np.clip(sums, -MOST_VALUE, MOST_VALUE, out=sums)
        wide[part] = sums
        found = _shifted(sums, narrow_shift)
        np.clip(found, -MOST_INT16, MOST_INT16, out=beside[part], casting="unsafe")

    _run("dequantized", (latents, multiplier, out, narrow, (shift, narrow_shift)), step, wide)
    return out, narrow


def gathered(a: Array, places: Places, part: slice = slice(None)) -> Array:
    """Return the values of places, (n, C), of (h, w, C); of some of them by number."""
    flat = _flat(a)
    return flat[part] if places is None else flat[places[part]]


def scatter(a: Array, values: Array, places: Places, part: slice = slice(None)) -> None:
    """Write values, (n, C), to places of (h, w, C)."""
    _flat(a)[part if places is None else places[part]] = values


def _flat(a: Array) -> Array:
    """Return a view, (h * w, C), of channels of a contiguous array."""
    height, width, channels = a.shape
    if a.flags.c_contiguous:
        return a.reshape(-1, channels)
    step = a.strides[1] if width > 1 else a.strides[0]
    return np.lib.stride_tricks.as_strided(a, (height * width, channels), (step, a.strides[2]))


def _count(a: Array, places: Places) -> int:
    return a.shape[0] * a.shape[1] if places is None else len(places)


def _shifted(values: Array, shift: int) -> Array:
    found: Array = values.astype(np.int64)
    found += 1 << shift >> 1
    found >>= shift
    return found


def _refuse(a: Array, fits: Any) -> None:
    """Raise ValueError unless an array is one of channels, and what else is given fits."""
    whole = a.ndim == 3 and (a.flags.c_contiguous or a.strides[0] == a.shape[1] * a.strides[1])
    if not (whole and fits and a.dtype == np.int32):
        raise ValueError("A kernel was given channels of another type or shape.")


def _run(name: str, given: tuple[Any, ...], step: Callable[[slice], None], out: Array) -> Array:
    """Compute ``out``, (n, ...), by native code or a step of numpy at a time."""
    if not out.size:
        return out
    path = paths.current(_known_answer)
    if path == paths.NUMPY:

        def span(first: int, end: int) -> None:
            for start in range(first, end, CHUNK):
                step(slice(start, min(start + CHUNK, end)))
    else:
        call, number = getattr(extension.loaded(), name), paths.NUMBERS[path]

        def span(first: int, end: int) -> None:
            call(number, *given, (first, end))

    in_spans(span, len(out))
    return out


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few places."""
    numbers = scattered(5 * 4 * 9).astype(np.int32)
    a = numbers.reshape(5, 4, 9)[..., 2:]
    a >>= np.arange(20, dtype=np.int32).reshape(5, 4, 1)
    bias = np.resize(numbers >> 18, (3, 7))
    where = np.array([3, 17, 0, 9, 14, 19], np.int32)
    which = np.array([0, 2, 1, 1, 2, 0], np.int8)
    around = np.array([(-1, 0), (1, 1), (0, -1)], np.int32)
    factors = np.array([2**31 - 1, 1, 77, 0, 2**20, 2**30 + 1, 3])
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            target = a.copy()
            add(target, gathered(a, where), where)
            parts = (
                target,
                *activity(a, bias[0], (2304, 9, 9), where, (8, 56)),
                table_rows(a, bias, 8, 56, where, which),
                *neighborhoods(a, 4, where, around),
                *dequantized(a, factors, 21, 3),
            )
            found.append(parts)
    return all(np.array_equal(*pair) for pair in zip(*found, strict=True))
