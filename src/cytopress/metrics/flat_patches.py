"""Flat patches for noise estimation: local statistics that separate noise from structure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.image import Image, integer_limits

Floats = npt.NDArray[np.float64]

SIDE = 8
COARSE = 2  # pixels between the taps of the mask for coarse noise
MOST_PLANES = 64
COMMON = 20  # pixels of a level, above which empty neighbors are not chance
LEAST_LEVELS = 8
BINS = 32
LEAST_PATCHES = 16  # in a bin, of the flattest
DARKEST = 64
FLATTEST, QUANTILE = 0.5, 0.25
# Neighboring residuals share pixels: the squared autocorrelation of [1, -2, 1] sums to 70 / 36.
DEGREES_OF_FREEDOM = SIDE**2 / (70 / 36) ** 2


@dataclass(frozen=True, eq=False)
class Patches:
    """Patches of ``SIDE`` x ``SIDE`` pixels; every array has the shape (patches,).

    Parameters
    ----------
    mean : ndarray
        Level, in counts.
    variance, coarse_variance : ndarray
        Variance of the residual between neighboring pixels, and between pixels ``COARSE`` apart; in
        counts squared, scaled to the variance of white noise.
    unevenness : ndarray
        Range of the means of the patch's quarters, in counts: independent of ``variance``
        where there is only noise.
    field : ndarray of int
        Number of the patch's image.
    step : float
        Counts between the grey levels that occur, the largest of all images; 1 for the camera's
        own counts, 0 for floats.
    """

    mean: Floats
    variance: Floats
    coarse_variance: Floats
    unevenness: Floats
    field: npt.NDArray[np.int64]
    step: float


@dataclass(frozen=True, eq=False)
class Bins:
    """Flat patches pooled by level; every array has the shape (bins,).

    Parameters
    ----------
    mean : ndarray
        Level, in counts.
    variance : ndarray
        In counts squared.
    weight : ndarray
        Square root of the number of patches: the inverse of the variance's relative error.
    """

    mean: Floats
    variance: Floats
    weight: Floats


def rounding_variance(image: Image) -> float:
    """Variance of rounding to the image's dtype, in counts squared: the smallest possible noise."""
    if image.dtype.kind in "ui":
        return 1 / 12
    step = float(np.spacing(max(abs(image.pixels.min()), abs(image.pixels.max()))))
    return float(max(step**2 / 12, 1e-60))


