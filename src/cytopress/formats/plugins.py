"""All other formats, through the plugins of bioio (the extra ``io``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cytopress.errors import ImageError, NotAvailableError
from cytopress.formats.plugin_metadata import PluginMetadata
from cytopress.formats.scene import Index, Scene
from cytopress.image import Pixels

# The plugin that takes every resolution tag for a pixel size, and one without a unit for µm.
PRINTERS = "bioio_tifffile"


@contextmanager
def open_plugin(path: Path) -> Iterator[list[Scene]]:
    """Open a file with the bioio plugin for its format; bioio gives distances in micrometers.

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
            " 'cytopress[io]', and the bioio plugin for some formats."
        ) from error
    try:
        file = bioio.BioImage(path)
    except UnsupportedFileFormatError as error:
        raise ImageError(
            f"{path}: no installed bioio plugin reads this file; install the one for its format."
        ) from error
    # Else some plugins read all planes of a stack for each one of them.
    if hasattr(file.reader, "chunk_dims"):
        file.reader.chunk_dims = ["Y", "X"]
    metadata = PluginMetadata(file)
    yield [_scene(path, file, number, metadata) for number in range(len(file.scenes))]


def _scene(path: Path, file: Any, number: int, metadata: PluginMetadata) -> Scene:
    # By its number, for scenes may share a name.
    file.set_scene(number)
    notes = []
    if type(file.reader).__module__.partition(".")[0] == PRINTERS:
        spacing = {}
        notes.append("its resolution tags are not read as pixel size: most are a printer's")
    else:
        sizes = file.physical_pixel_sizes
        spacing = {k: getattr(sizes, k) for k in "ZYX" if getattr(sizes, k, None)}

    def load(index: Index) -> Pixels:
        file.set_scene(number)
        return np.asarray(file.dask_data[index].compute())

    channels = tuple(_channel_name(str(channel)) for channel in file.channel_names or ())
    dtype = np.dtype(file.dtype)
    return Scene(
        str(path),
        tuple(file.shape),
        str(file.dims.order),
        dtype,
        load,
        spacing,
        channels,
        # Of 8 bits all count.
        metadata.bits(number) if dtype.kind == "u" and dtype.itemsize > 1 else 0,
        notes=notes,
        metadata=lambda: metadata.of(number, spacing, channels),
    )


def _channel_name(name: str) -> str:
    # A placeholder of bioio where the file has no name.
    return "" if name.startswith("Channel:") else name
