"""Pixels of format 2: normalization, smooth background and rounding, in integers."""

from __future__ import annotations

import functools
import math
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.container.container import Form
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.codecs.learned.exact.numbers import LATENT_BITS, fixed
from cytopress.codecs.learned.pixels.background import Grid, Mesh
from cytopress.codecs.learned.pixels.normalization import Plane, coded_range, mean_of
from cytopress.errors import CorruptDataError, PackageError
from cytopress.image import Image, Pixels, integer_limits
from cytopress.kernels.fractions import fractions, subtract
from cytopress.kernels.pixel_rows import Counts, Lines, counts
from cytopress.metrics.histogram import histogram, histogram_percentiles

Array = npt.NDArray[Any]
# Used ranges: no pixel is farther from the middle, so that no latent is clipped.
MOST_RANGES = 2**10
# Pixels that are normalized at once: temporary arrays stay in the cache.
CHUNK = 2**15
# An encoder's medians are those of every so many rows and columns.
EVERY = 4
# Used ranges of a background.
BACKGROUND_BITS = 12
INTEGERS, FLOATS = struct.Struct("<HH"), struct.Struct("<ffe")


@dataclass(frozen=True)
class Normalization:
    """Counts to used ranges around the middle, and back.

    Of integer images both are whole numbers of counts; of float images they are doubles.

    Parameters
    ----------
    span : int or float
        The used range, in counts; 0 of a constant image.
    middle : int or float
        Counts that are 0.
    packed : bytes
        Both, as a stream begins with them.
    """

    span: float
    middle: float
    packed: bytes

    @classmethod
    def of(cls, image: Image, percentiles: tuple[float, float]) -> Normalization:
        """Return the normalization of an image."""
        if image.dtype.kind == "f":
            low, high = coded_range(image, percentiles)
            planes = image.pixels.reshape(-1, *image.pixels.shape[-2:])
            center = mean_of(planes, low, high) if low < high else 0.0
            return cls.take(FLOATS.pack(low, high, center), image.dtype)[0]
        plane = image.pixels.ndim == 2
        counts = np.bincount(image.pixels.ravel()) if plane else histogram(image.pixels)
        held = np.flatnonzero(counts)
        middle = round(float(counts[held] @ held) / image.pixels.size)
        least, most, span = int(held[0]), int(held[-1]), 0
        if least < most:
            low, high = histogram_percentiles(counts, percentiles)
            if image.limits is not None:
                low, high = coded_range(image, percentiles)
            elif low == high:
                # An image whose bright pixels are fewer than the percentile leaves out.
                low, high = least, most
            farthest = max(most - middle, middle - least)
            # Limits that a whole field gave may be wider than any pixels.
            span = min(max(round(high - low), -(-farthest // MOST_RANGES), 1), 2**16 - 1)
        return cls(span, middle, INTEGERS.pack(span, middle))

    @classmethod
    def take(cls, stream: bytes, dtype: np.dtype[Any]) -> tuple[Normalization, bytes]:
        """Return the normalization that a stream begins with, and the rest of it.

        Raises
        ------
        CorruptDataError
            The stream is too short, or its limits are no range.
        """
        form = FLOATS if dtype.kind == "f" else INTEGERS
        if len(stream) < form.size:
            raise CorruptDataError("The stream ends within its used range.")
        packed, rest = stream[: form.size], stream[form.size :]
        numbers = form.unpack(packed)
        if form is INTEGERS:
            return cls(numbers[0], numbers[1], packed), rest
        low, high, center = numbers
        if not (np.isfinite(numbers).all() and low <= high):
            raise CorruptDataError(f"The limits {low} and {high} around {center} are no range.")
        return cls(high - low, low + center * (high - low), packed), rest

    def __call__(self, pixels: Pixels) -> Plane:
        """Return pixels in used ranges around the middle, float32, clipped."""
        kind = np.float64 if pixels.dtype.kind == "f" else np.float32
        plane: Array = pixels.astype(kind)
        plane -= kind(self.middle)
        plane *= kind(1 / self.span)
        np.clip(plane, -MOST_RANGES, MOST_RANGES, out=plane)
        return plane.astype(np.float32, copy=False)

    def fixed(self, pixels: Pixels) -> Array:
        """Return pixels as `__call__`, int32 with ``LATENT_BITS`` bits of fraction, (H, W)."""
        most = MOST_RANGES << LATENT_BITS
        if pixels.dtype.kind != "f":
            return fractions(pixels, int(self.middle), int(self.span), LATENT_BITS, most)
        out = np.empty(pixels.shape, np.int32)
        rows = max(1, CHUNK // pixels.shape[1])
        for top in range(0, len(pixels), rows):
            band = slice(top, top + rows)
            out[band] = fixed(self(pixels[band]), LATENT_BITS, most)
        return out

    def counts(self, form: Form) -> Counts:
        """Return how values become the counts of ``form``, an integer one."""
        _, most = integer_limits(form.dtype, form.bits)
        return Counts(int(self.span), int(self.middle), LATENT_BITS, most)

    def write(self, values: Array, form: Form, out: Pixels, smooth: Lines | None) -> None:
        """Write values, (rows, columns) int32, to rows of pixels of ``form``.

        Values have ``LATENT_BITS`` bits of fraction and go on beyond the pixels perhaps;
        ``smooth`` is added to them.
        """
        if form.dtype.kind != "f":
            rounding = self.counts(form)
            # Few bits may be held by a wide type.
            narrow = rounding.most < 2**8 and out.dtype != np.uint8
            own = np.empty(out.shape, np.uint8) if narrow else out
            counts(values, rounding, own, smooth)
            if narrow:
                out[:] = own
            return
        own = values[:, : out.shape[1]]
        if smooth is not None:
            own = own + smooth[:]
        # Two operations that every IEEE machine rounds alike.
        floats = own * (self.span * 2.0**-LATENT_BITS)
        floats += self.middle
        limit = float(np.finfo(np.float32).max)
        out[:] = round_to_dtype(np.clip(floats, -limit, limit, out=floats), form)

    def constant(self, form: Form) -> Pixels:
        """Return the pixels of a constant image."""
        return np.full(form.shape, round_to_dtype(np.array(self.middle), form), form.dtype)


@dataclass(frozen=True, eq=False)
class Surface:
    """The smooth background of a grid, in integers.

    Parameters
    ----------
    mesh : Mesh
        Its block and step are powers of two.
    grid : ndarray
        (rows, columns) int32.
    width : int
        Pixels of a row.
    """

    mesh: Mesh
    grid: Grid
    width: int

    def rows(self, rows: range) -> Lines:
        """Return the background of some rows, with ``LATENT_BITS`` bits of fraction."""
        block = self.mesh.block
        above, below = (a.astype(np.int32) for a in _between(rows, len(self._lines), block))
        # Extrapolated numbers are below 2 ** 30.
        return Lines(self._lines, above, below, 2 * block, shift_of(self.mesh))

    @functools.cached_property
    def _lines(self) -> Array:
        """Each row of the grid, interpolated along x: (rows, width) int64."""
        most = 1 << BACKGROUND_BITS + step_bits_of(self.mesh)
        grid = np.clip(self.grid, -most, most).astype(np.int64)
        before, after = _between(range(self.width), grid.shape[1], self.mesh.block)
        behind = np.minimum(before + 1, grid.shape[1] - 1)
        lines = grid[:, before] * (2 * self.mesh.block)
        lines += (grid[:, behind] - grid[:, before]) * after
        return np.ascontiguousarray(lines)


def step_bits_of(mesh: Mesh) -> int:
    """Return e of a mesh whose step is 2 ** -e."""
    return 1 - math.frexp(mesh.step)[1]


def shift_of(mesh: Mesh) -> int:
    """Return the bits that are rounded off an interpolated background."""
    return 2 * (2 * mesh.block).bit_length() - 2 + step_bits_of(mesh) - LATENT_BITS


def _between(places: range, count: int, block: int) -> tuple[Array, Array]:
    """Return for each pixel the grid number before it, and how far it is toward the next one.

    In units of half a pixel; beyond the outermost numbers it extrapolates.
    """
    at = 2 * np.arange(places.start, places.stop, dtype=np.int64) + 1 - block
    before = np.clip(at // (2 * block), 0, max(count - 2, 0))
    return before, at - before * (2 * block)


def check_mesh(mesh: Mesh) -> None:
    """Raise PackageError unless the background of a mesh has an integer form."""
    block, (step, _) = mesh.block, math.frexp(mesh.step)
    if block & block - 1 or step != 0.5 or shift_of(mesh) < 1 or block > 2**10:
        raise PackageError(
            f"The background has blocks of {block} pixels and a step of {mesh.step}, which in a"
            " package of format 2 are powers of two."
        )


def fixed_mesh(mesh: Mesh) -> Mesh:
    """Return a mesh for planes that are integers with ``LATENT_BITS`` bits of fraction."""
    return replace(mesh, step=mesh.step * 2.0**LATENT_BITS)


def subtract_background(mesh: Mesh, plane: Array) -> None:
    """Subtract the smooth background from a plane, int32, in place.

    It is approximate, since the numbers that a stream holds are those that are fitted to what the
    latents lost.
    """
    surface = Surface(mesh, fixed_mesh(mesh).fit(plane, every=EVERY), plane.shape[1])
    subtract(surface.rows(range(len(plane))), plane)
