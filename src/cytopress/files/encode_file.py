"""Encode every image of a file into one .cyto file, with the source's metadata."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cytopress.atomic import atomic_file
from cytopress.callbacks import Progress, no_progress
from cytopress.codecs.container import multi_image
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import CytopressError, CytopressWarning
from cytopress.files.channel_codecs import ChannelCodecs, Spec
from cytopress.files.cyto_file import CytoFile, is_cyto, open_cyto
from cytopress.files.image_notes import ImageNotes
from cytopress.formats.image_file import ImageFile, Place, open_images
from cytopress.formats.ome_document import StoredDocument
from cytopress.formats.selection import Selection
from cytopress.image import Image
from cytopress.settings import Settings


@dataclass(frozen=True)
class EncodedImage:
    """One image of a file, coded: its place, its codec with its setting, what was reached.

    ``reached`` is in the unit of the target that ``spec`` asks for; the ratio without one.
    """

    place: Place
    spec: str
    codec: str
    raw_bytes: int
    coded_bytes: int
    reached: float


@dataclass(frozen=True)
class EncodedFile:
    """A file that was coded: its images, and its size with index and metadata."""

    path: Path
    images: tuple[EncodedImage, ...]
    coded_bytes: int

    @property
    def raw_bytes(self) -> int:
        """Pixels times bytes per pixel, of all images."""
        return sum(image.raw_bytes for image in self.images)

    @property
    def metadata_bytes(self) -> int:
        """Bytes of the file that are no image: its index, and the source's OME-XML."""
        return self.coded_bytes - sum(image.coded_bytes for image in self.images)


def encode_file(
    source: Path,
    output: Path,
    codecs: ChannelCodecs[CodecRequest],
    *,
    select: Selection | None = None,
    axes: str | None = None,
    settings: Settings | None = None,
    progress: Progress = no_progress,
) -> EncodedFile:
    """Encode every image of a file, or those selected, into one .cyto file.

    One image without metadata beyond its form becomes a one-image container, as `encode` returns
    it. Otherwise the containers stand in a file of several images with the source's OME-XML. The
    file appears complete or not at all, and replaces one of its name.

    Parameters
    ----------
    source : Path
        An image file, the folder of an OME-Zarr image, or a .cyto file.
    output : Path
        The .cyto file.
    codecs : ChannelCodecs
        From `channel_codecs`.
    select : mapping, optional
        Position along C, T, Z or S (scene); see `read`.
    axes : str, optional
        Axes of a source whose metadata lack them.
    settings : Settings, optional
        Says where model packages are, and the limit on decoded bytes of a .cyto source.
    progress : callable, optional
        Told before and after each image.

    Raises
    ------
    UsageError, ImageError, NotAvailableError
        The source cannot be read, or a channel has no codec.
    UnsupportedImageError, UnreachableTargetError
        A codec cannot code an image, or cannot meet its target; the message names the image.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> from pathlib import Path
    >>> from cytopress.files import channel_codecs, decode_file, encode_file
    >>> images = [cytopress.Image(np.eye(40, dtype=np.uint8), name=name) for name in ("DNA", "RNA")]
    >>> cytopress.write("plate.ome.tif", images)
    >>> codecs = channel_codecs(["png", "DNA=jpegls"])
    >>> [one.spec for one in encode_file(Path("plate.ome.tif"), Path("plate.cyto"), codecs).images]
    ['jpegls', 'png']
    """
    notes = ImageNotes()
    try:
        with opened_source(source, axes, select, settings) as images:
            specs = codecs.for_places(images.places, source)
            document = images.document()
            if document.lost:
                notes.add(f"{source}: not carried over: {'; '.join(document.lost)}.")
            with atomic_file(output) as temporary:
                coded = _write(temporary, images, specs, document, notes, progress)
                size = temporary.stat().st_size
                notes.issue()
    except CytopressError:
        # Where warnings are errors, the error counts.
        with suppress(CytopressWarning):
            notes.issue()
        raise
    return EncodedFile(output, coded, size)


@contextmanager
def opened_source(
    source: Path, axes: str | None, select: Selection | None, settings: Settings | None
) -> Iterator[ImageFile | CytoFile]:
    """Open an image file or a .cyto file, to read the images that are selected one by one."""
    if is_cyto(source):
        with open_cyto(source, select=select, settings=settings) as file:
            file.check_total(streamed=True)
            yield file
    else:
        with open_images(source, axes=axes, select=select) as images:
            yield images


def _write(
    path: Path,
    images: ImageFile | CytoFile,
    specs: list[Spec[CodecRequest]],
    document: StoredDocument,
    notes: ImageNotes,
    progress: Progress,
) -> tuple[EncodedImage, ...]:
    lone = len(images.places) == 1 and document.bare
    coded = []
    with path.open("wb") as stream:
        writer = None if lone else multi_image.Writer(stream)
        for number, (place, spec) in enumerate(zip(images.places, specs, strict=True)):
            progress(number, len(specs), place.label)
            with notes.collected(place.label if len(specs) > 1 else ""):
                image = images.read(number)
            data, found = _encode(image, place, spec, notes, several=len(specs) > 1)
            coded.append(found)
            if writer is None:
                stream.write(data)
            else:
                writer.add(data)
            progress(number + 1, len(specs), place.label)
        if writer is not None:
            writer.finish(images.sizes, document.text)
    return tuple(coded)


def _encode(
    image: Image, place: Place, spec: Spec[CodecRequest], notes: ImageNotes, *, several: bool
) -> tuple[bytes, EncodedImage]:
    label = place.label if several else ""
    with labeled(label):
        solution = spec.request.solve(image)
    for text in solution.warnings:
        notes.add(f"{spec.text}: {text}", label)
    coded = EncodedImage(
        place, spec.text, str(solution.codec), image.raw_bytes, len(solution.data),
        solution.reached,
    )  # fmt: skip
    return solution.data, coded


@contextmanager
def labeled(label: str) -> Iterator[None]:
    """Name the image, where there are several, in an error about it."""
    try:
        yield
    except CytopressError as error:
        if label:
            error.args = (f"{label}: {error}",)
        raise
