"""Stacks coded plane by plane with a 2D codec."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from cytopress.codecs import progress
from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.container.wire import length_prefixed, split_views
from cytopress.codecs.wrappers.parts import PiecesCodec
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class PerPlane(PiecesCodec):
    """Code each plane of a stack with ``codec``.

    Parameters
    ----------
    codec : StreamCodec
        A codec of planes.
    """

    codec: StreamCodec

    name: ClassVar[str] = "per-plane"
    number: ClassVar[int] = 28
    traits: ClassVar[Traits] = replace(PiecesCodec.traits, dims=(3,))

    def check(self, image: Image) -> None:
        """Check the stack, and each plane for the wrapped codec."""
        super().check(image)
        for z in range(image.shape[0]):
            self.codec.check(_plane(image, z))

    def parts(self, image: Image) -> list[bytes]:
        """Return the planes' streams, length-prefixed."""
        planes = progress.track(range(image.shape[0]))
        return length_prefixed(self.codec.compress(_plane(image, z)) for z in planes)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the stack."""
        spacing = form.spacing_um and form.spacing_um[1:]
        plane = replace(form, axes="YX", shape=form.shape[1:], spacing_um=spacing)
        parts = split_views(stream, form.shape[0])
        pixels = np.empty(form.shape, form.dtype)
        for z, part in enumerate(progress.track(parts)):
            pixels[z] = self.codec.restore(part, plane).pixels
        return pixels


def _plane(image: Image, z: int) -> Image:
    spacing = image.spacing_um and image.spacing_um[1:]
    return Image(image.pixels[z], bits=image.bits, spacing_um=spacing, limits=image.limits)
