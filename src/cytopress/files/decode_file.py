"""Decode a .cyto file into an OME-TIFF that says how its pixels were coded, or a PNG."""

from __future__ import annotations

import hashlib
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cytopress.callbacks import Progress, no_progress
from cytopress.errors import CorruptDataError, CytopressWarning, UsageError
from cytopress.files.cyto_file import CytoFile, open_cyto
from cytopress.formats.images import check_written, write, written_file
from cytopress.formats.ome_tiff import write_described
from cytopress.formats.ome_written import written_document
from cytopress.formats.png import SUFFIXES as PNG
from cytopress.formats.selection import Selection
from cytopress.image import Image
from cytopress.settings import Settings


@dataclass(frozen=True)
class DecodedFile:
    """A file that was written: how many images, and the first of them without its pixels.

    ``raw_bytes`` are pixels times bytes per pixel, of all images; ``codec`` says how they were
    coded.
    """

    path: Path
    images: int
    first: str
    raw_bytes: int
    codec: str


def decode_file(
    source: Path,
    output: Path,
    *,
    select: Selection | None = None,
    settings: Settings | None = None,
    trusted: bool = True,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> DecodedFile:
    """Decode every image of a .cyto file, or those selected, into one file.

    An OME-TIFF holds the source's OME-XML, and for each channel an annotation that says whether
    pixels were coded with loss, how, and how far. One image at a time is in memory.

    Parameters
    ----------
    source : Path
        A .cyto file.
    output : Path
        ``.tif`` or ``.tiff``: an OME-TIFF; ``.png``: one plane, its pixels only.
    select : mapping, optional
        Position along C, T or S (scene).
    settings : Settings, optional
        Says where model packages are, and the limit on decoded bytes.
    trusted : bool, optional
        False decodes in a child process with limits, and up to 1 GiB in all.
    overwrite : bool, optional
        Whether a file that is there is replaced.
    progress : callable, optional
        Told before and after each image.

    Raises
    ------
    UsageError
        The output is there, or its format cannot hold the images.
    CorruptDataError, LimitError, PackageError
        As `codecs.registry.decode`.
    ImageError
        The output cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> from pathlib import Path
    >>> from cytopress.files import decode_file
    >>> data = cytopress.encode(cytopress.Image(np.eye(40, dtype=np.uint8)), "jpegls")
    >>> _ = Path("cells.cyto").write_bytes(data)
    >>> decode_file(Path("cells.cyto"), Path("back.ome.tif")).images
    1
    """
    check_written(output)
    if output.exists() and not overwrite:
        raise UsageError(f"{output}: is there already; --overwrite replaces it.")
    with open_cyto(source, select=select, settings=settings, trusted=trusted) as file:
        file.check_total(streamed=True)
        if output.suffix.lower() in PNG:
            return _write_png(file, output)
        return _write_tiff(file, output, progress)


def _write_png(file: CytoFile, output: Path) -> DecodedFile:
    if len(file.places) > 1:
        raise UsageError(
            f"{output}: a PNG file takes one plane, and {file.path} has {file.describe()}; select"
            " one (--select), or write .ome.tif."
        )
    image = file.read(0)
    if file.index.ome_xml:
        text = f"{output}: a PNG file holds pixels only, so the metadata are not in it."
        warnings.warn(text, CytopressWarning, stacklevel=3)
    write(output, [image])
    return DecodedFile(output, 1, str(image), file.raw_bytes, file.codec)


def _write_tiff(file: CytoFile, output: Path, progress: Progress) -> DecodedFile:
    scenes = file.written_scenes()
    try:
        text = written_document(file.stored_xml(), scenes, uuid=str(_identity(file)))
    except ValueError as error:
        raise CorruptDataError(f"{file.path}: its OME-XML is damaged: {error}.") from error
    shown: list[str] = []

    def decoded() -> Iterator[Image]:
        for number, place in enumerate(file.places):
            progress(number, len(file.places), place.label)
            image = file.read(number)
            if not number:
                shown.append(str(image))
            yield image
            progress(number + 1, len(file.places), place.label)

    with written_file(output) as temporary:
        write_described(temporary, text, decoded(), raw_bytes=file.raw_bytes + len(text))
    return DecodedFile(output, len(file.places), shown[0], file.raw_bytes, file.codec)


def _identity(file: CytoFile) -> uuid.UUID:
    """Return the UUID of an OME-TIFF, equal where coded images are equal."""
    content = hashlib.sha256(file.stored_xml().encode())
    for number in range(len(file.places)):
        content.update(file.checksum(number))
    return uuid.uuid5(uuid.NAMESPACE_OID, content.hexdigest())
