"""Synthesis in integers: a network among the latents, then a separable lapped transform."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.along_z import AlongZ
from cytopress.codecs.learned.exact.gains import Dequantization
from cytopress.codecs.learned.exact.numbers import ACTIVATION_BITS, LATENT_BITS
from cytopress.errors import PackageError
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.elementwise import narrowed
from cytopress.kernels.fixed_point import MOST_VALUE
from cytopress.kernels.lapped_transform import LappedSynthesis

Array = npt.NDArray[Any]
# Rows of latents that are computed at once; changes no pixel.
ROWS = 32
Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Synthesis:
    """g_s: decoded latents to planes of ``LATENT_BITS`` bits of fraction.

    Parameters
    ----------
    network : tuple of Convolution
        The layers, from the latents of a stack of slabs; the last one adds to the middle slab's.
    transform : LappedSynthesis
        From latents to pixels, plane by plane.
    along_z : AlongZ, optional
        From the latents of a stack of slabs to those of each plane; None for planes.

    Raises
    ------
    PackageError
        The layers do not follow each other.
    """

    network: tuple[Convolution, ...]
    transform: LappedSynthesis
    along_z: AlongZ | None = None

    def __post_init__(self) -> None:
        outputs = self.along_z.channels if self.along_z else self.transform.size**2
        channels = outputs * self.stack
        for layer in self.network:
            if layer.weight.shape[1] != channels or layer.weight.shape[2] % 2 == 0:
                raise PackageError("The layers of the synthesis do not follow each other.")
            channels = len(layer.weight)
        if not self.network or channels != outputs:
            raise PackageError(f"The synthesis ends in {channels} channels, not in {outputs}.")

    @property
    def stack(self) -> int:
        """Number of slabs that it sees."""
        return self.along_z.stack if self.along_z else 1

    @property
    def planes(self) -> int:
        """Number of planes that it gives."""
        return self.along_z.planes if self.along_z else 1

    @property
    def halo(self) -> int:
        """Latents beyond its own that a block of pixels depends on, along each axis."""
        return 1 + sum(layer.weight.shape[2] // 2 for layer in self.network)

    def bands(
        self,
        stack: Sequence[Array],
        dequantize: Dequantization,
        *,
        rows: int = ROWS,
        threads: int = 1,
    ) -> Iterator[tuple[slice, Array]]:
        """Yield bands of the planes from the top, with their rows: (planes, rows, w * S) int32.

        Parameters
        ----------
        stack : sequence of ndarray
            (h, w, M) int32 in steps, with a fraction, of each slab that is seen.
        dequantize : Dequantization
            Their multipliers.
        rows : int, optional
            Rows of latents that are computed at once; changes no number.
        threads : int, optional
            Threads that share a band; changes no number.
        """
        height, width, _ = stack[0].shape
        size = self.transform.size
        known: dict[bytes, Array] = {}
        for top in range(0, height, rows):
            end = min(top + rows, height)
            band = np.empty((self.planes, (end - top) * size, width * size), np.int32)
            for left, right, empty in self._spans(stack, (top, end)):
                place = band[..., left * size : right * size]
                if empty:
                    block = self._block([each[top, left] for each in stack], dequantize, known)
                    blocks = place.reshape(self.planes, end - top, size, right - left, size)
                    blocks[:] = block[:, None, :, None]
                else:
                    place[:] = self._part(stack, dequantize, ((top, end), (left, right)), threads)
            yield slice(top * size, end * size), band

    def _part(
        self,
        stack: Sequence[Array],
        dequantize: Dequantization,
        box: tuple[Span, Span],
        threads: int,
    ) -> Array:
        """Return the pixels of a box of latents."""
        size, halo = self.transform.size, self.halo
        lengths = stack[0].shape[:2]
        (top, bottom), (left, right) = (
            (max(0, first - halo), min(length, end + halo))
            for (first, end), length in zip(box, lengths, strict=True)
        )
        slabs = [dequantize(each[top:bottom, left:right]) for each in stack]
        narrow = [narrowed(x, LATENT_BITS - ACTIVATION_BITS) for x in slabs]
        a = narrow[0] if len(narrow) == 1 else np.concatenate(narrow, axis=2)
        for layer in self.network:
            a = layer(a, threads=threads)
        middle = slabs[len(slabs) // 2]
        middle += a
        np.clip(middle, -MOST_VALUE, MOST_VALUE, out=middle)
        # The transform reaches a latent beyond the box.
        (first, last), (west, east) = box
        above, before = max(first - 1, top), max(west - 1, left)
        inner = slice(above - top, last + 1 - top), slice(before - left, east + 1 - left)
        seen = [np.ascontiguousarray(x[inner]) for x in slabs]
        planes = seen if self.along_z is None else self.along_z(seen)
        down, across = (first - above) * size, (west - before) * size
        rows, columns = (last - first) * size, (east - west) * size
        found = (self.transform(each, threads=threads) for each in planes)
        return np.stack([each[down:, across:][:rows, :columns] for each in found])

    def _spans(self, stack: Sequence[Array], rows: Span) -> Iterator[tuple[int, int, bool]]:
        """Yield spans of columns that cover a band, and whether each is empty.

        All latents of a slab that an empty span's pixels depend on are equal, as they are where
        all symbols are 0.
        """
        halo, (height, width) = self.halo, stack[0].shape[:2]
        top, end = rows[0] - halo, rows[1] + halo
        changes = np.ones(width + 1, bool)
        if top >= 0 and end <= height:
            # Whether a column is as the one before it: the first latents tell most apart.
            changes[1:width] = False
            for each in stack:
                lowest = each[top:end, :, 0]
                changes[1:width] |= (lowest[:, 1:] != lowest[:1, :-1]).any(0)
            for column in np.flatnonzero(~changes):
                changes[column] = any(
                    (each[top:end, column] != each[top, column - 1]).any() for each in stack
                )
        borders = np.flatnonzero(changes).tolist()
        done = 0
        for start, stop in pairwise(borders):
            # Its first column may change from row to row.
            left, right = start + 1 + halo, stop - halo
            if right - left > halo:
                if left > done:
                    yield done, left, False
                yield left, right, True
                done = right
        if done < width:
            yield done, width, False

    def _block(
        self, latents: Sequence[Array], dequantize: Dequantization, known: dict[bytes, Array]
    ) -> Array:
        """Return the block of pixels, (planes, S, S), in the middle of equal latents."""
        key = b"".join(each.tobytes() for each in latents)
        if key not in known:
            side, halo = 2 * self.halo + 1, self.halo
            wide = [np.broadcast_to(each, (side, side, len(each))) for each in latents]
            middle = halo, halo + 1
            known[key] = self._part(wide, dequantize, (middle, middle), 1)
        return known[key]
