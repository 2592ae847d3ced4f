"""Margin as a person states it: a number, percent, or the noise of the camera."""

from __future__ import annotations

import math

from cytopress.errors import UsageError

NOISE = "noise"


def parse_margin(given: object) -> float | str:
    """Return a margin as a number, as percent without a space (``"2%"``), or as ``"noise"``.

    Raises
    ------
    UsageError
        It is none of these, or not positive.
    """
    text = str(given).replace(" ", "") if isinstance(given, str | int | float) else ""
    if text == NOISE:
        return NOISE
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = math.nan
    if isinstance(given, bool) or not (math.isfinite(value) and value > 0):
        raise UsageError(
            "a margin is the largest allowed loss: give a number, or noise; it is positive, such as"
            f" 0.02 or 2%, not {given}."
        )
    return f"{value:g}%" if text.endswith("%") else value


def percent_of(margin: float | str) -> float | None:
    """Return a parsed margin in percent; None where it is a number or the noise."""
    if isinstance(margin, str) and margin.endswith("%"):
        return float(margin[:-1])
    return None
