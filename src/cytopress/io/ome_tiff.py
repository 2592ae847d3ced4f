"""Write OME-TIFF."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cytopress.image import Image


def write_ome_tiff(path: Path, images: Sequence[Image]) -> None:
    """Write images that are alike in all but their names; several become channels.

    Equal images give equal bytes.
    """
    import tifffile

    first = images[0]
    metadata: dict[str, Any] = {
        "Creator": "cytopress",
        "axes": first.axes if len(images) == 1 else f"C{first.axes}",
        "SignificantBits": first.bits,
        "Channel": {"Name": [image.name for image in images]},
    }
    pixels = first.pixels if len(images) == 1 else np.stack([image.pixels for image in images])
    # By default it would hold this machine's network address and the time.
    content = hashlib.sha256(pixels.data)
    content.update(repr(images).encode())
    metadata["UUID"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content.hexdigest())}"
    for axis, size in zip(first.axes, first.spacing_um or (), strict=False):
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
        predictor=2 if first.dtype.kind == "u" else None,
        metadata=metadata,
    )
