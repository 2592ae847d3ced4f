"""OME-XML: the metadata of each ``Image``, and the planes in TIFF files that it describes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cytopress.formats.units import read_size

ROOT = re.compile(r"<(?:\w+:)?OME[\s>]")
END = re.compile(r"</(?:\w+:)?OME\s*>")
# Characters that XML 1.0 forbids; programs leave them in names and after the end.
FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class SceneMetadata:
    """Metadata of one scene; empty or 0 where the file lacks them.

    ``notes`` say which metadata are there and cannot be used.
    """

    spacing_um: Mapping[str, float]
    channels: tuple[str, ...] = ()
    bits: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlaneRange:
    """One ``TiffData``: a range of page directories in one of the files.

    ``file`` and ``uuid`` are "" for the file that holds the XML; a ``count`` of 0 is all pages.
    """

    file: str
    uuid: str
    first: int
    count: int

    def holds(self, page: int) -> bool:
        """Return whether a page directory, counted from 0, is in the range."""
        return page >= self.first and (not self.count or page < self.first + self.count)


@dataclass(frozen=True)
class OmeImage:
    """One ``Image``: its number, its metadata, its rows and columns, and where its planes are."""

    number: int
    metadata: SceneMetadata
    size: tuple[int, int]
    planes: tuple[PlaneRange, ...]


@dataclass(frozen=True)
class OmeXml:
    """A document: the UUID of its file, its images, and the companion file that it refers to.

    ``text`` is the XML as it was parsed; ``repaired`` where it had forbidden characters.
    """

    text: str
    uuid: str
    images: tuple[OmeImage, ...]
    companion: str = ""
    repaired: bool = False

    @property
    def uuids(self) -> frozenset[str]:
        """UUIDs of all files of the set, where the XML tells them."""
        return frozenset(p.uuid for image in self.images for p in image.planes if p.uuid)

    @property
    def files(self) -> Mapping[str, str]:
        """UUID of each file that holds planes, by file name."""
        return {p.file: p.uuid for image in self.images for p in image.planes if p.file}


def is_ome_xml(text: str) -> bool:
    """Return whether a TIFF description is OME-XML, well-formed or not."""
    return ROOT.search(text[:4096]) is not None


def parse_ome_xml(text: str) -> OmeXml:
    """Parse OME-XML; forbidden characters, and what follows its end, are left out.

    Raises
    ------
    ValueError
        The XML is malformed: the message says how.
    """
    clean = FORBIDDEN.sub("", text)
    ends = [found.end() for found in END.finditer(clean)]
    clean = clean[: ends[-1]] if ends else clean
    try:
        # Expat itself refuses the entity bombs that the rule warns of.
        root = ET.fromstring(clean)  # noqa: S314
    except ET.ParseError as error:
        raise ValueError(str(error)) from error
    binary_only = root.find("{*}BinaryOnly")
    return OmeXml(
        clean,
        root.get("UUID", ""),
        tuple(
            _image(number, pixels)
            for number, image in enumerate(root.iterfind("{*}Image"))
            if (pixels := image.find("{*}Pixels")) is not None
        ),
        companion="" if binary_only is None else binary_only.get("MetadataFile", ""),
        repaired=FORBIDDEN.search(text[: len(clean)]) is not None,
    )


def _image(number: int, pixels: ET.Element) -> OmeImage:
    size = _integer(pixels.get("SizeY")), _integer(pixels.get("SizeX"))
    planes = tuple(_plane_range(data) for data in pixels.iterfind("{*}TiffData"))
    return OmeImage(number, _metadata(pixels), size, planes)


def _plane_range(data: ET.Element) -> PlaneRange:
    uuid = data.find("{*}UUID")
    # The older name of PlaneCount; one page if a page is named, all of them otherwise.
    count = data.get("PlaneCount", data.get("NumPlanes", "1" if "IFD" in data.attrib else "0"))
    return PlaneRange(
        file="" if uuid is None else uuid.get("FileName", ""),
        uuid="" if uuid is None else (uuid.text or "").strip(),
        first=_integer(data.get("IFD")),
        count=_integer(count),
    )


def _metadata(pixels: ET.Element) -> SceneMetadata:
    spacing, notes = {}, []
    for letter in "ZYX":
        given = pixels.get(f"PhysicalSize{letter}")
        if given is None:
            continue
        value, note = read_size(given, pixels.get(f"PhysicalSize{letter}Unit", "um"), letter)
        if value is not None:
            spacing[letter] = value
        elif note:
            notes.append(note)
    bits = pixels.get("SignificantBits")
    if bits is not None and not _integer(bits):
        notes.append(f"the significant bits, {bits}, are no positive integer")
    return SceneMetadata(
        spacing,
        tuple(channel.get("Name", "") for channel in pixels.iterfind("{*}Channel")),
        _integer(bits),
        tuple(notes),
    )


def _integer(text: str | None) -> int:
    return int(text) if text is not None and text.strip().isdecimal() else 0
