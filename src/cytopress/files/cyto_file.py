"""A .cyto file opened: its images listed without decoding, and decoded one by one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeVar

from cytopress.codecs.container import container, multi_image
from cytopress.codecs.container.container import Header
from cytopress.codecs.container.multi_image import Index, Part
from cytopress.codecs.limits import check_total
from cytopress.codecs.registry import decode
from cytopress.errors import CorruptDataError, UsageError
from cytopress.files.coding_facts import coding_facts
from cytopress.files.stored_scenes import read_header, stored_scenes
from cytopress.formats.image_file import Place, take_places
from cytopress.formats.ome_document import StoredDocument, TakenScene, stored_document
from cytopress.formats.ome_written import WrittenScene, annotated
from cytopress.formats.scene import Scene
from cytopress.formats.selection import Selection, coordinates, describe
from cytopress.image import Image
from cytopress.settings import Settings, from_environment

Result = TypeVar("Result")


@dataclass(frozen=True)
class CytoFile:
    """The selected images of a .cyto file; `open_cyto` opens it.

    Parameters
    ----------
    path : Path
        The file, for messages.
    places : sequence of Place
        By scene, then time, then channel.
    headers : sequence of Header
        Of each place: form of its image, recipe of its codec, target.
    parts : sequence of Part
        Of each place: where its container is.
    taken : sequence of TakenScene
        The scenes that the places are of.
    index : Index
        Of all images of the file; its ``ome_xml`` is the source's metadata.
    """

    path: Path
    places: Sequence[Place]
    headers: Sequence[Header]
    parts: Sequence[Part]
    taken: Sequence[TakenScene]
    index: Index
    settings: Settings
    trusted: bool
    _stream: BinaryIO
    _scenes: Sequence[Scene]

    def container(self, number: int) -> bytes:
        """Return the one-image container of an image."""
        return multi_image.read_part(self._stream, self.parts[number])

    def checksum(self, number: int) -> bytes:
        """Return the checksum of an image's container, which its last bytes hold."""
        part = self.parts[number]
        self._stream.seek(part.position + part.length - container.CRC_BYTES)
        return self._stream.read(container.CRC_BYTES)

    def read(self, number: int) -> Image:
        """Decode one image, named by its label, its channel or the file."""
        place, data = self.places[number], self.container(number)
        image = _named(self.path, place, lambda: decode(data, self.settings, trusted=self.trusted))
        names = [name for one in self.taken for name in one.scene.channels]
        lone = names[0] if len(names) == 1 and names[0] else self.path.stem
        return replace(image, name=place.label or lone)

    def check_total(self, *, streamed: bool) -> None:
        """Check the size of all selected images against the limit, before any is decoded.

        Raises
        ------
        LimitError
            They are larger together than the limit (`codecs.limits.check_total`).
        """
        check_total(
            self.raw_bytes,
            self.coded_bytes,
            self.settings.max_bytes,
            trusted=self.trusted,
            streamed=streamed,
        )

    @property
    def raw_bytes(self) -> int:
        """Pixels times bytes per pixel, of all selected images."""
        return sum(header.form.raw_bytes for header in self.headers)

    @property
    def coded_bytes(self) -> int:
        """Size of the containers of all selected images."""
        return sum(part.length for part in self.parts)

    @property
    def codec(self) -> str:
        """The codec of the selected images, in words."""
        lengths = [part.length for part in self.parts]
        return coding_facts(self.headers, lengths, self.settings)["codec"]

    @property
    def file_bytes(self) -> int:
        """Size of the file: all containers, index and metadata."""
        return self._stream.seek(0, io.SEEK_END)

    @property
    def is_bare(self) -> bool:
        """Whether the file is one container, without metadata."""
        return len(self.index.parts) == 1 and self.index.parts[0].position == 0

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Time points and channels of each scene."""
        return [(len(one.times), len(one.channels)) for one in self.taken]

    def describe(self) -> str:
        """Describe what the file has, selected or not, in a few words."""
        return describe(self._scenes)

    def written_scenes(self) -> list[WrittenScene]:
        """Return the form of each scene's images, and how its channels were coded.

        Raises
        ------
        CorruptDataError
            Images of one scene differ in form, as no encoder writes them.
        """
        by_scene: list[list[int]] = [[] for _ in self.taken]
        for number, place in enumerate(self.places):
            by_scene[place.scene].append(number)
        return [self._written(*pair) for pair in zip(self.taken, by_scene, strict=True)]

    def _written(self, taken: TakenScene, numbers: Sequence[int]) -> WrittenScene:
        """Return the form of a scene, whose images have these numbers."""
        forms = [self.headers[number].form for number in numbers]
        first = forms[0]
        for form in forms:
            if (form.shape, form.dtype, form.spacing_um) != (
                first.shape, first.dtype, first.spacing_um,
            ):  # fmt: skip
                raise CorruptDataError(
                    f"{self.path}: images of one scene differ in form: {first}, {form}."
                )
        codings = []
        for channel in range(len(taken.channels)):
            # By time, then channel.
            chosen = numbers[channel :: len(taken.channels)]
            headers = [self.headers[number] for number in chosen]
            sizes = [self.parts[number].length for number in chosen]
            codings.append(coding_facts(headers, sizes, self.settings))
        names = [taken.scene.channel_name(at) for at in taken.channels]
        named = [name if name in taken.scene.channels else "" for name in names]
        bits = max(form.bits for form in forms)
        return WrittenScene(
            first.shape, first.dtype.name, bits, first.spacing_um, len(taken.times), codings, named
        )

    def stored_xml(self) -> str:
        """Return the source's OME-XML of the selected images; "" where there is none."""
        return stored_document(self.taken).text if self.index.ome_xml else ""

    def document(self) -> StoredDocument:
        """Return the OME-XML of the selected images, which says how they were coded.

        Of a lone container there is nothing to say.
        """
        if self.is_bare:
            return StoredDocument("", bare=True, lost=())
        text = annotated(stored_document(self.taken).text, self.written_scenes())
        return StoredDocument(text, bare=False, lost=())


