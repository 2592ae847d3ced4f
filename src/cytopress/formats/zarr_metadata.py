"""OME-XML of an OME-Zarr image: that of ``OME/METADATA.ome.xml``, or what its attributes say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cytopress.formats.known_metadata import KnownMetadata
from cytopress.formats.scene import SourceMetadata

# Where bioformats2raw puts the OME-XML of its source.
COLLECTION = Path("OME") / "METADATA.ome.xml"
COLOR = re.compile(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
SECONDS = {
    "second": 1.0, "millisecond": 1e-3, "microsecond": 1e-6, "minute": 60.0, "hour": 3600.0,
    "day": 86400.0,
}  # fmt: skip


def collection_metadata(path: Path, number: int) -> SourceMetadata | None:
    """Return the OME-XML beside the images of a collection; None where there is none."""
    file = path / COLLECTION
    if not file.is_file():
        return None
    return SourceMetadata(file.read_text(encoding="utf-8", errors="replace"), number)


def attribute_metadata(
    attributes: Mapping[str, Any],
    lengths: Mapping[str, int],
    spacing_um: Mapping[str, float],
    *,
    number: int,
    interval: tuple[float, str] | None,
) -> SourceMetadata:
    """Return what the attributes of an image say, as OME-XML.

    Parameters
    ----------
    attributes : mapping
        Of its group.
    lengths : mapping
        Of its axes.
    spacing_um : mapping
        Micrometers between samples along the axes where it is known.
    number : int
        Of the scene.
    interval : (float, str), optional
        Between time points, and its unit.
    """
    omero = attributes.get("omero") or {}
    channels: Sequence[Mapping[str, Any]] = omero.get("channels") or ()
    pairs = {}
    for at, channel in enumerate(channels):
        shown = {key: value for key, value in channel.items() if key not in ("label", "color")}
        if shown:
            pairs[f"omero channel {at}"] = json.dumps(shown)
    size, unit = interval or (0.0, "")
    seconds = size * SECONDS.get(unit, 0.0)
    if size and unit and not seconds:
        pairs["time interval"] = f"{size:g} {unit}"
    known = KnownMetadata(
        name=str(attributes.get("multiscales", [{}])[0].get("name") or ""),
        channels=[str(channel.get("label", "")) for channel in channels],
        colors=[_color(str(channel.get("color", ""))) for channel in channels],
        interval_s=seconds or None,
        pairs=pairs,
    )
    sizes = {letter: lengths.get(letter, 1) for letter in "XYZCT"}
    return SourceMetadata(known.to_ome_xml(sizes, spacing_um, number=number))


def _color(text: str) -> tuple[int, int, int] | None:
    found = COLOR.fullmatch(text)
    if found is None:
        return None
    red, green, blue = (int(part, 16) for part in found.groups())
    return red, green, blue
