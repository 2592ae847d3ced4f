"""Tiles of a contact sheet: the pictures and captions that the page and the PNG share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

import numpy as np
import numpy.typing as npt

from cytopress.image import Image
from cytopress.quick_look.cells import Cell
from cytopress.quick_look.look import QuickLook
from cytopress.report.pictures import (
    DisplayRange,
    ErrorScale,
    display_range,
    error_levels,
    error_scale,
    grey_levels,
)
from cytopress.results.number_format import label_text, number_text, ratio_text
from cytopress.tasks.label_images import inner_boundary
from cytopress.tasks.objects import Objects
from cytopress.tasks.protocol import Prediction

Bytes = npt.NDArray[np.uint8]
# Grey of an object and of its edge, and the pixels that a tile has at least along its longer side.
INSIDE, EDGE = 90, 255
SMALLEST_TILE = 96


@dataclass(frozen=True)
class Drawing:
    """A picture of shape (rows, columns): grey, or a ``difference``, in indices of `diverging`."""

    kind: Literal["whole", "original", "decoded", "difference", "prediction"]
    levels: Bytes

    def enlarged(self) -> Drawing:
        """Repeat the pixels of a small picture a whole number of times."""
        times = max(1, SMALLEST_TILE // max(self.levels.shape))
        return replace(self, levels=self.levels.repeat(times, axis=0).repeat(times, axis=1))


@dataclass(frozen=True)
class Tile:
    """Pictures of one cell and its caption; no pictures where a codec did not reach the size."""

    pictures: tuple[Drawing, ...]
    caption: tuple[str, ...]


@dataclass(frozen=True)
class Tiles:
    """All tiles of a sheet; ``rows`` has a row for each codec."""

    original: Tile
    rows: tuple[tuple[Tile, ...], ...]
    names: tuple[str, ...]
    sizes: tuple[str, ...]
    scale: ErrorScale


def tiles(look: QuickLook) -> Tiles:
    """Return the tiles of a quick look, over one display range and one scale of differences."""
    shown = display_range(look.original)
    cells = list(chain.from_iterable(look.rows))
    pairs = [(look.original, cell.decoded) for cell in cells if cell.decoded is not None]
    scale = error_scale(pairs) if pairs else ErrorScale(1.0, 0.0)
    drawn = _prediction_range(look.prediction)

    def tile(cell: Cell) -> Tile:
        if cell.decoded is None:
            return Tile((), (cell.error,))
        difference = error_levels(look.original, cell.decoded, scale.limit)
        pictures = [
            Drawing("decoded", grey_levels(cell.decoded, shown)),
            Drawing("difference", difference),
            *_predicted(cell.prediction, drawn),
        ]
        return Tile(tuple(one.enlarged() for one in pictures), _caption(look, cell))

    original = Drawing("original", grey_levels(look.original, shown))
    pictures = [_whole(look, shown), original, *_predicted(look.prediction, drawn)]
    raw = look.image.raw_bytes
    codec, ratio = look.lossless
    caption = (f"original, {bytes_text(raw)}", f"lossless {codec}: {ratio_text(ratio)} smaller")
    return Tiles(
        original=Tile(tuple(one.enlarged() for one in pictures), caption),
        rows=tuple(tuple(tile(cell) for cell in row) for row in look.rows),
        names=tuple(row[0].codec for row in look.rows),
        sizes=tuple(f"{size}x smaller" for size in look.sizes),
        scale=scale,
    )


def _whole(look: QuickLook, shown: DisplayRange) -> Drawing:
    """Return the coded part no larger than a picture, with a frame around the crop."""
    image = look.image
    times = -(-max(image.shape) // max(look.original.shape))
    levels = grey_levels(image, shown).copy()
    rows, columns = (
        slice(part.start, min(part.stop, length) - 1)
        for part, length in zip(look.crop, image.shape, strict=True)
    )
    if times > 1:
        thick = times
        for at in (rows.start, max(rows.stop - thick, 0)):
            levels[at : at + thick, columns] = EDGE
        for at in (columns.start, max(columns.stop - thick, 0)):
            levels[rows, at : at + thick] = EDGE
    return Drawing("whole", levels[::times, ::times])


def bytes_text(count: int) -> str:
    """Format a number of bytes: ``830 bytes``, ``52.4 kB``, ``2.1 MB``."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.3g} kB" if count < 999_500 else f"{count / 1e6:.3g} MB"


def _caption(look: QuickLook, cell: Cell) -> tuple[str, ...]:
    noise = "about " if look.properties.noise_hidden else ""
    sigma = number_text(cell.sigma, significant=2)
    lines = [
        f"{bytes_text(cell.coded_bytes)}, {ratio_text(cell.ratio)}",
        f"{number_text(cell.psnr, significant=3)} dB, {noise}{sigma} noise",
    ]
    if look.task is not None and cell.score is not None:
        label = label_text(look.task.scores[0].name)
        lines.append(f"{label} {number_text(cell.score, significant=3)}")
    return tuple(lines)


def _prediction_range(prediction: Prediction | None) -> DisplayRange | None:
    return display_range(prediction) if isinstance(prediction, Image) else None


def _predicted(prediction: Prediction | None, shown: DisplayRange | None) -> list[Drawing]:
    """Return the picture of an image or of objects; of numbers there is none."""
    if isinstance(prediction, Image) and shown is not None:
        return [Drawing("prediction", grey_levels(prediction, shown))]
    if isinstance(prediction, Objects):
        labels = prediction.labels
        inside = np.where(labels > 0, INSIDE, 0)
        drawn = np.where(inner_boundary(labels), EDGE, inside).astype(np.uint8)
        return [Drawing("prediction", drawn)]
    return []
