"""ImageJ's metadata in TIFF files: the distance of samples, in a unit for each axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cytopress.formats.ome_xml import SceneMetadata
from cytopress.formats.units import micrometers_of, plain_unit, read_size

if TYPE_CHECKING:
    from tifffile import TiffFile


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
    return SceneMetadata(spacing, notes=tuple(dict.fromkeys(notes)))


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
