"""Smooth background, subtracted before coding and added back after decoding.

Illumination falls off over hundreds of pixels, and transforms of small blocks pay for that in every
block. So the medians of large blocks, a few dozen numbers an image, are coded beside the latents,
and the background interpolated between them is subtracted before the analysis and added after the
synthesis. It is cheap, and the latents code what it misses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.container.wire import take_varints, varints
from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.range_coder import RangeDecoder, RangeEncoder
from cytopress.codecs.learned.pixels.interpolation import between, lines, solved
from cytopress.codecs.learned.pixels.normalization import Plane, PlaneLike
from cytopress.errors import CorruptDataError, PackageError

Grid = npt.NDArray[np.int32]
# The median of a block is that of every second row and column.
EVERY = 2
# Numbers on the grid are clipped to this; planes are clipped to 2 ** 15 used ranges.
MOST = 2**24
WORD = 4
# Rows of a plane that are computed at once.
BAND = 64


@dataclass(frozen=True)
class Mesh:
    """The grid of the background: one number in the middle of each block.

    Parameters
    ----------
    block : int
        Pixels along each axis.
    step : float
        Quantization step of the numbers at the coarsest rate, in used ranges.
    halvings : int, optional
        How many times the step is halved up to the finest rate.
    """

    block: int
    step: float
    halvings: int = 0

    def at(self, quality: float) -> Mesh:
        """Return the mesh at a quality from 0 to 1: its step follows that of the latents."""
        return replace(self, step=self.step / 2 ** int(self.halvings * quality), halvings=0)

    def form(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return the grid's shape for a plane of ``shape``."""
        height, width = (-(-length // self.block) for length in shape)
        return height, width

    def fit(self, plane: npt.NDArray[Any], *, every: int = EVERY) -> Grid:
        """Return the medians of blocks, in steps, of a plane (H, W).

        Of a block those of one row and column in ``every`` count.
        """
        height, width = self.form(plane.shape)
        medians = np.empty((height, width))
        whole = plane.shape[1] // self.block
        for row in range(height):
            band = plane[row * self.block : (row + 1) * self.block : every, ::every]
            # Whole blocks at once; what is left of the width is one more.
            if whole:
                parts = band[:, : whole * self.block // every].reshape(len(band), whole, -1)
                parts = parts.swapaxes(0, 1).reshape(whole, -1)
                medians[row, :whole] = np.median(parts, axis=1)
            if whole < width:
                medians[row, whole] = np.median(band[:, whole * self.block // every :])
        return self._in_steps(medians)

    def refit(self, seen: PlaneLike, decoded: npt.NDArray[Any], *, most: int = 1) -> Grid:
        """Return the grid whose background, added to ``decoded``, comes nearest to ``seen``.

        Nearest by least squares, up to the rounding to steps. It restores the lowest frequencies
        that the latents lost where the encoder set small ones to zero. Differences are clipped to
        the used range, ``most``, so that a hot pixel that the latents missed has little weight.
        """
        (rows, _), (columns, _) = axes = [
            lines(self.block, length, count)
            for length, count in zip(decoded.shape, self.form(decoded.shape), strict=True)
        ]
        sums = np.zeros((self.form(decoded.shape)[0], decoded.shape[1]))
        for top in range(0, len(decoded), BAND):
            band = slice(top, top + BAND)
            missed = np.clip(seen[band, :] - decoded[band], -most, most)
            sums += rows[band].T @ missed.astype(np.float32, copy=False)
        # Least squares along one axis, then along the other: interpolation is separable.
        return self._in_steps(solved(*axes[1], solved(*axes[0], sums @ columns).T, turned=True))

    def _in_steps(self, values: npt.NDArray[Any]) -> Grid:
        grid: Grid = np.clip(np.rint(values / self.step), -MOST, MOST).astype(np.int32)
        return grid

    def surface(self, grid: Grid, rows: range, columns: range) -> Plane:
        """Return the background of some pixels, float32, by linear interpolation of the grid."""
        down, after = between(self.block, rows, grid.shape[0])
        across, beyond = between(self.block, columns, grid.shape[1])
        values = grid.astype(np.float32) * np.float32(self.step)
        if grid.shape[1] > 1:
            values = values[:, across] + (values[:, across + 1] - values[:, across]) * beyond
        if grid.shape[0] > 1:
            values = values[down] + (values[down + 1] - values[down]) * after[:, None]
        return np.broadcast_to(values, (len(rows), len(columns)))

    def subtract(self, plane: Plane, grid: Grid) -> None:
        """Subtract the background from a plane, in place."""
        for part, values in self._bands(plane, grid):
            np.subtract(part, values, out=part)

    def add(self, plane: Plane, grid: Grid) -> None:
        """Add the background to a plane, in place."""
        for part, values in self._bands(plane, grid):
            np.add(part, values, out=part)

    def _bands(self, plane: Plane, grid: Grid) -> Iterator[tuple[Plane, Plane]]:
        """Yield views of some rows of a plane, and their background."""
        for top in range(0, plane.shape[0], BAND):
            rows = range(top, min(top + BAND, plane.shape[0]))
            yield plane[top : rows.stop], self.surface(grid, rows, range(plane.shape[1]))


@dataclass(frozen=True, eq=False)
class Background:
    """A mesh, and the probability tables of its numbers.

    Parameters
    ----------
    mesh : Mesh
        The mesh.
    tables : ProbabilityTables
        Tables of the prediction residuals of numbers, narrow to wide; the last row is of the choice
        among the others and the predictors that an image makes.
    """

    mesh: Mesh
    tables: ProbabilityTables

    def __post_init__(self) -> None:
        if (
            len(self.tables) < 2
            or self.tables.offset[-1] != 0
            or self.tables.size[-1] != self._spreads * len(PREDICTORS) + 1
        ):
            raise PackageError(
                "The last table of a 'surface' counts the pairs of another table and a predictor."
            )

    def at(self, quality: float) -> Background:
        """Return the same with the mesh at a quality."""
        return replace(self, mesh=self.mesh.at(quality))

    @property
    def _spreads(self) -> int:
        """Number of tables of prediction residuals."""
        return len(self.tables) - 1

    def pack(self, grid: Grid) -> bytes:
        """Return a grid's bytes: the number of words, then the words of a range coder."""
        residuals = [_residuals(grid, index).reshape(-1) for index in range(len(PREDICTORS))]
        bits = [_bits(each, self.tables)[: self._spreads] for each in residuals]
        choice = int(np.argmin(np.concatenate(bits)))
        predictor, row = divmod(choice, self._spreads)
        coder, values = RangeEncoder(), residuals[predictor]
        coder.encode(np.array([choice], np.int32), np.array([self._spreads], np.uint8), self.tables)
        coder.encode(values, np.full(values.size, row, np.uint8), self.tables)
        stream = coder.bytes()
        return varints(len(stream) // WORD) + stream

    def unpack(self, data: bytes, shape: tuple[int, ...]) -> tuple[Grid, bytes]:
        """Return the grid of a plane of ``shape``, and the bytes that follow it.

        Raises
        ------
        CorruptDataError
            The bytes hold no such grid.
        """
        (words,), start = take_varints(data, 1)
        end = start + WORD * words
        if end > len(data):
            raise CorruptDataError("The stream ends within its background.")
        coder = RangeDecoder(data[start:end])
        choice = int(coder.decode(np.array([self._spreads], np.uint8), self.tables)[0])
        if not 0 <= choice < self._spreads * len(PREDICTORS):
            raise CorruptDataError("The background names a table or predictor that does not exist.")
        predictor, row = divmod(choice, self._spreads)
        height, width = self.mesh.form(shape)
        missed = coder.decode(np.full(height * width, row, np.uint8), self.tables)
        coder.finish()
        return _summed(missed.reshape(height, width), predictor), data[end:]


def _bits(missed: Grid, tables: ProbabilityTables) -> npt.NDArray[Any]:
    """Return the bits of residuals, (n,), by each table, (rows,)."""
    symbols, last = missed - tables.offset[:, None], tables.size[:, None] - 1
    outside = (symbols < 0) | (symbols >= last)
    bits = np.take_along_axis(tables.bits, np.where(outside, last, symbols), 1)
    # An escaped value is written bit by bit, twice.
    escaped = np.where(outside, 2 * np.log2(1.0 + np.abs(missed)), 0.0)
    found: npt.NDArray[Any] = bits.sum(1) + escaped.sum(1)
    return found


def _plane(above: Any, left: Any, corner: Any) -> Any:
    return above + left - corner


def _mean(above: Any, left: Any, _: Any) -> Any:
    return (above + left) // 2


# Predictions of a number from those above, left and above left: shading is a plane, cells are not.
PREDICTORS: tuple[Callable[[Any, Any, Any], Any], ...] = (_plane, _mean)


def _residuals(grid: Grid, predictor: int) -> Grid:
    """Return the prediction residuals of a grid."""
    predicted = np.zeros_like(grid)
    predicted[0, 1:], predicted[1:, 0] = grid[0, :-1], grid[:-1, 0]
    predicted[1:, 1:] = PREDICTORS[predictor](grid[:-1, 1:], grid[1:, :-1], grid[:-1, :-1])
    return grid - predicted


def _summed(missed: Grid, predictor: int) -> Grid:
    """Return the grid of prediction residuals."""
    predict = PREDICTORS[predictor]
    if predict is _plane:
        sums = missed.astype(np.int64).cumsum(0).cumsum(1)
        return np.clip(sums, -MOST, MOST).astype(np.int32)
    before: list[int] = []
    values = []
    for row in missed.tolist():
        current = [row[0] + (before[0] if before else 0)]
        for column, miss in enumerate(row[1:], 1):
            left = current[-1]
            expected = predict(before[column], left, before[column - 1]) if before else left
            current.append(expected + miss)
        values.append(current)
        before = current
    # A crafted stream can sum to anything.
    return np.clip(np.array(values, np.int64), -MOST, MOST).astype(np.int32)
