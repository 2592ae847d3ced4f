"""Synthesis in integers: a network among the latents, then a separable lapped transform."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.along_z import AlongZ
from cytopress.codecs.learned.exact.gains import Dequantization
from cytopress.errors import PackageError
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.fixed_point import MOST_VALUE
from cytopress.kernels.lapped_transform import LappedSynthesis
from cytopress.kernels.plane_synthesis import PlaneSynthesis

Array = npt.NDArray[Any]
# Rows of latents that are computed at once; changes no pixel.
ROWS = 64


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
        if (self.network[-1].low, self.network[-1].high) != (-MOST_VALUE, MOST_VALUE):
            raise PackageError("The synthesis ends in a layer of another range.")

    @property
    def stack(self) -> int:
        """Number of slabs that it sees."""
        return self.along_z.stack if self.along_z else 1

    @property
    def planes(self) -> int:
        """Number of planes that it gives."""
        return self.along_z.planes if self.along_z else 1

    @property
    def place(self) -> Array:
        """The latent of each frequency, (planes * S * S,); the number of latents for none."""
        return self.transform.order if self.along_z is None else self.along_z.place.reshape(-1)

    @property
    def halo(self) -> int:
        """Latents beyond its own that a block of pixels depends on, along each axis."""
        return 1 + sum(layer.weight.shape[2] // 2 for layer in self.network)

    @functools.cached_property
    def plane(self) -> PlaneSynthesis:
        """The synthesis of planes that are coded alone, in one pass."""
        return PlaneSynthesis(self.network, self.transform)

    def bands(
        self, stack: Sequence[Array], dequantize: Dequantization, *, rows: int = ROWS
    ) -> Iterator[tuple[slice, list[Array]]]:
        """Yield bands from the top: their rows, and of each plane (rows, w * S) int32.

        Parameters
        ----------
        stack : sequence of ndarray
            (h, w, M) int32 in steps, with a fraction, of each slab that is seen.
        dequantize : Dequantization
            Their multipliers.
        rows : int, optional
            Rows of latents that are computed at once; changes no number.
        """
        height, size = len(stack[0]), self.transform.size
        for top in range(0, height, rows):
            end = min(top + rows, height)
            yield slice(top * size, end * size), self._band(stack, dequantize, top, end)

    def _band(
        self, stack: Sequence[Array], dequantize: Dequantization, first: int, end: int
    ) -> list[Array]:
        """Return the pixels of rows of latents, of each plane."""
        size, top = self.transform.size, max(0, first - self.halo)
        seen = [dequantize(each[top : end + self.halo]) for each in stack]
        slabs, narrow = ([each[kind] for each in seen] for kind in (0, 1))
        a = narrow[0] if len(narrow) == 1 else np.concatenate(narrow, axis=2)
        *hidden, last = self.network
        for layer in hidden:
            a = layer(a)
        middle = len(slabs) // 2
        slabs[middle] = last(a, slabs[middle])
        # The transform reaches a latent beyond the band.
        above = max(first - 1, top)
        slabs = [each[above - top : end + 1 - top] for each in slabs]
        planes = slabs if self.along_z is None else list(self.along_z(slabs))
        own = slice((first - above) * size, (end - above) * size)
        return [self.transform(each)[own] for each in planes]
