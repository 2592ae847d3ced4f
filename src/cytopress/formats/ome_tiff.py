"""Write OME-TIFF files."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cytopress.image import Image, Pixels


def write_ome_tiff(path: Path, images: Sequence[Image]) -> None:
    """Write images of equal form; several become channels.

    Equal images give equal bytes.
    """
    first = images[0]
    pixels = first.pixels if len(images) == 1 else np.stack([image.pixels for image in images])
    metadata = {
        "axes": first.axes if len(images) == 1 else f"C{first.axes}",
        "SignificantBits": first.bits,
        "Channel": {"Name": [image.name for image in images]},
    }
    _write(path, pixels, metadata, images)


def write_many_labels(path: Path, labels: Pixels, like: Image) -> None:
    """Write labels of more objects than an Image can number, as uint32.

    Axes, spacing and name are those of ``like``, the labeled image.
    """
    metadata = {"axes": like.axes, "Channel": {"Name": [like.name]}}
    _write(path, labels.astype(np.uint32), metadata, [like])


def write_described(path: Path, ome_xml: str, images: Iterable[Image], *, raw_bytes: int) -> None:
    """Write the planes of images, one image in memory at a time, with OME-XML that describes them.

    Parameters
    ----------
    path : Path
        The file.
    ome_xml : str
        From `ome_written.written_document`.
    images : iterable of Image
        By scene, then time, then channel.
    raw_bytes : int
        Of all of them, with the OME-XML: whether offsets of 32 bits suffice.
    """
    import tifffile

    description: bytes | None = ome_xml.encode()
    with tifffile.TiffWriter(path, bigtiff=raw_bytes > 2**32 - 2**26) as file:
        for image in images:
            for plane in image.pixels.reshape(-1, *image.shape[-2:]):
                file.write(
                    plane,
                    photometric="minisblack",
                    compression="zlib",
                    predictor=2 if plane.dtype.kind in "ui" else None,
                    description=description,
                    software="cytopress",
                    metadata=None,
                )
                description = None


def _write(path: Path, pixels: Pixels, metadata: dict[str, Any], images: Sequence[Image]) -> None:
    import tifffile

    # A default UUID would hold this machine's network address and the time.
    content = hashlib.sha256(pixels.data)
    content.update(repr(images).encode())
    metadata["Creator"] = "cytopress"
    metadata["UUID"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content.hexdigest())}"
    for axis, size in zip(images[0].axes, images[0].spacing_um or (), strict=False):
        if size is not None:
            metadata[f"PhysicalSize{axis}"] = size
    tifffile.imwrite(
        path,
        pixels,
        ome=True,
        # The size is known only after coding; the offsets must fit at the worst.
        bigtiff=pixels.nbytes > 2**32 - 2**26,
        photometric="minisblack",
        compression="zlib",
        # Readers other than tifffile seldom know the predictor for floats.
        predictor=2 if pixels.dtype.kind in "ui" else None,
        metadata=metadata,
    )