def sample_patches(images: Sequence[Image]) -> Patches:
    """Cut planes into patches: of many planes, evenly spaced ones.

    Patches with saturated pixels, or with zeros of integers, have lost their noise and are left
    out, unless there are no others.
    """
    planes = list(_planes(images))
    step = -(-len(planes) // MOST_PLANES)
    parts = [_cut(plane, ends, number) for number, ends, plane in planes[::step]]
    table = np.concatenate(parts) if parts else np.zeros((0, 6))
    inside = table[table[:, 5] == 0]
    table = inside if inside.size else table
    return Patches(
        mean=table[:, 0],
        variance=table[:, 1],
        coarse_variance=table[:, 2],
        unevenness=table[:, 3],
        field=table[:, 4].astype(np.int64),
        step=max(_step(image) for image in images),
    )


def _planes(images: Sequence[Image]) -> Iterator[tuple[int, tuple[float, float], Any]]:
    for number, image in enumerate(images):
        floats = image.dtype.kind == "f"
        ends = (-np.inf, np.inf) if floats else integer_limits(image.dtype, image.bits)
        stack = image.pixels if image.axes == "ZYX" else image.pixels[np.newaxis]
        for plane in stack:
            yield number, ends, plane


def _cut(plane: npt.NDArray[Any], ends: tuple[float, float], number: int) -> Floats:
    """Return a row for each patch: mean, two variances, unevenness, field, whether clipped."""
    margin = COARSE
    rows, columns = ((length - 2 * margin) // SIDE for length in plane.shape)
    if rows < 1 or columns < 1:
        return np.zeros((0, 6))
    values = plane.astype(np.float64)
    inner = values[margin : margin + rows * SIDE, margin : margin + columns * SIDE]
    mean = _blocks(inner, SIDE)
    quarters = _blocks(inner, SIDE // 2).reshape(rows, 2, columns, 2)
    fine = _blocks(_residual(values, 1, rows, columns) ** 2, SIDE)
    coarse = _blocks(_residual(values, COARSE, rows, columns) ** 2, SIDE)
    unevenness = np.ptp(quarters, axis=(1, 3))
    end = _blocks(((inner <= ends[0]) | (inner >= ends[1])).astype(np.float64), SIDE) > 0
    field = np.full(mean.size, float(number))
    columns_of_table = (mean, fine, coarse, unevenness, field, end)
    return np.stack([np.ravel(column).astype(np.float64) for column in columns_of_table], axis=1)


def _blocks(values: Floats, side: int) -> Floats:
    rows, columns = values.shape[0] // side, values.shape[1] // side
    return np.asarray(values.reshape(rows, side, columns, side).mean(axis=(1, 3)))


def _residual(values: Floats, step: int, rows: int, columns: int) -> Floats:
    """Apply Immerkaer's mask: second differences along both axes, unit gain for white noise."""
    margin = COARSE

    def window(shift_y: int, shift_x: int) -> Floats:
        top, left = margin + shift_y * step, margin + shift_x * step
        return values[top : top + rows * SIDE, left : left + columns * SIDE]

    across = [window(y, -1) - 2 * window(y, 0) + window(y, 1) for y in (-1, 0, 1)]
    return np.asarray((across[0] - 2 * across[1] + across[2]) / 6)


def _step(image: Image) -> float:
    """Return the median distance, in counts, between neighboring grey levels that occur."""
    if image.dtype.kind == "f":
        return 0.0
    if image.dtype.name not in ("uint8", "uint16"):
        # Too many levels to count; they are the camera's own, or a computation's.
        return 1.0
    counts = np.bincount(image.pixels.ravel())
    common = np.flatnonzero(counts >= COMMON)
    if common.size < LEAST_LEVELS:
        return 1.0
    return 1.0 + float(np.median(np.diff(np.cumsum(counts == 0)[common])))


def flat_variance(variances: Floats) -> float:
    """Estimate the noise variance from the flattest patches; structure can only add variance.

    The estimate is a low quantile of the variances, divided by its expectation for noise alone: the
    quantile of chi squared, by the approximation of Wilson and Hilferty.
    """
    spread = 2.0 / (9.0 * DEGREES_OF_FREEDOM)
    expected = (1 - spread + NormalDist().inv_cdf(QUANTILE) * spread**0.5) ** 3
    return float(np.quantile(variances, QUANTILE) / expected)


def bin_levels(patches: Patches) -> Bins:
    """Pool patches of similar level, where there are enough of them.

    Only the half that is flattest at a coarser scale is used.
    """
    low, high = np.quantile(patches.mean, [0.001, 0.999])
    index = np.clip((patches.mean - low) / max(high - low, 1e-300) * BINS, 0, BINS - 1).astype(int)
    # Dark levels, where sigma is smallest, are often rare: the darkest patches get their own bin.
    darkest = np.argsort(patches.mean, kind="stable")[: min(DARKEST, patches.mean.size // 10)]
    rows = []
    for members in (darkest, *(np.flatnonzero(index == number) for number in range(BINS))):
        keep = int(members.size * FLATTEST)
        if keep < LEAST_PATCHES:
            continue
        flat = members[np.argsort(patches.unevenness[members], kind="stable")[:keep]]
        rows.append((patches.mean[flat].mean(), flat_variance(patches.variance[flat]), keep**0.5))
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Bins(table[:, 0], table[:, 1], table[:, 2])
