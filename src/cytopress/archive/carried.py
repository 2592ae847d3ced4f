"""Metadata carried over from a source into an OME-Zarr image, and what has no place there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from cytopress.archive.zarr_sources import LABELS, attributes_of
from cytopress.formats.ome_document import StoredDocument, TakenScene, parse, stored_document
from cytopress.formats.scene import Scene

# OME-XML's units of time, and those of OME-Zarr; of wavelengths, in nanometers.
TIMES = {
    "s": "second", "ms": "millisecond", "µs": "microsecond", "ns": "nanosecond", "min": "minute",
    "h": "hour", "d": "day",
}  # fmt: skip
NANOMETERS = {"nm": 1.0, "µm": 1e3, "Å": 0.1}
# Of a multiscale image: what is made anew.
MADE = frozenset({"axes", "coordinateTransformations", "datasets", "metadata", "type", "version"})


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What an image's attributes take over from its source.

    Parameters
    ----------
    title : str
        Name of the image; "" for that of its folder.
    interval : (float, str), optional
        Between time points, and OME-Zarr's name of the unit, "" where it is unknown.
    origin_um : (z, y, x), optional
        Place of the first pixel, in micrometers.
    omero : dict
        How the source is shown, in part or as a whole.
    image_label : dict, optional
        What a label image says of its labels.
    others : dict
        Attributes of others than OME-Zarr.
    """

    title: str = ""
    interval: tuple[float, str] | None = None
    origin_um: tuple[float, float, float] | None = None
    omero: dict[str, Any] = field(default_factory=dict)
    image_label: dict[str, Any] | None = None
    others: dict[str, Any] = field(default_factory=dict)


def document_of(scene: Scene) -> StoredDocument:
    """Return the OME-XML of a scene; ``bare`` where it says nothing that the attributes do not."""
    every = (range(scene.length("T")), range(scene.length("C")))
    return stored_document([TakenScene(scene, *every)])


def carry(scene: Scene, path: Path) -> tuple[Carried, list[str]]:
    """Return what is carried over from a scene beside its OME-XML, and what is lost."""
    found = document_of(scene)
    lost = [*scene.notes, *found.lost]
    pixels = parse(found.text).find("Image/Pixels")
    assert pixels is not None
    if path.is_dir():
        carried, more = _of_zarr(scene, path)
        return carried, lost + more
    return Carried(interval=_interval(pixels), omero=_omero(scene, pixels)), lost


def _of_zarr(scene: Scene, path: Path) -> tuple[Carried, list[str]]:
    """Return what the attributes of an OME-Zarr image say."""
    attributes = attributes_of(path)
    several = attributes.ome.get("multiscales") or [{}]
    scales: Mapping[str, Any] = several[0]
    lost = [f"{len(several) - 1} more multiscale images of the group"] if len(several) > 1 else []
    lost += [f"{key!r} of its multiscale image" for key in sorted(scales.keys() - MADE - {"name"})]
    known = {LABELS, "OME", *(one["path"].split("/")[0] for one in scales.get("datasets", ()))}
    folders = [one.name for one in path.iterdir() if one.is_dir() and one.name not in known]
    if scales:
        lost += [f"its folder {name!r}" for name in sorted(folders)]
    axes = [one if isinstance(one, Mapping) else {"name": one} for one in scales.get("axes") or ()]
    scale, shift = (_transformation(scales, kind, len(axes)) for kind in ("scale", "translation"))
    by_name = {
        str(axis.get("name", "")).upper(): (step, place, str(axis.get("unit") or ""))
        for axis, step, place in zip(axes, scale, shift, strict=True)
    }
    interval, _, unit = by_name.get("T", (1.0, 0.0, ""))
    places = [_place(scene, letter, by_name) for letter in "ZYX"]
    origin = (places[0], places[1], places[2]) if any(places) else None
    omero = attributes.ome.get("omero")
    label = attributes.ome.get("image-label")
    return Carried(
        title=str(scales.get("name") or ""),
        interval=(interval, unit) if interval != 1 or unit else None,
        origin_um=origin,
        omero=dict(omero) if isinstance(omero, Mapping) else {},
        image_label={key: value for key, value in label.items() if key != "version"}
        if isinstance(label, Mapping)
        else None,
        others=dict(attributes.others),
    ), lost


def _place(scene: Scene, letter: str, axes: Mapping[str, tuple[float, float, str]]) -> float:
    """Return the place of the first pixel along an axis in micrometers; 0 where it is unknown."""
    step, place, _ = axes.get(letter, (1.0, 0.0, ""))
    return place * scene.spacing_um[letter] / step if letter in scene.spacing_um else 0.0


def _transformation(scales: Mapping[str, Any], kind: str, axes: int) -> list[float]:
    """Return the scale or translation of the full resolution along each axis."""
    level = (scales.get("datasets") or [{}])[0]
    given = [
        np.asarray(one[kind], dtype=float)
        for place in (level, scales)
        for one in place.get("coordinateTransformations") or ()
        if one.get("type") == kind and kind in one
    ]
    start = np.ones(axes) if kind == "scale" else np.zeros(axes)
    found: list[float] = (np.prod if kind == "scale" else np.sum)([start, *given], axis=0).tolist()
    return found


def _interval(pixels: ET.Element) -> tuple[float, str] | None:
    step = _number(pixels.get("TimeIncrement"))
    unit = TIMES.get(pixels.get("TimeIncrementUnit", "s"))
    return (step, unit) if step and unit else None


def _omero(scene: Scene, pixels: ET.Element) -> dict[str, Any]:
    """Return names, colors and wavelengths of the channels, as OME-XML says them."""
    channels = []
    for channel in pixels.iterfind("Channel"):
        found: dict[str, Any] = {}
        if name := channel.get("Name", "").strip():
            found["label"] = name
        color = channel.get("Color", "")
        if color.lstrip("-").isdecimal():
            found["color"] = f"{int(color) % 2**32 >> 8:06X}"
        wavelength = _number(channel.get("EmissionWavelength"))
        factor = NANOMETERS.get(channel.get("EmissionWavelengthUnit", "nm"))
        if wavelength and factor:
            found["emissionWave"] = wavelength * factor
        channels.append(found)
    return {"channels": channels} if len(channels) == scene.length("C") and any(channels) else {}


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
