"""ImageJ's metadata in TIFF files: the distance of samples, in a unit for each axis."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cytopress.formats.ome_xml import SceneMetadata
from cytopress.formats.units import micrometers_of, plain_unit, read_size

if TYPE_CHECKING:
    from tifffile import TiffFile

POSITION = re.compile(r"\b[cztCZT]:\d+/\d+")


def imagej_metadata(file: TiffFile, *, planes: int) -> SceneMetadata:
    """Return the metadata that ImageJ wrote, for a stack of this many planes along Z.

    ``unit`` applies to an axis unless ``yunit`` or ``zunit`` do. ImageJ leaves out a ``spacing``
    of 1.
    """
    found: dict[str, Any] = file.imagej_metadata or {}
    unit = found.get("unit")
    units = {"X": unit, "Y": found.get("yunit", unit), "Z": found.get("zunit", unit)}
    sizes, notes = _sizes(file, found), []
    known = micrometers_of(units["Z"]) > 0 and any(letter in sizes for letter in "YX")
    if planes > 1 and "Z" not in sizes and known:
        sizes["Z"] = 1.0
        notes.append(
            "no distance of planes is given; ImageJ leaves out a distance of 1, so it is read as"
            f" 1 {plain_unit(units['Z'])}"
        )
    spacing = {}
    for letter, size in sizes.items():
        value, note = read_size(size, units[letter], letter)
        if value is not None:
            spacing[letter] = value
        elif note:
            notes.append(note)
    return SceneMetadata(spacing, channel_labels(found), notes=tuple(dict.fromkeys(notes)))


def channel_labels(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of channels: labels of slices that are the same wherever the channel is.

    Bio-Formats labels slices by position (``c:1/3 z:2/20``), which names no channel.
    """
    channels, labels = int(found.get("channels", 1)), list(found.get("Labels") or ())
    if channels < 2 or len(labels) % channels or not labels:
        return ()
    by_channel = [set(map(str, labels[c::channels])) for c in range(channels)]
    names = [next(iter(there)).strip() for there in by_channel]
    plain = all(len(there) == 1 for there in by_channel) and all(names)
    numbered = any(POSITION.search(name) for name in names)
    return tuple(names) if plain and not numbered and len(set(names)) == channels else ()


def _sizes(file: TiffFile, found: Mapping[str, Any]) -> dict[str, object]:
    """Return the size of a sample along each axis, in the unit of that axis."""
    sizes: dict[str, object] = {}
    if "spacing" in found:
        spacing = found["spacing"]
        # The sign is the direction in which the stack was taken.
        sizes["Z"] = abs(spacing) if isinstance(spacing, int | float) else spacing
    for letter, tag in (("Y", "YResolution"), ("X", "XResolution")):
        value = file.pages.first.tags.valueof(tag)
        if value is not None and value[0]:
            sizes[letter] = value[1] / value[0]
    return sizes
