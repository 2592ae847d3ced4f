"""Latents of a plane to its pixels in one pass over rows: scaling, layers, transform, rounding.

What `places.dequantized`, `Convolution`, `LappedSynthesis` and `pixel_rows.counts` give one after
the other, of a few rows at a time, so that what is between stays in the cache.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.known_answer import scattered
from cytopress.kernels.lapped_transform import LappedSynthesis
from cytopress.kernels.pixel_rows import NO_LINES, Counts, Lines
from cytopress.kernels.places import dequantized
from cytopress.kernels.threads import in_spans, using

Array = npt.NDArray[Any]
# Rows of latents that the numpy path computes at once.
ROWS = 64


@dataclass(frozen=True)
class Scaling:
    """What latents are multiplied by, and the bits rounded off then: see `places.dequantized`."""

    multiplier: Array
    shift: int
    narrow_shift: int


@dataclass(frozen=True, eq=False)
class PlaneSynthesis:
    """Layers among the latents, of which the last one adds to them, then the transform.

    Parameters
    ----------
    layers : tuple of Convolution
        At most 16, with odd kernels at stride 1. All but the last give int16.
    transform : LappedSynthesis
        Of as many latents as the first layer takes and the last one gives.
    """

    layers: tuple[Convolution, ...]
    transform: LappedSynthesis

    @functools.cached_property
    def halo(self) -> int:
        """Latents beyond its own that a block of pixels depends on, along each axis."""
        return 1 + sum(layer.margin for layer in self.layers)

    def __call__(
        self,
        latents: Array,
        scaling: Scaling,
        out: Array,
        rounding: Counts | None = None,
        lines: Lines | None = None,
    ) -> None:
        """Write the pixels of latents to ``out``.

        Parameters
        ----------
        latents : ndarray
            (h, w, S * S) int32.
        scaling : Scaling
            Their multipliers.
        out : ndarray
            (rows, columns), contiguous; at most (h * S, w * S). int32 of numbers with a fraction;
            of counts uint8 where ``rounding.most`` fits, else uint16.
        rounding : Counts, optional
            How numbers become counts.
        lines : Lines, optional
            The background of all rows, added to the numbers of counts.

        Raises
        ------
        ValueError
            An array has another type or shape.
        """
        size, (height, width, channels) = self.transform.size, latents.shape
        kind: Any = np.int32
        if rounding is not None:
            kind = np.uint8 if rounding.most < 2**8 else np.uint16
        fits = latents.dtype == np.int32 and channels == size**2 and out.dtype == kind
        fits = fits and out.ndim == 2 and out.flags.c_contiguous
        fits = fits and len(out) <= height * size and out.shape[1] <= width * size
        if lines is not None:
            same = lines.lines.shape[1:] == out.shape[1:] and len(lines.above) == len(out)
            fits = fits and same and rounding is not None
        if not fits:
            raise ValueError(
                f"Latents of {latents.shape} {latents.dtype} cannot be pixels of {out.shape}"
                f" {out.dtype}."
            )
        if not out.size:
            return
        path = paths.current(_known_answer)
        # Rows that reach no pixel are left out.
        count = -(-len(out) // size)
        if path == paths.NUMPY:
            one = functools.partial(self._numpy, latents, scaling, out, rounding, lines)
            in_spans(one, count)
            return
        held = lines or NO_LINES
        transform = self.transform
        given = (
            *(paths.NUMBERS[path], np.ascontiguousarray(latents), scaling.multiplier),
            *(self._packed, transform.columns, transform.rows, transform.order32),
            *(held.lines, held.above, held.below, out, (height, width)),
            (scaling.shift, scaling.narrow_shift),
            (size, transform.shift_y, transform.shift_x),
            out.shape,
            (len(held.lines), held.scale, held.shift),
            _numbers(rounding),
        )
        call = extension.loaded().plane

        def rows(first: int, end: int) -> None:
            call(*given, (first, end))

        in_spans(rows, count)

    @functools.cached_property
    def _packed(self) -> tuple[tuple[Any, ...], ...]:
        """Each layer as native code takes it."""
        return tuple(layer.described for layer in self.layers)

    def _numpy(
        self,
        latents: Array,
        scaling: Scaling,
        out: Array,
        rounding: Counts | None,
        lines: Lines | None,
        first: int,
        end: int,
    ) -> None:
        """Write the pixels of rows of latents, some at a time."""
        size, width = self.transform.size, out.shape[1]
        for start in range(first, end, ROWS):
            stop = min(start + ROWS, end)
            rows = slice(start * size, min(stop * size, len(out)))
            with using(1):
                values = self._band(latents, scaling, start, stop)[: rows.stop - rows.start, :width]
            if lines is not None:
                values = values + lines[rows]
            out[rows] = values if rounding is None else rounding(values)

    def _band(self, latents: Array, scaling: Scaling, first: int, end: int) -> Array:
        size, top = self.transform.size, max(0, first - self.halo)
        of = scaling.multiplier, scaling.shift, scaling.narrow_shift
        wide, a = dequantized(latents[top : end + self.halo], *of)
        *hidden, last = self.layers
        for layer in hidden:
            a = layer(a)
        # The transform reaches a latent beyond the band.
        above = max(first - 1, top)
        found = self.transform(last(a, wide)[above - top : end + 1 - top])
        return found[(first - above) * size : (end - above) * size]


def _numbers(rounding: Counts | None) -> tuple[int, int, int, int]:
    """Return the numbers of a rounding as native code takes them; a limit of -1 rounds nothing."""
    if rounding is None:
        return 0, 0, 0, -1
    return rounding.shift, rounding.span, rounding.middle, rounding.most


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few latents."""
    grid = np.arange(12 * 64 * 9, dtype=np.int64)
    numbers = scattered(grid.size)
    first = (numbers[: 12 * 64] >> 24).astype(np.int16).reshape(12, 64, 1, 1)
    second = (numbers[: 64 * 12 * 9] >> 23).astype(np.int16).reshape(64, 12, 3, 3)
    layers = (
        Convolution(first, np.arange(12, dtype=np.int32), 9, 0, 2**15 - 1),
        Convolution(second, np.arange(64, dtype=np.int32), 7, -(2**28) + 1, 2**28 - 1),
    )
    along_y, along_x = ((numbers[n : n + 128] >> 20).reshape(8, 16) for n in (0, 128))
    transform = LappedSynthesis(
        along_y.astype(np.int16), along_x.astype(np.int16), 13, 13, np.arange(64)[::-1]
    )
    latents = (numbers[: 3 * 5 * 64] >> 12).astype(np.int32).reshape(3, 5, 64)
    scaling = Scaling(grid[:64] << 20, 21, 5)
    above = np.repeat(np.arange(2, dtype=np.int32), 11)[:21]
    lines = Lines(numbers[:78].reshape(2, 39) << 6, above, above * 3 - 1, 8, 14)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            for rounding, kind in ((Counts(60000, 77, 20, 999), np.uint16), (None, np.int32)):
                out = np.empty((21, 39), kind)
                of = PlaneSynthesis(layers, transform)
                of(latents, scaling, out, rounding, lines if rounding else None)
                found.append(out)
    return np.array_equal(found[0], found[2]) and np.array_equal(found[1], found[3])
