"""Bare arrays of TIFF and PNG files: every dimension as it is stored, color included."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cytopress.errors import ImageError
from cytopress.formats import png
from cytopress.image import Pixels


def read_array(path: Path) -> Pixels:
    """Read all pixels of a file, whatever its axes and colors mean.

    For files of known form, such as the originals of a dataset; use `cytopress.formats.images.read`
    for all others.

    Raises
    ------
    ImageError
        The file is no image.
    """
    try:
        if path.suffix.lower() in png.SUFFIXES:
            import imageio.v3 as imageio

            return np.asarray(imageio.imread(path))
        import tifffile

        return np.asarray(tifffile.imread(path))
    # Each library has its own ways to fail on a file that is no image.
    except Exception as error:
        raise ImageError(f"{path.name}: the file is no image ({error}).") from error
