"""OME-XML metadata of each scene: pixel sizes, channel names and significant bits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

# Files use either code point of the Greek letter.
MICROMETERS: Mapping[str, float] = {
    "\u00b5m": 1.0,
    "\u03bcm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "\u00c5": 1e-4,
    "angstrom": 1e-4,
    "pm": 1e-6,
    "picometer": 1e-6,
    "mm": 1e3,
    "millimeter": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "m": 1e6,
    "meter": 1e6,
}


def in_micrometers(size: float, unit: str | None) -> float | None:
    """Convert a distance; None where it is none (unit of pixels, no unit, not positive)."""
    scale = MICROMETERS.get(unit or "")
    value = size * (scale or 0.0)
    return value if scale and math.isfinite(value) and value > 0 else None


@dataclass(frozen=True)
class SceneMetadata:
    """Metadata of one scene; empty or 0 where the file lacks them."""

    spacing_um: Mapping[str, float]
    channels: tuple[str, ...] = ()
    bits: int = 0


def scenes_metadata(xml: str) -> list[SceneMetadata]:
    """Return the metadata of each ``Image`` in OME-XML, in order; none for invalid XML."""
    try:
        # Expat itself refuses the entity bombs that the rule warns of.
        root = ET.fromstring(xml)  # noqa: S314
    except ET.ParseError:
        return []
    return [_metadata(pixels) for pixels in root.iterfind("{*}Image/{*}Pixels")]


def _metadata(pixels: ET.Element) -> SceneMetadata:
    spacing = {}
    for letter in "ZYX":
        try:
            size = float(pixels.get(f"PhysicalSize{letter}", ""))
        except ValueError:
            continue
        value = in_micrometers(size, pixels.get(f"PhysicalSize{letter}Unit", "\u00b5m"))
        if value is not None:
            spacing[letter] = value
    bits = pixels.get("SignificantBits", "")
    return SceneMetadata(
        spacing,
        tuple(channel.get("Name", "") for channel in pixels.iterfind("{*}Channel")),
        int(bits) if bits.isdecimal() else 0,
    )
