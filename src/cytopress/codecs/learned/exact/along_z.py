"""Transforms along z in integers: planes to those of an analysis, latents to those of planes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.numbers import FILTER_BITS
from cytopress.errors import PackageError
from cytopress.kernels.stack_matrix import StackMatrix

Array = npt.NDArray[Any]
# Pixels of a plane side by side; whole hyper-latents hold many times as many.
PIXELS = 64


@dataclass(frozen=True, eq=False)
class AlongZ:
    """A decoder's matrix of the frequencies along z of slabs, the same for all in the plane.

    Parameters
    ----------
    matrix : ndarray
        (planes, stack * planes) int16 with ``FILTER_BITS`` bits of fraction.
    place : ndarray
        (planes, blocks) of integers: which latent of a slab has each frequency along z and in the
        plane; ``channels`` for none.
    channels : int
        Latents of a slab.

    Raises
    ------
    PackageError
        The arrays do not fit, or a sum could leave 32 bits.
    """

    matrix: Array
    place: Array
    channels: int

    def __post_init__(self) -> None:
        held = np.sort(self.place[self.place < self.channels])
        if not np.array_equal(held, np.arange(self.channels)):
            raise PackageError("The transform along z does not take each latent once.")
        if self._product.rows != self.planes or self.stack % 2 == 0:
            raise PackageError(f"A transform along z cannot be of shape {self.matrix.shape}.")

    @functools.cached_property
    def _product(self) -> StackMatrix:
        return StackMatrix(self.matrix, FILTER_BITS, self.channels, self.place)

    @property
    def planes(self) -> int:
        """Number of planes of a slab."""
        return len(self.matrix)

    @property
    def stack(self) -> int:
        """Number of slabs that it sees."""
        return self._product.stack

    def __call__(self, stack: Sequence[Array]) -> Array:
        """Return the latents of planes, (planes, h, w, blocks) int32, of slabs, (h, w, M) int32."""
        shape = stack[0].shape[:2]
        found = self._product([slab.reshape(-1, self.channels) for slab in stack])
        return found.reshape(self.planes, *shape, -1)


@dataclass(frozen=True, eq=False)
class PlanesAlongZ:
    """An encoder's matrix of the planes that a slab sees, to as many as it has.

    Parameters
    ----------
    matrix : ndarray
        (planes, window) int16 with ``FILTER_BITS`` bits of fraction.

    Raises
    ------
    PackageError
        It has no such form, or a sum could leave 32 bits.
    """

    matrix: Array

    def __post_init__(self) -> None:
        # It is made here, so that its sums are proved.
        _ = self._product

    @functools.cached_property
    def _product(self) -> StackMatrix:
        return StackMatrix(self.matrix, FILTER_BITS, PIXELS)

    def __call__(self, planes: Sequence[Array]) -> Array:
        """Return planes, (planes, H, W) int32, of a window's, (H, W) int32 each.

        H W is a multiple of `PIXELS`.
        """
        found = self._product([plane.reshape(-1, PIXELS) for plane in planes])
        return found.reshape(-1, *planes[0].shape)
