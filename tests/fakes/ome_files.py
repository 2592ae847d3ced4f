"""Image files with rich metadata: what a microscope, ImageJ and a bioio plugin know."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

CHANNELS = ("DNA", "ER", "RNA", "AGP", "Mito", "Brightfield")
WAVELENGTHS = ((385, 461), (470, 525), (525, 573), (550, 600), (640, 690))
TIMES, HEIGHT, WIDTH = 2, 20, 24
NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def six_channels(images: int = 1, namespace: str = NAMESPACE) -> str:
    """Return OME-XML as a Cell Painting screen has it; each image at its own stage position."""
    fields = "".join(_image(number) for number in range(images))
    samples = "".join(
        f'<WellSample ID="WellSample:0:0:{n}" Index="{n}"><ImageRef ID="Image:{n}"/></WellSample>'
        for n in range(images)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="{namespace}" Creator="Acme Scope 3.1"
 UUID="urn:uuid:0bad0bad-0000-0000-0000-000000000001">
<Plate ID="Plate:0" Name="BR0011"><Well ID="Well:0:0" Row="2" Column="11">{samples}</Well></Plate>
<Experimenter ID="Experimenter:0" FirstName="Ada" LastName="L&#246;fgren"/>
<Instrument ID="Instrument:0"><Microscope Manufacturer="Acme" Model="Scope"/>
<LightEmittingDiode ID="LightSource:0:0" Model="Spectra"/>
<Detector ID="Detector:0:0" Model="sCMOS 4.2" Type="CMOS"/>
<Objective ID="Objective:0:0" Model="Plan Apo" NominalMagnification="20.0" LensNA="0.75"
 Immersion="Air"/></Instrument>
{fields}
<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="acme/plate"><Value>
<M K="compound">DMSO</M></Value></MapAnnotation></StructuredAnnotations>
<ROI ID="ROI:0"><Union><Rectangle ID="Shape:0:0" X="1" Y="2" Width="3" Height="4"/></Union></ROI>
</OME>"""


def _image(number: int) -> str:
    channels = "".join(_channel(number, at) for at in range(len(CHANNELS)))
    planes = "".join(
        f'<Plane TheZ="0" TheT="{t}" TheC="{c}" DeltaT="{60 * t + c / 8}" DeltaTUnit="s"'
        f' ExposureTime="{10 + 5 * c}" ExposureTimeUnit="ms" PositionX="{100.5 + number}"'
        f' PositionXUnit="µm" PositionY="-{7 + number}.25" PositionYUnit="µm"/>'
        for t in range(TIMES)
        for c in range(len(CHANNELS))
    )
    first = number * TIMES * len(CHANNELS)
    return f"""<Image ID="Image:{number}" Name="B12 field {number}">
<AcquisitionDate>2024-03-05T06:07:08</AcquisitionDate><ExperimenterRef ID="Experimenter:0"/>
<Description>Cell Painting, fixed</Description><InstrumentRef ID="Instrument:0"/>
<ObjectiveSettings ID="Objective:0:0" RefractiveIndex="1.0"/>
<StageLabel Name="B12" X="{number}.5" XUnit="mm"/>
<Pixels ID="Pixels:{number}" DimensionOrder="XYCZT" Type="uint16" SignificantBits="12"
 SizeX="{WIDTH}" SizeY="{HEIGHT}" SizeZ="1" SizeC="{len(CHANNELS)}" SizeT="{TIMES}"
 PhysicalSizeX="598.0" PhysicalSizeXUnit="nm" PhysicalSizeY="0.598" PhysicalSizeYUnit="µm"
 TimeIncrement="60.0" TimeIncrementUnit="s" BigEndian="false">
{channels}<TiffData IFD="{first}" PlaneCount="{TIMES * len(CHANNELS)}"/>{planes}</Pixels>
<ROIRef ID="ROI:0"/><AnnotationRef ID="Annotation:0"/></Image>"""


def _channel(number: int, at: int) -> str:
    waves = ""
    if at < len(WAVELENGTHS):
        excitation, emission = WAVELENGTHS[at]
        waves = (
            f' ExcitationWavelength="{excitation}.0" ExcitationWavelengthUnit="nm"'
            f' EmissionWavelength="{emission}.0" EmissionWavelengthUnit="nm"'
        )
    return (
        f'<Channel ID="Channel:{number}:{at}" Name="{CHANNELS[at]}" SamplesPerPixel="1"'
        f' Color="{at * 1000 - 1}" Fluor="dye {at}" AcquisitionMode="WideField"{waves}>'
        f'<LightSourceSettings ID="LightSource:0:0" Attenuation="0.{at}"/>'
        f'<DetectorSettings ID="Detector:0:0" Binning="1x1" Gain="{at}.5"/><LightPath/></Channel>'
    )


def write_six_channels(path: Path, images: int = 1, namespace: str = NAMESPACE) -> np.ndarray:
    """Write them; return the pixels: image, time, channel, Y, X."""
    import tifffile

    random = np.random.default_rng(7)
    shape = (images, TIMES, len(CHANNELS), HEIGHT, WIDTH)
    pixels = random.integers(100, 4000, shape).astype(np.uint16)
    text = six_channels(images, namespace).encode()
    with tifffile.TiffWriter(path) as file:
        for number, plane in enumerate(pixels.reshape(-1, HEIGHT, WIDTH)):
            file.write(
                plane, photometric="minisblack", metadata=None, description=None if number else text
            )
    return pixels


# Where pixels are stored, which every writer decides for itself.
STORAGE = {
    ("OME", "UUID"), ("OME", "schemaLocation"), ("Pixels", "DimensionOrder"),
    ("Pixels", "BigEndian"), ("Pixels", "Interleaved"), ("Channel", "SamplesPerPixel"),
}  # fmt: skip


def facts(text: str) -> set[tuple[str, str, str]]:
    """Return all that a document says: place, attribute (or "text") and value.

    A place is the path of elements, each with its identifier or its position among planes.
    """
    found: set[tuple[str, str, str]] = set()

    def walk(element: ET.Element, place: str) -> None:
        tag = element.tag.rpartition("}")[2]
        if tag in ("TiffData", "MetadataOnly"):
            return
        known = element.get("ID") or element.get("K") or "/".join(
            element.get(key, "") for key in ("TheZ", "TheT", "TheC")
        )  # fmt: skip
        place = f"{place}>{tag} {known}"
        if (element.text or "").strip():
            found.add((place, "text", element.text.strip()))
        for key, value in element.attrib.items():
            if (tag, key.rpartition("}")[2]) not in STORAGE:
                found.add((place, key, value))
        for child in element:
            walk(child, place)

    walk(ET.fromstring(text), "")
    return found
