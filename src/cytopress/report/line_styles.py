"""Line styles: color of each curve, with dash and marker that differ on grey paper too."""

from __future__ import annotations

from dataclasses import dataclass

# Okabe and Ito's palette for color-blind readers; its yellow is too pale for a line on white.
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
# The same hues, light enough for a dark page.
DARK_COLORS = (
    "#5aaee6",
    "#ff8a4c",
    "#2fc79b",
    "#e3a0c6",
    "#c9d1d9",
    "#9ad5f7",
    "#f2b544",
    "#b79ae0",
)
# plotly's names; filled for the first eight curves, open for the next eight. Eight markers and five
# dashes have no common divisor: no two of eighty curves share both dash and marker.
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
class LineStyle:
    """Color on white and on a dark page, dash ("" for a solid line) and marker of a curve."""

    color: str
    dark: str
    dash: str
    marker: str


def line_style(index: int) -> LineStyle:
    """Return the style of the curve at a position; styles repeat after eighty."""
    turn, place = divmod(index, len(COLORS))
    marker = f"{MARKERS[place]}-open" if turn % 2 else MARKERS[place]
    return LineStyle(COLORS[place], DARK_COLORS[place], DASHES[index % len(DASHES)], marker)
