"""Every other format, through bioio and its plugins (the extra ``io``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cytopress.errors import ImageError, NotAvailableError
from cytopress.formats.scan import Index, Scan
from cytopress.image import Pixels


@contextmanager
def open_plugin(path: Path) -> Iterator[list[Scan]]:
    """Open a file with the bioio plugin that reads it.

    Distances are taken as micrometers, as bioio gives them.

    Raises
    ------
    NotAvailableError
        bioio is not installed.
    """
    try:
        import bioio
        from bioio_base.exceptions import UnsupportedFileFormatError
    except ImportError as error:
        raise NotAvailableError(
            f"{path}: only TIFF, PNG and OME-Zarr can be read without the extra io: pip install"
            " 'cytopress[io]', and for some formats a bioio plugin more."
        ) from error
    try:
        file = bioio.BioImage(path)
    except UnsupportedFileFormatError as error:
        raise ImageError(
            f"{path}: no installed bioio plugin reads this file; install the one for its format."
        ) from error
    yield [_scan(path, file, scene) for scene in file.scenes]


def _scan(path: Path, file: Any, scene: str) -> Scan:
    file.set_scene(scene)
    sizes = file.physical_pixel_sizes
    spacing = {k: getattr(sizes, k) for k in "ZYX" if getattr(sizes, k, None)}

    def load(index: Index) -> Pixels:
        file.set_scene(scene)
        return np.asarray(file.dask_data[index].compute())

    return Scan(
        str(path),
        tuple(file.shape),
        str(file.dims.order),
        np.dtype(file.dtype),
        load,
        spacing,
        tuple(_channel_name(str(name)) for name in file.channel_names or ()),
    )


def _channel_name(name: str) -> str:
    # bioio makes up this form where the file has no name.
    return "" if name.startswith("Channel:") else name
