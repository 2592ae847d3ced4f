"""Metadata verification: what an archive says of each image, and what its source says today."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import zarr

from cytopress.archive import layout
from cytopress.archive.carried import carry
from cytopress.archive.groups import documents_of, groups_of
from cytopress.archive.plan import ImagePlan, Plan
from cytopress.archive.sources import Source, checked, opened
from cytopress.archive.stores import Store
from cytopress.archive.zarr_sources import OWN_KEYS
from cytopress.errors import CytopressError
from cytopress.formats.ome_document import parse
from cytopress.formats.remote import path_of
from cytopress.formats.scene import Scene
from cytopress.formats.zarr_metadata import COLLECTION

COMPARED = (
    "sizes, pixel type, pixel size, origin, time interval; names, colors and wavelengths of"
    " channels; labels and plates; attributes of others; OME-XML with its dates, positions,"
    " instruments and annotations"
)
MICROMETER = "micrometer"


@dataclass(frozen=True)
class Comparison:
    """By image or group: how its metadata differ, and what of its source was not carried over."""

    different: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)


def compare(store: Store, plan: Plan, sources: Mapping[str, Source]) -> Comparison:
    """Compare the metadata of all images and groups with those of their sources."""
    found = Comparison()
    images = [image for image in plan.images if image.name in sources]
    for image in images:
        source = sources[image.name]
        try:
            with opened(source, image.axes) as scenes:
                scene = checked(scenes[image.scene])
                carried, lost = carry(scene, source.path)
                wrong = [*_forms(store, image, scene)]
                now = replace(image, carried=carried)
                wrong += wrong or _attributes(store, image.name, layout.attributes(plan, now))
                wrong += _documents(store, image.name, layout.source_document(image, source))
            if lost:
                found.lost[image.name] = "; ".join(lost)
        except (CytopressError, IndexError) as error:
            wrong = [f"its source cannot be read: {error}"]
        # What is damaged fails in zarr's ways.
        except Exception as error:  # noqa: BLE001
            wrong = [f"its metadata cannot be read: {error}"]
        if wrong:
            found.different[image.name] = "; ".join(wrong)
    moved = [replace(image, source=str(sources[image.name].path)) for image in images]
    found.different.update(_groups(store, moved))
    return found


def _groups(store: Store, images: list[ImagePlan]) -> Iterator[tuple[str, str]]:
    """Yield plates, wells and lists of labels that are not as their sources say."""
    for name, expected in groups_of(images).items():
        for one in _attributes(store, name, expected):
            yield name, one
    for name, path in documents_of(images).items():
        for one in _documents(store, name, path_of(path).read_text("utf-8", "replace")):
            yield name, one


def _forms(store: Store, image: ImagePlan, scene: Scene) -> Iterator[str]:
    """Yield what differs of an array from what its source says, whatever was planned."""
    group = zarr.open_group(store.zarr(image.name), mode="r")
    array: Any = group["0"]
    ome: Any = group.attrs["ome"]
    shape = tuple(scene.length(letter) for letter in "TCZYX")
    if tuple(array.shape) != shape:
        yield f"it has the sizes {tuple(array.shape)} along TCZYX, its source {shape}"
    if array.dtype != scene.dtype.newbyteorder("="):
        yield f"it has pixels of {array.dtype}, its source of {scene.dtype}"
    labels = [one.get("label") or "" for one in ome.get("omero", {}).get("channels", ())]
    names = [name.strip() for name in scene.channels]
    pairs = zip(names, labels, strict=False)
    if len(names) == len(labels) and any(name and name != label for name, label in pairs):
        yield f"its channels are {labels}, its source's {names}"
    for letter, here in _spacing(ome).items():
        there = scene.spacing_um.get(letter)
        if (here is None) != (there is None) or not np.isclose(here or 0.0, there or 0.0):
            yield f"its pixel size along {letter} is {here} µm, its source's {there} µm"


def _spacing(ome: Any) -> dict[str, float | None]:
    """Return micrometers along Z, Y and X as OME-Zarr metadata say; None where they do not."""
    scales = ome["multiscales"][0]
    transformations = scales["datasets"][0]["coordinateTransformations"]
    scale = next(one["scale"] for one in transformations if one["type"] == "scale")
    return {
        axis["name"].upper(): step if axis.get("unit") == MICROMETER else None
        for axis, step in zip(scales["axes"], scale, strict=True)
        if axis["name"] in "zyx"
    }


def _attributes(store: Store, name: str, expected: Mapping[str, Any]) -> list[str]:
    """Return how the attributes of a group differ from those that its source gives."""
    stored = zarr.open_group(store.zarr(name), mode="r").attrs.asdict()
    here = {key: value for key, value in stored.items() if key not in OWN_KEYS}
    there = {key: value for key, value in expected.items() if key not in OWN_KEYS}
    found = _difference(here, json.loads(json.dumps(there)), "")
    return [] if found is None else [found]


def _difference(here: Any, there: Any, at: str) -> str | None:
    """Return the first difference of two JSON values in words."""
    if isinstance(here, dict) and isinstance(there, dict):
        keys = sorted({*here, *there})
        parts = [(here.get(key), there.get(key), key) for key in keys]
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        parts = [
            (one, other, str(n)) for n, (one, other) in enumerate(zip(here, there, strict=True))
        ]
    else:
        return None if here == there else f"its {at} is {here!r}, its source's {there!r}"
    found = (_difference(one, other, f"{at}/{key}".lstrip("/")) for one, other, key in parts)
    return next((one for one in found if one is not None), None)


def _documents(store: Store, name: str, expected: str | None) -> list[str]:
    """Return how the OME-XML of an image or plate differs from its source's."""
    key = f"{name}/{COLLECTION.as_posix()}"
    stored = None if store.size(key) is None else store.read(key).decode(errors="replace")
    if stored is None or expected is None:
        if stored == expected:
            return []
        where = "but its source has none" if expected is None else "which its source has"
        return [f"it has {'no ' if stored is None else ''}OME-XML, {where}"]
    found = _xml_difference(parse(stored), parse(expected), "OME")
    return [] if found is None else [f"its OME-XML says {found}"]


def _xml_difference(here: ET.Element, there: ET.Element, at: str) -> str | None:
    """Return the first difference of two elements in words."""
    for key in sorted({*here.attrib, *there.attrib}):
        one, other = here.get(key), there.get(key)
        if one != other:
            return f"{at} {key}={one!r}, its source's {other!r}"
    one, other = ((element.text or "").strip() for element in (here, there))
    if one != other:
        return f"{at} {one!r}, its source's {other!r}"
    tags = [[child.tag for child in element] for element in (here, there)]
    if tags[0] != tags[1]:
        return f"{at} with {len(tags[0])} elements, its source's with {len(tags[1])} or others"
    pairs = zip(here, there, strict=True)
    found = (_xml_difference(*pair, f"{at}/{pair[0].tag}") for pair in pairs)
    return next((one for one in found if one is not None), None)