@contextmanager
def open_cyto(
    source: Path | str | bytes,
    *,
    select: Selection | None = None,
    settings: Settings | None = None,
    trusted: bool = True,
) -> Iterator[CytoFile]:
    """Open a .cyto file and list its images; they can be decoded inside the block.

    Parameters
    ----------
    source : Path, str or bytes
        The file, or all of its bytes.
    select : mapping, optional
        Position along C, T or S (scene): a number from 0, a channel's name, or a list of such.
    settings : Settings, optional
        Says where model packages are, and the limit on decoded bytes.
    trusted : bool, optional
        False decodes in a child process with limits (see `codecs.registry.decode`).

    Raises
    ------
    UsageError
        The file cannot be read, or the selection is not in it.
    CorruptDataError
        The file is damaged.
    LimitError
        Its metadata are larger than a limit.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> from cytopress.files import open_cyto
    >>> data = cytopress.encode(cytopress.Image(np.eye(40, dtype=np.uint8)), "jpegls")
    >>> with open_cyto(data) as file:
    ...     print(file.headers[0].form.shape, file.read(0).pixels.sum())
    (40, 40) 40
    """
    path = Path("bytes") if isinstance(source, bytes) else Path(source)
    with open_bytes(source) as stream:
        index = _named(path, None, lambda: read_index(stream, trusted=trusted))
        scenes = _named(path, None, lambda: stored_scenes(path, stream, index))
        if select and "Z" in select:
            raise UsageError(
                f"{path}: a .cyto file holds whole stacks, so Z cannot be selected; decode it first"
                " to select a part."
            )
        at = coordinates(scenes, select or {})
        places, taken = take_places(scenes, at)
        by_place = {(part.scene, part.time, part.channel): part for part in index.parts}
        parts = [by_place[one["S"], one["T"], one["C"]] for one in at]
        headers = [
            _named(path, place, lambda part=part: read_header(stream, part))  # type: ignore[misc]
            for place, part in zip(places, parts, strict=True)
        ]
        found = settings or from_environment()
        yield CytoFile(path, places, headers, parts, taken, index, found, trusted, stream, scenes)


def is_cyto(path: Path) -> bool:
    """Return whether a file is a .cyto file, by its suffix or its first bytes."""
    if path.suffix == ".cyto":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(container.MAGIC)) in (container.MAGIC, multi_image.MAGIC)


def open_bytes(source: Path | str | bytes) -> BinaryIO:
    """Return a file, or bytes, as a stream; raises UsageError if it cannot be read."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise UsageError(f"{source}: cannot be read ({error.strerror}).") from error


def read_index(stream: BinaryIO, *, trusted: bool) -> Index:
    """Return where the images are: of a lone container, itself."""
    stream.seek(0)
    if stream.read(len(multi_image.MAGIC)) == multi_image.MAGIC:
        return multi_image.read_index(stream, trusted=trusted)
    size = stream.seek(0, io.SEEK_END)
    return Index(((1, 1),), (Part(0, 0, 0, 0, size),), "")


def _named(path: Path, place: Place | None, work: Callable[[], Result]) -> Result:
    """Add the file's name and the image's label to an error about its bytes."""
    try:
        return work()
    except CorruptDataError as error:
        label = f" ({place.label})" if place is not None and place.label else ""
        raise type(error)(f"{path}{label}: {error}") from error
