"""Lossless coding of the same image: what a learned codec's bytes are compared with."""

from __future__ import annotations

from operator import itemgetter

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.image import Image

UNLIKE = " the image may be unlike those that the model learned from."


def lossless_ratio(image: Image) -> tuple[str, float]:
    """Return a fast lossless codec that takes an image, and its compression ratio."""
    best = ("zstd", image.raw_bytes / len(Zstd().encode(image)))
    if image.dtype.kind == "u" and len(image.axes) == 2:
        best = max(
            best, ("jpegls", image.raw_bytes / len(JpegLS().encode(image))), key=itemgetter(1)
        )
    return best


def dearer_than_lossless(image: Image, coded_bytes: int) -> list[str]:
    """Return a warning where lossy coding takes no fewer bytes than lossless coding."""
    name, ratio = lossless_ratio(image)
    reached = image.raw_bytes / coded_bytes
    if reached > ratio:
        return []
    return [
        f"this takes more bytes than lossless {name} ({reached:.3g}x against {ratio:.3g}x smaller);"
        + UNLIKE
    ]
