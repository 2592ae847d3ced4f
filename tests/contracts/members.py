"""Every codec that the contracts hold for: the registry's, and the model packages that ship."""

from __future__ import annotations

import numpy as np

from cytopress.codecs.family import Family
from cytopress.codecs.registry import families, find_family, package_names
from cytopress.image import Image
from cytopress.settings import from_environment

# The general models that ship.
SHIPPED = ("learned/cytopress-2d", "learned/cytopress-3d")

# Packages that were trained from `learned/cytopress-2d` for one kind of image.
SPECIALISTS = ("learned/ecoli-phase", "learned/nuclei-brightfield")


def members() -> dict[str, Family]:
    """Return every family by name."""
    packages = package_names(from_environment())
    return {**families(), **{name: find_family(name) for name in packages}}


def taken(name: str, image: Image) -> Image:
    """Return an image as a family takes it: what codes volumes alone gets a plane as a stack."""
    return image if 2 in members()[name].traits.dims else stacked(image)


def stacked(image: Image) -> Image:
    """Return a plane as a stack of three that turns over and drifts."""
    if image.pixels.ndim == 3:
        return image
    planes = [image.pixels, image.pixels[::-1], np.roll(image.pixels, 3, axis=1)]
    spacing = image.spacing_um and (0.5, *image.spacing_um)
    return Image(np.stack(planes), bits=image.bits, spacing_um=spacing)
