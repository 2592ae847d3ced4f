"""Encode a file to a tiled OME-TIFF that other programs open, and read back what they will see."""

from __future__ import annotations

import hashlib
import uuid
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cytopress.callbacks import Progress, no_progress
from cytopress.errors import CytopressError, CytopressWarning, ImageError
from cytopress.files.channel_codecs import ChannelCodecs, Spec
from cytopress.files.cyto_file import CytoFile
from cytopress.files.encode_file import labeled, opened_source
from cytopress.files.exported import ExportedFile, ExportedImage, Stored, in_words, measured
from cytopress.files.image_notes import ImageNotes
from cytopress.files.tiff_request import TiffRequest, TiffSolution
from cytopress.formats.image_file import ImageFile
from cytopress.formats.images import check_written, written_file
from cytopress.formats.ome_document import TakenScene
from cytopress.formats.ome_written import WrittenScene, written_document
from cytopress.formats.selection import Selection
from cytopress.formats.tiled_tiff import CodedPlanes, describe, read_back, tiled_tiff
from cytopress.image import Image, Pixels
from cytopress.settings import Settings

Source = ImageFile | CytoFile
Specs = Sequence[Spec[TiffRequest]]


def export_tiff(
    source: Path,
    output: Path,
    codecs: ChannelCodecs[TiffRequest],
    *,
    select: Selection | None = None,
    axes: str | None = None,
    settings: Settings | None = None,
    progress: Progress = no_progress,
) -> ExportedFile:
    """Encode every image of a file, or those selected, into one tiled OME-TIFF.

    The file holds the source's OME-XML, and for each channel an annotation that says whether
    pixels were coded with loss, how, and how far, as read back with tifffile. It appears complete
    or not at all, and replaces one of its name. One image at a time is in memory.

    Parameters are those of `encode_file`, with codecs from `parsed_codecs` and `tiff_request`.

    Raises
    ------
    UsageError, ImageError, NotAvailableError
        The source cannot be read, a channel has no codec, or the output cannot be written.
    UnsupportedImageError, UnreachableTargetError
        A codec cannot code an image, or cannot meet its target; the message names the image.
    CodecError
        What is read back is not what was coded.
    """
    check_written(output)
    notes = ImageNotes()
    try:
        with (
            opened_source(source, axes, select, settings) as images,
            written_file(output) as temporary,
        ):
            specs = codecs.for_places(images.places, source)
            exported = _export(source, temporary, images, specs, notes, progress)
            size = temporary.stat().st_size
            notes.issue()
    except CytopressError:
        # Where warnings are errors, the error counts.
        with suppress(CytopressWarning):
            notes.issue()
        raise
    return ExportedFile(output, exported, size)


def _export(
    source: Path, path: Path, images: Source, specs: Specs, notes: ImageNotes, progress: Progress
) -> tuple[ExportedImage, ...]:
    document = images.document()
    if document.lost:
        notes.add(f"{source}: not carried over: {'; '.join(document.lost)}.")
    stored, digest = _write_pages(path, images, specs, notes, progress)
    exported, scenes = _read_pages(path, images, stored, progress)
    identity = uuid.uuid5(uuid.NAMESPACE_OID, document.text + digest)
    try:
        text = written_document(document.text, scenes, uuid=str(identity))
    except ValueError as error:
        raise ImageError(f"{source}: its OME-XML is damaged: {error}.") from error
    describe(path, text)
    return exported


def _write_pages(
    path: Path, images: Source, specs: Specs, notes: ImageNotes, progress: Progress
) -> tuple[list[Stored], str]:
    """Code and write every image; return what was stored, and the digest of all tiles."""
    content, stored = hashlib.sha256(), []
    with tiled_tiff(path, raw_bytes=_raw_bytes(images.taken)) as file:
        for number, (place, spec) in enumerate(zip(images.places, specs, strict=True)):
            progress(number, len(specs), place.label)
            label = place.label if len(specs) > 1 else ""
            with notes.collected(label):
                image = images.read(number)
            with labeled(label):
                solution = spec.request.solve(image)
            for text in solution.warnings:
                notes.add(f"{spec.text}: {text}", label)
            for tile in solution.tiles:
                content.update(tile)
            file.add(_planes(image, solution, spec.request))
            size = sum(map(len, solution.tiles))
            codec = solution.codec
            stored.append(
                Stored(place, spec.text, codec.shown, codec.lossless, size, solution.target)
            )
    return stored, content.hexdigest()


def _planes(image: Image, solution: TiffSolution, request: TiffRequest) -> CodedPlanes:
    return CodedPlanes(
        shape=image.shape,
        dtype=image.dtype,
        tiles=solution.tiles,
        edges=solution.codec.edges(image.shape),
        compression=request.compression,
        predicted=request.predicted,
    )


def _read_pages(
    path: Path, images: Source, stored: Sequence[Stored], progress: Progress
) -> tuple[tuple[ExportedImage, ...], list[WrittenScene]]:
    """Read every image back; return how far each is from the original, and the scenes' form."""
    exported: list[ExportedImage] = []
    forms: dict[int, Image] = {}
    bits: dict[int, int] = {}
    with read_back(path) as pages:
        for number, one in enumerate(stored):
            progress(number, len(stored), f"reading back {one.place.label}".strip())
            with warnings.catch_warnings():
                # They were collected when it was read the first time.
                warnings.simplefilter("ignore", CytopressWarning)
                image = images.read(number)
            decoded = pages.image(image.shape)
            exported.append(measured(one, image, decoded))
            scene = one.place.scene
            forms[scene] = image
            bits[scene] = max(bits.get(scene, 0), _bits(image, decoded))
    progress(len(stored), len(stored), "")
    scenes = []
    for number, taken in enumerate(images.taken):
        image = forms[number]
        of_scene = [one for one in exported if one.place.scene == number]
        by_channel = [
            [one for one in of_scene if one.place.channel == channel]
            for channel in range(len(taken.channels))
        ]
        scenes.append(
            WrittenScene(
                image.shape, image.dtype.name, bits[number], image.spacing_um, len(taken.times),
                [in_words(group) for group in by_channel], _names(taken),
            )
        )  # fmt: skip
    return tuple(exported), scenes


def _bits(image: Image, decoded: Pixels) -> int:
    """Return the significant bits: all, where decoded pixels lie beyond those of the image."""
    beyond = image.dtype.kind == "u" and int(decoded.max()) >> image.bits
    return 8 * image.dtype.itemsize if beyond else image.bits


def _names(taken: TakenScene) -> list[str]:
    names = [taken.scene.channel_name(at) for at in taken.channels]
    return [name if name in taken.scene.channels else "" for name in names]


def _raw_bytes(taken: Sequence[TakenScene]) -> int:
    total = 0
    for one in taken:
        planes = 1 if one.plane is not None else one.scene.length("Z")
        pixels = planes * one.scene.length("Y") * one.scene.length("X")
        total += len(one.times) * len(one.channels) * pixels * one.scene.dtype.itemsize
    return total
