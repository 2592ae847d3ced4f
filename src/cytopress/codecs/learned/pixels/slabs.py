"""Slab layout: a volume is coded in slabs of a few planes, one above the other.

A slab's latents are computed from its planes and some planes on either side, and its planes from
its latents and those of some slabs on either side, so that no border between slabs shows. Beyond
its ends a volume repeats its first and last plane, and latents are 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class SlabLayout:
    """How the planes of a volume are divided into slabs.

    Parameters
    ----------
    stride : int
        Planes of a slab.
    margin : int
        Planes on either side that its latents depend on.
    neighbors : int
        Slabs on either side on whose latents its planes depend.
    """

    stride: int
    margin: int
    neighbors: int

    @property
    def window(self) -> int:
        """Number of planes that the latents of a slab depend on."""
        return self.stride + 2 * self.margin

    @property
    def stack(self) -> int:
        """Number of slabs on whose latents the planes of a slab depend."""
        return 1 + 2 * self.neighbors

    def count(self, planes: int) -> int:
        """Return the number of slabs of a volume; the last one may hold fewer planes."""
        return -(-planes // self.stride)

    def seen(self, slab: int, planes: int) -> npt.NDArray[np.intp]:
        """Return the planes, (window,), that the latents of a slab depend on."""
        start = slab * self.stride - self.margin
        return np.clip(np.arange(start, start + self.window), 0, planes - 1)

    def held(self, slab: int, planes: int) -> slice:
        """Return the planes of a slab."""
        start = slab * self.stride
        return slice(start, min(start + self.stride, planes))


# A plane is a volume of one slab.
PLANE = SlabLayout(1, 0, 0)
