"""Analysis window: the planes that a slab's latents depend on, normalized when they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from cytopress.codecs.learned.exact.pixels import Normalization, subtract_background
from cytopress.codecs.learned.pixels.background import Mesh
from cytopress.image import Pixels

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Window:
    """Planes of pixels, and how they become an analysis's input.

    Parameters
    ----------
    normalization : Normalization
        Of the image.
    mesh : Mesh, optional
        Of the smooth background, which is subtracted.
    pixels : sequence of ndarray
        (H, W) each.
    """

    normalization: Normalization
    mesh: Mesh | None
    pixels: Sequence[Pixels]

    @property
    def name(self) -> str:
        """All that the input depends on besides the pixels."""
        return f"{self.normalization.packed.hex()} {self.mesh}"

    def planes(self) -> list[Array]:
        """Return the input, (H, W) int32 each, in used ranges with ``LATENT_BITS`` a fraction."""
        planes = [self.normalization.fixed(each) for each in self.pixels]
        if self.mesh is not None:
            subtract_background(self.mesh, planes[0])
        return planes
