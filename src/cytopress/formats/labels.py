"""Write label images: for each pixel the number of its object, 0 for background."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cytopress.atomic import atomic_file
from cytopress.errors import ImageError, UsageError
from cytopress.formats.images import write
from cytopress.formats.ome_tiff import write_many_labels
from cytopress.formats.tiff import WRITTEN
from cytopress.image import Image, Labels

MOST_IN_16_BITS = 2**16 - 1


def write_labels(path: Path | str, labels: Labels, like: Image) -> None:
    """Write the labels of an image's objects to one file, whole or not at all.

    Parameters
    ----------
    path : Path or str
        A .tif, .tiff or .png file, as for `write`.
    labels : ndarray
        Integers of the image's shape, 0 is background. Written as uint16, or with more than 65,535
        objects as uint32, which needs TIFF.
    like : Image
        The labeled image: the file gets its axes, spacing and name.

    Raises
    ------
    UsageError, ImageError
        As `write`; also a UsageError for more objects than a PNG can number.
    """
    path = Path(path)
    if int(labels.max()) <= MOST_IN_16_BITS:
        numbers = labels.astype(np.uint16)
        write(path, [Image(numbers, axes=like.axes, spacing_um=like.spacing_um, name=like.name)])
        return
    if path.suffix.lower() not in WRITTEN:
        raise UsageError(
            f"{path}: {labels.max()} objects need 32 bits a pixel; write .ome.tif or .tif."
        )
    try:
        with atomic_file(path) as temporary:
            write_many_labels(temporary, labels, like)
    except OSError as error:
        raise ImageError(f"{path}: cannot be written ({error.strerror or error}).") from error
