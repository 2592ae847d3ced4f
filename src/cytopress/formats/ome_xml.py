"""What OME-XML tells of one scene: distances, channel names and significant bits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

# Both code points of the Greek letter are found in files.
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
    """Convert a distance; None where it is not a distance (pixels, no unit, not positive)."""
    scale = MICROMETERS.get(unit or "")
    # Multiplying by 1 would be exact too; the condition says that micrometers stay as they are.
    value = size if scale == 1.0 else size * (scale or 0.0)
    return value if scale and math.isfinite(value) and value > 0 else None


@dataclass(frozen=True)
class SceneFacts:
    """What is told of one scene; empty or 0 where nothing is."""

    spacing_um: Mapping[str, float]
    channels: tuple[str, ...] = ()
    bits: int = 0


def scene_facts(xml: str) -> list[SceneFacts]:
    """Return the facts of each ``Image`` in OME-XML, in order; none where it cannot be parsed."""
    try:
        # Expat itself refuses the entity bombs that the rule is about.
        root = ET.fromstring(xml)  # noqa: S314
    except ET.ParseError:
        return []
    return [_facts(pixels) for pixels in root.iterfind("{*}Image/{*}Pixels")]


def _facts(pixels: ET.Element) -> SceneFacts:
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
    return SceneFacts(
        spacing,
        tuple(channel.get("Name", "") for channel in pixels.iterfind("{*}Channel")),
        int(bits) if bits.isdecimal() else 0,
    )
