"""OME-XML made from what is known of a file in another format: ImageJ TIFF, PNG, bioio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from cytopress.formats.ome_xml import FORBIDDEN

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
# Of the annotation that holds what OME-XML has no element for.
SOURCE = "urn:cytopress:source"


@dataclass(frozen=True)
class KnownMetadata:
    """What a file says of one scene; empty or None where it says nothing.

    Parameters
    ----------
    name : str
        Of the image.
    date : str
        When it was taken, as ISO 8601.
    description : str
        Free text.
    channels : sequence of str
        Names.
    colors : sequence of (int, int, int) or None
        Red, green and blue of each channel.
    interval_s : float, optional
        Between time points, in seconds.
    stage_um : (float or None, float or None)
        X and Y of the stage, in micrometers.
    objective, experimenter : str
        As the file names them.
    pairs : mapping
        Everything else: names and values.
    """

    name: str = ""
    date: str = ""
    description: str = ""
    channels: Sequence[str] = ()
    colors: Sequence[tuple[int, int, int] | None] = ()
    interval_s: float | None = None
    stage_um: tuple[float | None, float | None] = (None, None)
    objective: str = ""
    experimenter: str = ""
    pairs: Mapping[str, str] = field(default_factory=dict)

    def to_ome_xml(
        self, sizes: Mapping[str, int], spacing_um: Mapping[str, float], *, number: int = 0
    ) -> str:
        """Return a document with one ``Image``.

        Parameters
        ----------
        sizes : mapping
            Length of the axes X, Y, Z, C and T.
        spacing_um : mapping
            Micrometers between samples along the axes where it is known.
        number : int
            Of the scene: identifiers hold it, so that documents of several scenes can be joined.
        """
        root = ET.Element("OME", xmlns=NAMESPACE, Creator="cytopress")
        if self.experimenter:
            ET.SubElement(root, "Experimenter", ID=f"Experimenter:{number}",
                          UserName=_clean(self.experimenter))  # fmt: skip
        if self.objective:
            instrument = ET.SubElement(root, "Instrument", ID=f"Instrument:{number}")
            ET.SubElement(instrument, "Objective", ID=f"Objective:{number}:0",
                          Model=_clean(self.objective))  # fmt: skip
        image = ET.SubElement(root, "Image", ID=f"Image:{number}")
        if self.name:
            image.set("Name", _clean(self.name))
        self._add_facts(image, number)
        self._add_pixels(image, sizes, spacing_um, number)
        if self.pairs:
            identity = f"Annotation:source-{number}"
            ET.SubElement(image, "AnnotationRef", ID=identity)
            annotations = ET.SubElement(root, "StructuredAnnotations")
            annotations.append(map_annotation(identity, SOURCE, self.pairs))
        return ET.tostring(root, encoding="unicode")

    def _add_facts(self, image: ET.Element, number: int) -> None:
        if self.date:
            ET.SubElement(image, "AcquisitionDate").text = self.date
        if self.experimenter:
            ET.SubElement(image, "ExperimenterRef", ID=f"Experimenter:{number}")
        if self.description:
            ET.SubElement(image, "Description").text = _clean(self.description)
        if self.objective:
            ET.SubElement(image, "InstrumentRef", ID=f"Instrument:{number}")
            ET.SubElement(image, "ObjectiveSettings", ID=f"Objective:{number}:0")

    def _add_pixels(
        self,
        image: ET.Element,
        sizes: Mapping[str, int],
        spacing_um: Mapping[str, float],
        number: int,
    ) -> None:
        pixels = ET.SubElement(image, "Pixels", ID=f"Pixels:{number}", DimensionOrder="XYZCT")
        for letter in "XYZCT":
            pixels.set(f"Size{letter}", str(sizes[letter]))
        for letter, size in spacing_um.items():
            pixels.set(f"PhysicalSize{letter}", repr(float(size)))
            pixels.set(f"PhysicalSize{letter}Unit", "µm")
        if self.interval_s is not None:
            pixels.set("TimeIncrement", repr(float(self.interval_s)))
            pixels.set("TimeIncrementUnit", "s")
        for at in range(sizes["C"]):
            identity = f"Channel:{number}:{at}"
            channel = ET.SubElement(pixels, "Channel", ID=identity, SamplesPerPixel="1")
            if len(self.channels) == sizes["C"] and self.channels[at]:
                channel.set("Name", _clean(self.channels[at]))
            color = self.colors[at] if len(self.colors) == sizes["C"] else None
            if color is not None:
                channel.set("Color", str(_signed(*color)))
        x, y = self.stage_um
        if x is not None or y is not None:
            plane = ET.SubElement(pixels, "Plane", TheZ="0", TheT="0", TheC="0")
            for letter, place in (("X", x), ("Y", y)):
                if place is not None:
                    plane.set(f"Position{letter}", repr(float(place)))
                    plane.set(f"Position{letter}Unit", "µm")


def map_annotation(identity: str, namespace: str, pairs: Mapping[str, str]) -> ET.Element:
    """Return a ``MapAnnotation``: names and values."""
    annotation = ET.Element("MapAnnotation", ID=identity, Namespace=namespace)
    value = ET.SubElement(annotation, "Value")
    for key, text in pairs.items():
        ET.SubElement(value, "M", K=_clean(key)).text = _clean(text)
    return annotation


def _clean(text: str) -> str:
    return FORBIDDEN.sub("", str(text))


def _signed(red: int, green: int, blue: int) -> int:
    """Return a color as OME has it: a signed integer of red, green, blue and alpha."""
    value = red << 24 | green << 16 | blue << 8 | 255
    return value - 2**32 if value >= 2**31 else value
