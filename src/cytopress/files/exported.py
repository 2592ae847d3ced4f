"""Images of an exported file: what was stored of each, measured on the file, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytopress.codecs.targets.target import Target
from cytopress.errors import CodecError
from cytopress.files.coding_facts import UNITS
from cytopress.formats.image_file import Place
from cytopress.image import Image, Pixels

# Decoded once by the codec's library and once by the reader's, floats may round another way.
CLOSE = 1.001


@dataclass(frozen=True)
class Stored:
    """What was stored of one image, before it is read back."""

    place: Place
    spec: str
    codec: str
    lossless: bool
    coded_bytes: int
    target: Target | None


@dataclass(frozen=True)
class ExportedImage:
    """One image of an exported file, read back: how far it is from the original.

    ``reached`` is in the unit of the target, the compression ratio without one; ``max_error`` and
    ``rmse`` are in counts.
    """

    stored: Stored
    raw_bytes: int
    reached: float
    max_error: float
    rmse: float

    @property
    def place(self) -> Place:
        """Where the image is."""
        return self.stored.place

    @property
    def spec(self) -> str:
        """The spec string that was asked."""
        return self.stored.spec

    @property
    def codec(self) -> str:
        """The codec, with its setting."""
        return self.stored.codec

    @property
    def coded_bytes(self) -> int:
        """Size of the image's tiles."""
        return self.stored.coded_bytes


@dataclass(frozen=True)
class ExportedFile:
    """A file that was exported: its images, and its size with metadata."""

    path: Path
    images: tuple[ExportedImage, ...]
    coded_bytes: int

    @property
    def raw_bytes(self) -> int:
        """Pixels times bytes per pixel, of all images."""
        return sum(image.raw_bytes for image in self.images)

    @property
    def metadata_bytes(self) -> int:
        """Bytes of the file that are no tile: TIFF directories, and the OME-XML."""
        return self.coded_bytes - sum(image.coded_bytes for image in self.images)


def measured(stored: Stored, original: Image, decoded: Pixels) -> ExportedImage:
    """Compare what was read back with the original.

    Raises
    ------
    CodecError
        The reader decodes other pixels than the codec that coded them.
    """
    error = decoded.astype(np.float64) - original.pixels
    max_error, rmse = float(np.abs(error).max()), float(np.sqrt(np.mean(error**2)))
    reached, target = original.raw_bytes / stored.coded_bytes, stored.target
    good = max_error == 0 or not stored.lossless
    if target is not None and target.kind != "ratio":
        reached = target.reached(original, decoded)
        slack = reached * CLOSE if target.kind == "psnr" else reached / CLOSE
        good = good and target.met(slack)
    if not good:
        label = f"{stored.place.label}: " if stored.place.label else ""
        raise CodecError(
            f"{label}tifffile reads other pixels back than {stored.spec} coded, off by up to"
            f" {max_error:.6g} counts; use another codec."
        )
    return ExportedImage(stored, original.raw_bytes, reached, max_error, rmse)


def in_words(images: Sequence[ExportedImage]) -> dict[str, str]:
    """Return how the images of a channel, one for each time point, were coded."""
    raw, coded = sum(i.raw_bytes for i in images), sum(i.coded_bytes for i in images)
    lossless = all(image.stored.lossless for image in images)
    facts = {
        "summary": "Every pixel is exact." if lossless else "Pixels were coded with loss.",
        "coded by": "cytopress",
        "lossless": str(lossless).lower(),
        "codec": _several([image.codec for image in images]),
        "compression ratio": f"{raw / coded:.4g}",
        "raw bytes": str(raw),
        "coded bytes": str(coded),
    }
    targets = [image.stored.target for image in images]
    first = targets[0]
    if first is not None:
        facts["target"] = f"{first.kind}={first.value:g}"
        if first.kind in UNITS:
            facts["reached"] = f"{_span([i.reached for i in images])} {UNITS[first.kind]}"
    facts["largest error"] = f"{max(i.max_error for i in images):.6g} counts"
    facts["root-mean-square error"] = f"{_span([i.rmse for i in images])} counts"
    return facts


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"


def _several(texts: Sequence[str]) -> str:
    different = list(dict.fromkeys(texts))
    more = len(different) - 1
    return f"{different[0]} and {more} more" if more > 0 else different[0]
