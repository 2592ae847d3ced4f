"""Sections of a field in the gallery: one of a plane, three of a volume at one scale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytopress.image import Image
from cytopress.study.trial import Preview, Section


@dataclass(frozen=True, kw_only=True)
class SectionPictures:
    """Pictures of one section by kind and task, and where the other sections cut it.

    ``cross`` is the row and column of the cuts, in pixels; None for a plane.
    """

    section: Section
    images: Mapping[tuple[str, str], Image]
    cross: tuple[int, int] | None

    @property
    def original(self) -> Image:
        """The original in this section."""
        return self.images["original", ""]

    @property
    def decoded(self) -> Image:
        """The decoded image in this section."""
        return self.images["decoded", ""]


def section_pictures(previews: Sequence[Preview]) -> list[SectionPictures]:
    """Return the sections with an original and a decoded picture, XY first."""
    images: dict[Section, dict[tuple[str, str], Image]] = defaultdict(dict)
    crosses: dict[Section, tuple[int, int] | None] = {}
    for preview in previews:
        images[preview.section][preview.kind, preview.task] = preview.image
        crosses[preview.section] = preview.cross
    order: tuple[Section, ...] = ("XY", "XZ", "YZ")
    return [
        SectionPictures(section=section, images=images[section], cross=crosses[section])
        for section in order
        if {("original", ""), ("decoded", "")} <= images[section].keys()
    ]


def layout(one: SectionPictures, unit_um: float | None) -> dict[str, Any]:
    """Return width and height of a section in units of ``unit_um``, and its cross as shares of it.

    Without a known spacing, pixels are squares.
    """
    rows, columns = one.original.shape
    spacing = one.original.full_spacing_um
    high, wide = (1.0, 1.0) if spacing is None or unit_um is None else spacing
    unit = unit_um if unit_um is not None and spacing is not None else 1.0
    cross = None
    if one.cross is not None:
        row, column = one.cross
        cross = [round((row + 0.5) / rows, 4), round((column + 0.5) / columns, 4)]
    return {
        "section": one.section,
        "width": columns * wide / unit,
        "height": rows * high / unit,
        "cross": cross,
    }
