"""How a curve looks: color, dash and marker, so that it is told apart in color, in grey and on paper."""

from __future__ import annotations

from dataclasses import dataclass

# Okabe and Ito's palette for color-blind readers, its yellow left out: too pale for a line on white.
COLORS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#3d3d3d",
    "#56b4e9",
    "#e69f00",
    "#7b5aa6",
)
# plotly's names; as many as colors, and a number without a common divisor with that of the dashes:
# no two of forty curves share both.
MARKERS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "x",
    "triangle-down",
    "cross",
    "star",
)
# Lengths of strokes and gaps in pixels; plotly and SVG read them alike.
DASHES = ("", "8px,3px", "2px,3px", "12px,3px,2px,3px", "5px,2px,2px,2px,2px,2px")


@dataclass(frozen=True)
class Look:
    """Color, dash ("" for a solid line) and marker of a curve."""

    color: str
    dash: str
    marker: str


def look(index: int) -> Look:
    """Return the look of the curve at a position; repeats after forty."""
    return Look(
        COLORS[index % len(COLORS)], DASHES[index % len(DASHES)], MARKERS[index % len(MARKERS)]
    )
