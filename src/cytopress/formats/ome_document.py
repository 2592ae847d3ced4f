"""OME-XML of the images that are taken from a file: the source's own, cut to those.

The document describes what is stored and no more: an ``Image`` for each scene, with the channels,
time points and planes that were selected. Instruments, experimenters, regions of interest and
annotations stay as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cytopress.formats.known_metadata import KnownMetadata
from cytopress.formats.scene import Scene, SourceMetadata

# Order of the elements that an OME document may hold.
ORDER = (
    "Rights", "Project", "Dataset", "Folder", "Experiment", "Plate", "Screen", "Experimenter",
    "ExperimenterGroup", "Instrument", "Image", "StructuredAnnotations", "ROI",
)  # fmt: skip
TYPES = {"float32": "float", "float64": "double"}
# Of a document: real ones have some 15 levels, and an element or two for each plane.
DEEPEST, MOST_ELEMENTS = 64, 2**20
# What says where pixels are stored.
STORAGE = ("BinData", "TiffData", "MetadataOnly")
# Attributes that the container of an image tells by itself, or that every file has.
PLAIN: Mapping[str, frozenset[str]] = {
    "OME": frozenset({"UUID", "Creator", "schemaLocation"}),
    "Image": frozenset({"ID"}),
    "Pixels": frozenset({
        "ID", "DimensionOrder", "Type", "BigEndian", "Interleaved", "SignificantBits",
        *(f"Size{letter}" for letter in "XYZCT"),
    }),
    "Channel": frozenset({"ID", "SamplesPerPixel"}),
    "Plane": frozenset({"TheZ", "TheC", "TheT"}),
}  # fmt: skip


@dataclass(frozen=True)
class TakenScene:
    """A scene, and what is taken of it: its time points, its channels, and one plane or all."""

    scene: Scene
    times: Sequence[int]
    channels: Sequence[int]
    plane: int | None = None


@dataclass(frozen=True)
class StoredDocument:
    """OME-XML of the images that are stored, and what of the source it does not hold.

    ``bare`` says that it holds nothing beyond what each image's own container tells.
    """

    text: str
    bare: bool
    lost: tuple[str, ...]


@dataclass(frozen=True)
class _Document:
    """A document parsed once, however many scenes it describes."""

    root: ET.Element
    images: Sequence[ET.Element]

    @classmethod
    def of(cls, text: str) -> _Document:
        root = parse(text)
        return cls(root, root.findall("Image"))


def stored_document(taken: Sequence[TakenScene]) -> StoredDocument:
    """Return the OME-XML of what is taken of a file's scenes."""
    lost: list[str] = []
    documents: dict[str, _Document] = {}
    images: dict[str, ET.Element] = {}
    for number, one in enumerate(taken):
        source = _source(number, one.scene, documents)
        image = copy.deepcopy(documents[source.text].images[source.image])
        if str(image.get("ID")) in images:
            _rename(image, number)
        images[str(image.get("ID"))] = image
        lost += [*source.lost, *_cut(image, one)]
    root, *others = (document.root for document in documents.values())
    for document in (root, *others):
        document[:] = [child for child in document if child.tag != "Image"]
    for other in others:
        _merge(root, other)
    at = _position(root, "Image")
    root[at:at] = list(images.values())
    _drop_dangling(root, images)
    root.attrib.pop("UUID", None)
    plain = [name for letter in "XYZ" if all(_is_in_form(one, letter) for one in taken)
             for name in (f"PhysicalSize{letter}", f"PhysicalSize{letter}Unit")]  # fmt: skip
    names = {_stem(one.scene.path) for one in taken} | {"", "Image0"}
    bare = not _says_more(root, plain, names)
    return StoredDocument(to_text(root), bare, tuple(dict.fromkeys(lost)))


