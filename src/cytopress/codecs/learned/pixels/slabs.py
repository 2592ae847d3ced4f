"""Slab layout: a volume is coded in slabs of a few planes, one above the other.

A slab's latents are made from its planes and some on either side, and its planes from the latents
of some slabs on either side, so that no border between slabs shows. Beyond its ends a volume goes
on with its first and its last plane, and there are no latents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class SlabLayout:
    """The form of slabs.

    Parameters
    ----------
    stride : int
        Planes of a slab.
    margin : int
        Planes on either side that its latents see.
    neighbors : int
        Slabs on either side whose latents its planes come from.
    """

    stride: int
    margin: int
    neighbors: int

    @property
    def window(self) -> int:
        """Planes that latents are made from."""
        return self.stride + 2 * self.margin

    @property
    def stack(self) -> int:
        """Slabs whose latents planes are made from."""
        return 1 + 2 * self.neighbors

    def count(self, planes: int) -> int:
        """Return how many slabs hold so many planes; the last one may hold fewer."""
        return -(-planes // self.stride)

    def seen(self, slab: int, planes: int) -> npt.NDArray[np.intp]:
        """Return the planes, (window,), that the latents of a slab are made from."""
        start = slab * self.stride - self.margin
        return np.clip(np.arange(start, start + self.window), 0, planes - 1)

    def held(self, slab: int, planes: int) -> slice:
        """Return the planes of a slab."""
        start = slab * self.stride
        return slice(start, min(start + self.stride, planes))


# A plane is a volume of one slab.
PLANE = SlabLayout(1, 0, 0)
