"""Lossless coding of the same image: what a learned codec's bytes are compared with."""

from __future__ import annotations

from operator import itemgetter

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.targets.encodes import Encodes
from cytopress.figures import ratio_text

# An image is coded losslessly only if a sample of it is within so many times that ratio.
FAR = 2.0
UNLIKE = " the image may be unlike those that the model learned from."


def lossless_ratio(encodes: Encodes) -> tuple[str, float]:
    """Return a fast lossless codec that takes an image, and its compression ratio."""
    image, codecs = encodes.image, [Zstd(), JpegLS()]
    if image.dtype.kind != "u" or len(image.axes) != 2:
        codecs = codecs[:1]
    ratios = [(codec.name, encodes.untargeted(codec).reached) for codec in codecs]
    return max(ratios, key=itemgetter(1))


def dearer_than_lossless(encodes: Encodes, coded_bytes: int) -> list[str]:
    """Return a warning where lossy coding takes no fewer bytes than lossless coding."""
    reached = encodes.image.raw_bytes / coded_bytes
    if lossless_ratio(encodes.sample)[1] * FAR < reached:
        return []
    name, ratio = lossless_ratio(encodes)
    if reached > ratio:
        return []
    return [
        f"this takes more bytes than lossless {name} ({ratio_text(reached)} against"
        f" {ratio_text(ratio)} smaller);" + UNLIKE
    ]