def parse(text: str) -> ET.Element:
    """Parse a document; names of elements lose OME's namespace, which the root keeps.

    Raises
    ------
    ValueError
        It is malformed, no OME-XML, or of more or deeper elements than any.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it declares a document type, which OME-XML has no use for")
    root = _checked_tree(text)
    namespace, brace, name = root.tag.rpartition("}")
    if name != "OME":
        raise ValueError(f"its root is {root.tag}, not OME")
    for element in root.iter():
        element.tag = element.tag.removeprefix(namespace + brace)
    if namespace:
        root.set("xmlns", namespace[1:])
    return root


def _checked_tree(text: str) -> ET.Element:
    """Return the root of a tree that fills neither the memory nor the stack of what walks it."""
    # Every element begins with one.
    if text.count("<") > 2 * MOST_ELEMENTS:
        raise ValueError(f"it has more than {MOST_ELEMENTS} elements")
    try:
        # Without a document type there are no entities to expand.
        root = ET.fromstring(text)  # noqa: S314
    except ET.ParseError as error:
        raise ValueError(str(error)) from error
    level = [root]
    for _ in range(DEEPEST):
        level = [child for element in level for child in element]
    if level:
        raise ValueError(f"it has more than {DEEPEST} levels")
    return root


def to_text(root: ET.Element) -> str:
    """Return a document as text."""
    return ET.tostring(root, encoding="unicode")


def _source(number: int, scene: Scene, documents: dict[str, _Document]) -> SourceMetadata:
    """Return the document of a scene, parsed into ``documents``; made where it has none."""
    found = scene.metadata() if scene.metadata is not None else None
    lost = found.lost if found is not None else ()
    if found is not None and found.text:
        try:
            if found.text not in documents:
                documents[found.text] = _Document.of(found.text)
            images = documents[found.text].images
            if len(images) > found.image and images[found.image].find("Pixels") is not None:
                return found
        except ValueError as error:
            lost = (*lost, f"its OME-XML, which is malformed ({error})")
    made = KnownMetadata(channels=tuple(name.strip() for name in scene.channels))
    sizes = {letter: scene.length(letter) for letter in "XYZCT"}
    text = made.to_ome_xml(sizes, scene.spacing_um, number=number)
    documents[text] = _Document.of(text)
    return SourceMetadata(text, 0, lost)


def _cut(image: ET.Element, taken: TakenScene) -> list[str]:
    """Cut an ``Image`` to what is taken of its scene; return what could not be kept."""
    pixels = image.find("Pixels")
    assert pixels is not None
    scene = taken.scene
    fits = all(pixels.get(f"Size{letter}") == str(scene.length(letter)) for letter in "ZCT")
    planes = range(scene.length("Z")) if taken.plane is None else (taken.plane,)
    lost = _cut_channels(pixels, taken)
    if not fits and any(len(plane.attrib) > 3 for plane in pixels.iterfind("Plane")):
        lost.append("what it says of planes, whose axes are read another way")
    kept = {"TheT": taken.times, "TheC": taken.channels, "TheZ": planes}
    _cut_planes(pixels, kept, fits=fits)
    lengths = {letter: scene.length(letter) for letter in "XY"}
    lengths |= {"Z": len(planes), "C": len(taken.channels), "T": len(taken.times)}
    for letter, length in lengths.items():
        pixels.set(f"Size{letter}", str(length))
    pixels.set("DimensionOrder", "XYZCT")
    pixels.set("Type", TYPES.get(scene.dtype.name, scene.dtype.name))
    for name in ("BigEndian", "Interleaved"):
        pixels.attrib.pop(name, None)
    pixels[:] = [element for element in pixels if element.tag not in STORAGE]
    pixels.insert(lengths["C"], ET.Element("MetadataOnly"))
    return lost


def _cut_channels(pixels: ET.Element, taken: TakenScene) -> list[str]:
    """Leave one ``Channel`` for each that is taken; decoding adds to it how it was coded."""
    channels, lost = pixels.findall("Channel"), []
    if len(channels) == taken.scene.length("C"):
        kept = [channels[number] for number in taken.channels]
        for channel in kept:
            channel.attrib.pop("SamplesPerPixel", None)
    else:
        identity = str(pixels.get("ID", "Pixels:0")).partition(":")[2]
        numbers = range(len(taken.channels))
        kept = [ET.Element("Channel", ID=f"Channel:{identity}:{number}") for number in numbers]
        if any(_says_more(channel, (), set()) for channel in channels):
            lost.append("what it says of channels, whose number is not that of its pixels")
    for channel in kept:
        channel.set("SamplesPerPixel", "1")
    pixels[:] = [*kept, *(element for element in pixels if element.tag != "Channel")]
    return lost


def _cut_planes(pixels: ET.Element, kept: Mapping[str, Sequence[int]], *, fits: bool) -> None:
    """Leave what is said of the planes that are taken, and number those anew."""
    moved = {key: {str(old): str(new) for new, old in enumerate(kept[key])} for key in kept}
    children = []
    for child in pixels:
        if child.tag == "Plane":
            places = {key: moved[key].get(child.get(key, "").strip()) for key in moved}
            if not fits or None in places.values():
                continue
            child.attrib.update({key: str(place) for key, place in places.items()})
        children.append(child)
    pixels[:] = children


def _rename(image: ET.Element, number: int) -> None:
    """Give an ``Image`` that describes a second scene identifiers of its own."""
    image.set("ID", f"Image:scene-{number}")
    for pixels in image.iterfind("Pixels"):
        pixels.set("ID", f"Pixels:scene-{number}")
        for at, channel in enumerate(pixels.iterfind("Channel")):
            channel.set("ID", f"Channel:scene-{number}:{at}")


def _merge(root: ET.Element, other: ET.Element) -> None:
    """Move what another document says beside its images to the first one."""
    for child in list(other):
        there = root.find("StructuredAnnotations")
        if child.tag == "StructuredAnnotations" and there is not None:
            there.extend(child)
        else:
            insert(root, child)


def insert(root: ET.Element, child: ET.Element) -> None:
    """Insert a child of the root where the schema wants it."""
    root.insert(_position(root, child.tag.rpartition("}")[2]), child)


def _position(root: ET.Element, tag: str) -> int:
    after = ORDER[ORDER.index(tag) + 1 :] if tag in ORDER else ()
    names = (child.tag.rpartition("}")[2] for child in root)
    return next((number for number, name in enumerate(names) if name in after), len(root))


def _drop_dangling(root: ET.Element, images: Collection[str]) -> None:
    """Drop references to images that are not taken."""
    for parent in list(root.iter()):
        for reference in parent.findall("ImageRef"):
            if reference.get("ID") not in images:
                parent.remove(reference)


def _is_in_form(taken: TakenScene, letter: str) -> bool:
    """Return whether a container holds the pixel size along an axis, or has no such axis."""
    flat = taken.scene.length("Z") == 1 or taken.plane is not None
    return letter in taken.scene.spacing_um or (letter == "Z" and flat)


def _says_more(element: ET.Element, plain: Sequence[str], names: set[str]) -> bool:
    """Return whether an element holds anything but ``plain`` and `PLAIN` attributes."""
    if (element.text or "").strip():
        return True
    for key, value in element.attrib.items():
        name = key.rpartition("}")[2]
        if name in PLAIN.get(element.tag, ()) or name == "xmlns" or not value.strip():
            continue
        if element.tag == "Pixels" and name in plain:
            continue
        if element.tag == "Image" and name == "Name" and value in names:
            continue
        return True
    return any(_says_more(child, plain, names) for child in element)


def _stem(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].partition(".")[0]
