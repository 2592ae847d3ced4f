"""OME-XML of decoded images: the source's, and how each channel was coded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cytopress.formats.known_metadata import NAMESPACE, KnownMetadata, map_annotation
from cytopress.formats.ome_document import (
    STORAGE,
    TYPES,
    insert,
    parse,
    to_text,
)
from cytopress.image import Spacing

# Of the annotations that say how a channel was coded.
CODING = "urn:cytopress:coding"
Coding = Mapping[str, str]


@dataclass(frozen=True)
class WrittenScene:
    """The form of a scene's images, and how each of its channels was coded.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) or (Z, Y, X).
    dtype : str
        Of a pixel, as numpy names it.
    bits : int
        Significant bits.
    spacing_um : tuple or None
        Micrometers between samples along each axis, None where unknown.
    times : int
        Time points.
    codings : sequence of mapping
        Of each channel: names and values, in words.
    names : sequence of str
        Of the channels, used where no document gives them.
    """

    shape: tuple[int, ...]
    dtype: str
    bits: int
    spacing_um: Spacing | None
    times: int
    codings: Sequence[Coding]
    names: Sequence[str] = ()

    @property
    def sizes(self) -> dict[str, int]:
        """Length of the axes X, Y, Z, C and T."""
        lengths = dict(zip("XYZ", (*self.shape[::-1], 1), strict=False))
        return lengths | {"C": len(self.codings), "T": self.times}


def written_document(text: str, scenes: Sequence[WrittenScene], *, uuid: str = "") -> str:
    """Return the OME-XML of scenes whose planes follow each other: by time, channel and Z.

    Parameters
    ----------
    text : str
        The document that was stored with the images; "" where there is none.
    scenes : sequence of WrittenScene
        In the order of the document.
    uuid : str
        Of the file.

    Raises
    ------
    ValueError
        The document is malformed, or describes other scenes.
    """
    root = parse(text) if text else _made(scenes)
    first = 0
    images = _fitting(root, [scene.sizes for scene in scenes])
    for image, scene in zip(images, scenes, strict=True):
        pixels = image.find("Pixels")
        assert pixels is not None
        _describe(pixels, scene)
        planes = scene.sizes["Z"] * scene.sizes["C"] * scene.times
        stored = ET.Element("TiffData", IFD=str(first), PlaneCount=str(planes))
        pixels.insert(len(pixels.findall("Channel")), stored)
        first += planes
    _annotate(root, images, scenes)
    if uuid:
        root.set("UUID", f"urn:uuid:{uuid}")
    root.attrib.setdefault("Creator", "cytopress")
    return '<?xml version="1.0" encoding="UTF-8"?>' + to_text(root)


def channel_names(text: str, sizes: Sequence[Mapping[str, int]]) -> list[list[str]]:
    """Return the names of each image's channels, "" where there is none.

    Parameters
    ----------
    text : str
        A document.
    sizes : sequence of mapping
        Length of the axes X, Y, Z, C and T of each image that it should describe.

    Raises
    ------
    ValueError
        The document is malformed, or describes other images.
    """
    return [
        [channel.get("Name", "") for channel in image.iterfind("Pixels/Channel")]
        for image in _fitting(parse(text), sizes)
    ]


def lossy_codings(text: str) -> list[str]:
    """Return how channels were coded with loss, each way once, by the annotations of a document.

    There are none in a text that is no OME-XML.
    """
    if CODING not in text:
        return []
    try:
        root = parse(text)
    except ValueError:
        return []
    found: list[str] = []
    for annotation in root.iter():
        if annotation.get("Namespace") == CODING:
            pairs = {one.get("K"): one.text or "" for one in annotation.iter() if one.get("K")}
            if pairs.get("lossless") != "true":
                found.append(pairs.get("codec", "an unknown codec"))
    return list(dict.fromkeys(found))


def _fitting(root: ET.Element, sizes: Sequence[Mapping[str, int]]) -> list[ET.Element]:
    """Return the ``Image`` elements, checked to describe images of these sizes."""
    images = root.findall("Image")
    if len(images) != len(sizes):
        raise ValueError(f"it describes {len(images)} images, not {len(sizes)}")
    for number, (image, size) in enumerate(zip(images, sizes, strict=True)):
        pixels = image.findall("Pixels")
        told = [one.get(f"Size{letter}") for one in pixels for letter in "XYZCT"]
        there = [str(size[letter]) for letter in "XYZCT"]
        if told != there or len(pixels[0].findall("Channel")) != size["C"]:
            raise ValueError(f"its image {number} is of another size: {told}, not {there}")
    return images


def annotated(text: str, scenes: Sequence[WrittenScene]) -> str:
    """Return a document that says of each channel of its images how it was coded."""
    root = parse(text)
    images = _fitting(root, [scene.sizes for scene in scenes])
    _annotate(root, images, scenes)
    return to_text(root)


def _annotate(
    root: ET.Element, images: Sequence[ET.Element], scenes: Sequence[WrittenScene]
) -> None:
    """Add to each channel of each ``Image`` how it was coded, as a ``MapAnnotation``."""
    prefix = _annotation_prefix(root)
    annotations = root.find(f"{prefix}StructuredAnnotations")
    if annotations is None:
        annotations = ET.Element(f"{prefix}StructuredAnnotations")
        insert(root, annotations)
    taken = {element.get("ID") for element in annotations}
    for number, (image, scene) in enumerate(zip(images, scenes, strict=True)):
        channels = image.iterfind("Pixels/Channel")
        for at, (channel, coding) in enumerate(zip(channels, scene.codings, strict=True)):
            identity = f"Annotation:cytopress-{number}-{at}"
            # Images that were decoded before have annotations already: those stay.
            while identity in taken:
                identity += "-again"
            if coding:
                _annotate_channel(annotations, channel, coding, identity, prefix)


def _annotate_channel(
    annotations: ET.Element, channel: ET.Element, coding: Coding, identity: str, prefix: str
) -> None:
    annotation = map_annotation(identity, CODING, coding)
    reference = ET.Element("AnnotationRef", ID=identity)
    for element in (*annotation.iter(), reference):
        element.tag = f"{prefix}{element.tag}"
    annotations.append(annotation)
    paths = [n for n, child in enumerate(channel) if child.tag == "LightPath"]
    channel.insert(paths[0] if paths else len(channel), reference)


def _annotation_prefix(root: ET.Element) -> str:
    """Return the namespace of annotations, which was one of its own before 2016."""
    namespace = root.get("xmlns", NAMESPACE)
    return "" if namespace == NAMESPACE else f"{{{namespace.replace('/OME/', '/SA/')}}}"


def _made(scenes: Sequence[WrittenScene]) -> ET.Element:
    root = ET.Element("OME", xmlns=NAMESPACE, Creator="cytopress")
    for number, scene in enumerate(scenes):
        known = KnownMetadata(channels=scene.names)
        root.append(parse(known.to_ome_xml(scene.sizes, {}, number=number))[0])
    return root


def _describe(pixels: ET.Element, scene: WrittenScene) -> None:
    pixels.set("DimensionOrder", "XYZCT")
    pixels.set("Type", TYPES.get(scene.dtype, scene.dtype))
    exact = all(coding.get("lossless") == "true" for coding in scene.codings)
    if scene.dtype.startswith("float"):
        pixels.attrib.pop("SignificantBits", None)
    # Decoded pixels may go beyond what the source says and its reader did not use.
    elif not exact or "SignificantBits" not in pixels.attrib:
        pixels.set("SignificantBits", str(scene.bits))
    letters = "ZYX"[-len(scene.shape) :]
    for letter, size in zip(letters, scene.spacing_um or (), strict=False):
        if size is not None and f"PhysicalSize{letter}" not in pixels.attrib:
            pixels.set(f"PhysicalSize{letter}", repr(float(size)))
            pixels.set(f"PhysicalSize{letter}Unit", "µm")
    pixels[:] = [element for element in pixels if element.tag not in STORAGE]
