"""Read every image of a file, an image file or a .cyto file."""

from __future__ import annotations

from pathlib import Path

from cytopress.errors import UsageError
from cytopress.files.cyto_file import is_cyto, open_cyto
from cytopress.formats import images
from cytopress.formats.selection import Selection
from cytopress.image import Image


def read(
    path: Path | str, *, axes: str | None = None, select: Selection | None = None
) -> list[Image]:
    """Read every image in a file: one for each channel, time point and scene.

    Formats are OME-TIFF, ImageJ TIFF, plain TIFF, grey PNG, OME-Zarr and .cyto, and with the extra
    ``io`` those of bioio's plugins. Pixels are returned as stored; only the byte order becomes
    native, and in a TIFF file where 0 means white (MINISWHITE) it becomes black. Gray images that
    are stored as color are read as gray. A `CytopressWarning` says which metadata are there and
    cannot be used.

    Parameters
    ----------
    path : Path or str
        A file, or the folder of an OME-Zarr image.
    axes : str, optional
        Axes of the file's dimensions, such as ZYX, CYX, TYX or TCZYX, where the file's metadata
        lack them or are wrong. With Z among them, a single plane is read as a stack of one.
    select : mapping, optional
        Position along C, T, Z or S (scene): a number from 0, a channel's name, or a list of such;
        along Z only one. Only the selection is loaded from the file.

    Returns
    -------
    list of Image
        Sorted by scene, then time, then channel. One of several images is named by its position,
        such as ``C=DAPI,T=3``, which is also a valid selection; a single image by its channel or
        file.

    Raises
    ------
    UsageError
        The file does not exist, its axes must be given, or the selection is not in it.
    ImageError
        The file cannot be read, is truncated, or holds color, other pixel types or NaN.
    CorruptDataError, LimitError, PackageError
        It is a .cyto file that cannot be decoded (see `decode`).
    NotAvailableError
        The format needs the extra ``io``.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> dna = cytopress.Image(np.full((8, 9), 1, np.uint16), name="DNA")
    >>> rna = cytopress.Image(np.full((8, 9), 2, np.uint16), name="RNA")
    >>> cytopress.write("plate.ome.tif", [dna, rna])
    >>> [image.name for image in cytopress.read("plate.ome.tif")]
    ['C=DNA', 'C=RNA']
    >>> [found] = cytopress.read("plate.ome.tif", select={"C": "RNA"})
    >>> int(found.pixels.max())
    2
    """
    path = Path(path)
    if not is_cyto(path):
        return images.read(path, axes=axes, select=select)
    if axes is not None:
        raise UsageError(f"{path}: the images of a .cyto file have their axes; leave out axes.")
    with open_cyto(path, select=select) as file:
        file.check_total(streamed=False)
        return [file.read(number) for number in range(len(file.places))]
