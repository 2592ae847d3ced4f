"""Units of length: symbols and names of OME, UDUNITS and ImageJ, converted to micrometers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

PREFIXES: Mapping[str, tuple[str, int]] = {
    "yotta": ("Y", 24), "zetta": ("Z", 21), "exa": ("E", 18), "peta": ("P", 15), "tera": ("T", 12),
    "giga": ("G", 9), "mega": ("M", 6), "kilo": ("k", 3), "hecto": ("h", 2), "deca": ("da", 1),
    "": ("", 0), "deci": ("d", -1), "centi": ("c", -2), "milli": ("m", -3), "micro": ("u", -6),
    "nano": ("n", -9), "pico": ("p", -12), "femto": ("f", -15), "atto": ("a", -18),
    "zepto": ("z", -21), "yocto": ("y", -24),
}  # fmt: skip
# Files use either code point of the Greek letter.
MICRO = re.compile("[\u00b5\u03bc]")
# ImageJ writes such characters as \u00B5.
ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})")
# Symbols distinguish mm from Mm; names are written in any case.
SYMBOLS: Mapping[str, float] = {
    **{f"{symbol}m": 10.0 ** (power + 6) for symbol, power in PREFIXES.values()},
    "\u00c5": 1e-4,
    "\u212b": 1e-4,
    "in": 25400.0,
    '"': 25400.0,
    "ft": 304800.0,
    "yd": 914400.0,
    "mi": 1609344e3,
    "thou": 25.4,
    "li": 25400.0 / 12,
    "pt": 25400.0 / 72,
}
NAMES: Mapping[str, float] = {
    **{
        f"{name}{meter}": 10.0 ** (power + 6)
        for name, (_, power) in PREFIXES.items()
        for meter in ("meter", "metre", "meters", "metres")
    },
    **dict.fromkeys(("micron", "microns"), 1.0),
    **dict.fromkeys(("angstrom", "angstroms", "\u00e5ngstr\u00f6m"), 1e-4),
    **dict.fromkeys(("inch", "inches"), 25400.0),
    **dict.fromkeys(("foot", "feet"), 304800.0),
    **dict.fromkeys(("yard", "yards"), 914400.0),
    **dict.fromkeys(("mile", "miles"), 1609344e3),
    **dict.fromkeys(("mil", "mils", "thou"), 25.4),
}
# Said where no physical distance is known.
NOT_PHYSICAL = {"", "pixel", "pixels", "px", "voxel", "voxels", "reference frame", "none", "null"}


def in_micrometers(size: float, unit: str | None) -> float | None:
    """Convert a distance; None where it is none (unit of pixels, no unit, not positive)."""
    value = size * micrometers_of(unit)
    return value if math.isfinite(value) and value > 0 else None


def micrometers_of(unit: str | None) -> float:
    """Return the micrometers of a unit; NaN for an unknown one, and one that is no length."""
    text = MICRO.sub("u", plain_unit(unit))
    return SYMBOLS.get(text, NAMES.get(text.lower(), math.nan))


def is_unknown(unit: str | None) -> bool:
    """Return whether a unit is given that is no known length, and does not mean pixels."""
    return plain_unit(unit).lower() not in NOT_PHYSICAL and math.isnan(micrometers_of(unit))


def plain_unit(unit: str | None) -> str:
    """Return a unit without spaces around it, and with ImageJ's escaped characters."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(unit or "")).strip(" \0\t\r\n")


def read_size(size: object, unit: str | None, axis: str) -> tuple[float | None, str]:
    """Convert a distance that metadata give as text.

    Returns
    -------
    size : float or None
        In micrometers, None where it cannot be used.
    note : str
        Why a distance that is there cannot be used; "" where it can, or says nothing.
    """
    if plain_unit(unit).lower() in NOT_PHYSICAL:
        return None, ""
    if is_unknown(unit):
        return None, f"the unit of {axis}, {plain_unit(unit)!r}, is no known unit of length"
    try:
        value = in_micrometers(float(str(size)), unit)
    except ValueError:
        value = None
    if value is None:
        return None, f"the size of a pixel along {axis}, {size}, is no positive number"
    return value, ""
