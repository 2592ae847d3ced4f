"""Transform along z in integers: the latents of a stack of slabs to those of each plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.numbers import FILTER_BITS
from cytopress.errors import PackageError
from cytopress.kernels.fixed_point import prove, rounded

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class AlongZ:
    """A matrix of the frequencies along z of slabs, the same for all frequencies in the plane.

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
        prove(self.matrix, FILTER_BITS, "A transform along z")
        held = np.sort(self.place[self.place < self.channels])
        if not np.array_equal(held, np.arange(self.channels)) or self.place.max() > self.channels:
            raise PackageError("The transform along z does not take each latent once.")
        if self.matrix.shape[1] % self.planes or self.stack % 2 == 0:
            raise PackageError(f"A transform along z cannot be of shape {self.matrix.shape}.")

    @property
    def planes(self) -> int:
        """Number of planes of a slab."""
        return len(self.matrix)

    @property
    def stack(self) -> int:
        """Number of slabs that it sees."""
        return self.matrix.shape[1] // self.planes

    def __call__(self, stack: Sequence[Array]) -> list[Array]:
        """Return the latents of each plane, (h, w, blocks) int32, of slabs, (h, w, M) int32."""
        height, width, _ = stack[0].shape
        nothing = np.zeros((height, width, 1))
        frequencies = [np.concatenate([each, nothing], axis=2)[..., self.place] for each in stack]
        seen = np.concatenate(frequencies, axis=2)
        # Sums are below 2 ** 53: exact in any order.
        sums = self.matrix.astype(np.float64) @ seen
        found = rounded(sums, FILTER_BITS).astype(np.int32)
        return [np.ascontiguousarray(found[:, :, plane]) for plane in range(self.planes)]
