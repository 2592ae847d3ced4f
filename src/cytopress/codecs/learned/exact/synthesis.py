"""Synthesis in integers: a network among the latents, then a separable lapped transform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

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
        The layers; the last one adds to the latents.
    transform : LappedSynthesis
        From latents to pixels.

    Raises
    ------
    PackageError
        The layers do not follow each other.
    """

    network: tuple[Convolution, ...]
    transform: LappedSynthesis

    def __post_init__(self) -> None:
        channels = outputs = self.transform.size**2
        for layer in self.network:
            if layer.weight.shape[1] != channels or layer.weight.shape[2] % 2 == 0:
                raise PackageError("The layers of the synthesis do not follow each other.")
            channels = len(layer.weight)
        if not self.network or channels != outputs:
            raise PackageError(f"The synthesis ends in {channels} channels, not in {outputs}.")

    @property
    def halo(self) -> int:
        """Latents beyond its own that a block of pixels depends on, along each axis."""
        return 1 + sum(layer.weight.shape[2] // 2 for layer in self.network)

    def bands(
        self, latents: Array, dequantize: Dequantization, *, rows: int = ROWS, threads: int = 1
    ) -> Iterator[tuple[slice, Array]]:
        """Yield bands of the plane from the top, each with its rows: (pixels, w * S) int32.

        Parameters
        ----------
        latents : ndarray
            (h, w, M) int32 in steps, with a fraction.
        dequantize : Dequantization
            Their multipliers.
        rows : int, optional
            Rows of latents that are computed at once; changes no number.
        threads : int, optional
            Threads that share a band; changes no number.
        """
        height, width, _ = latents.shape
        size = self.transform.size
        known: dict[bytes, Array] = {}
        for top in range(0, height, rows):
            end = min(top + rows, height)
            band = np.empty(((end - top) * size, width * size), np.int32)
            for left, right, empty in self._spans(latents, (top, end)):
                place = band[:, left * size : right * size]
                if empty:
                    block = self._block(latents[top, left], dequantize, known)
                    blocks = place.reshape(end - top, size, right - left, size)
                    blocks[:] = block[None, :, None]
                else:
                    place[:] = self._part(latents, dequantize, ((top, end), (left, right)), threads)
            yield slice(top * size, end * size), band

    def _part(
        self, latents: Array, dequantize: Dequantization, box: tuple[Span, Span], threads: int
    ) -> Array:
        """Return the pixels of a box of latents."""
        size, halo = self.transform.size, self.halo
        lengths = latents.shape[:2]
        (top, bottom), (left, right) = (
            (max(0, first - halo), min(length, end + halo))
            for (first, end), length in zip(box, lengths, strict=True)
        )
        x = dequantize(latents[top:bottom, left:right])
        a = narrowed(x, LATENT_BITS - ACTIVATION_BITS)
        for layer in self.network:
            a = layer(a, threads=threads)
        x += a
        np.clip(x, -MOST_VALUE, MOST_VALUE, out=x)
        # The transform reaches a latent beyond the box.
        (first, last), (west, east) = box
        above, before = max(first - 1, top), max(west - 1, left)
        seen = x[above - top : last + 1 - top, before - left : east + 1 - left]
        pixels = self.transform(np.ascontiguousarray(seen), threads=threads)
        down, across = (first - above) * size, (west - before) * size
        return pixels[down:, across:][: (last - first) * size, : (east - west) * size]

    def _spans(self, latents: Array, rows: Span) -> Iterator[tuple[int, int, bool]]:
        """Yield spans of columns that cover a band, and whether each is empty.

        All latents that an empty span's pixels depend on are equal, as they are where all symbols
        are 0.
        """
        halo, (height, width) = self.halo, latents.shape[:2]
        top, end = rows[0] - halo, rows[1] + halo
        changes = np.ones(width + 1, bool)
        if top >= 0 and end <= height:
            seen = latents[top:end]
            # Whether a column is as the one before it: the first latents tell most apart.
            lowest = seen[..., 0]
            changes[1:width] = (lowest[:, 1:] != lowest[:1, :-1]).any(0)
            for column in np.flatnonzero(~changes):
                changes[column] = not (seen[:, column] == seen[0, column - 1]).all()
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

    def _block(self, latent: Array, dequantize: Dequantization, known: dict[bytes, Array]) -> Array:
        """Return the block of pixels, (S, S), in the middle of equal latents."""
        key = latent.tobytes()
        if key not in known:
            halo = self.halo
            wide = np.broadcast_to(latent, (2 * halo + 1, 2 * halo + 1, len(latent)))
            middle = halo, halo + 1
            known[key] = self._part(wide, dequantize, (middle, middle), 1)
        return known[key]
