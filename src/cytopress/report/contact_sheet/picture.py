"""The contact sheet as one PNG picture."""

from __future__ import annotations

import textwrap
from pathlib import Path

from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from cytopress.atomic import atomic_file
from cytopress.quick_look.look import QuickLook
from cytopress.report.contact_sheet.tiles import Tile, Tiles, tiles
from cytopress.report.pictures import diverging
from cytopress.results.number_format import plain

MARGIN, GAP, LINE, LABEL = 16, 8, 16, 150
TEXT, TITLE = 13, 18
INK, GREY, PAPER = (20, 20, 20), (110, 110, 110), (255, 255, 255)
# Width of a letter of the text in pixels, on average: lines are broken by it.
LETTER = 6.4


class _Sheet:
    """A canvas that grows downwards, and the texts and pictures on it."""

    def __init__(self, width: int, height: int) -> None:
        self.canvas = Picture.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self.canvas)

    def text(
        self, at: tuple[int, int], text: str, *, width: int, size: int = TEXT, grey: bool = False
    ) -> int:
        """Write a text in lines no wider than ``width``; return the place below it."""
        x, y = at
        font = ImageFont.load_default(size)
        for line in textwrap.wrap(plain(text), max(8, int(width / LETTER * TEXT / size))):
            self._draw.text((x, y), line, font=font, fill=GREY if grey else INK)
            y += LINE * size // TEXT
        return y

    def tile(self, at: tuple[int, int], tile: Tile, *, width: int, height: int) -> None:
        """Put the pictures of a tile beside each other, and its caption below."""
        x, y = at
        for one in tile.pictures:
            pixels = diverging()[one.levels] if one.kind == "difference" else one.levels
            self.canvas.paste(Picture.fromarray(pixels).convert("RGB"), (x, y))
            x += pixels.shape[1] + 2
        y += height + 2 if tile.pictures else 0
        for line in tile.caption:
            y = self.text((at[0], y), line, width=width, grey=not tile.pictures)


def write_picture(look: QuickLook, path: Path) -> None:
    """Write the contact sheet of a quick look as a PNG file, whole or not at all."""
    sheet = _sheet(look, tiles(look))
    with atomic_file(path) as temporary:
        sheet.save(temporary, "PNG", optimize=True)


def _sheet(look: QuickLook, shown: Tiles) -> Picture.Image:
    pictures = [shown.original, *(tile for row in shown.rows for tile in row if tile.pictures)]
    height = max(tile.pictures[0].levels.shape[0] for tile in pictures)
    width = max(180, *(sum(one.levels.shape[1] + 2 for one in tile.pictures) for tile in pictures))
    lines = max(len(tile.caption) for tile in pictures)
    column, row = width + 2 * GAP, height + LINE * lines + 2 * GAP
    total = 2 * MARGIN + LABEL + column * len(shown.sizes)
    top = MARGIN + row + 2 * LINE
    sheet = _Sheet(total, top + 2 * LINE + row * len(shown.rows) + MARGIN)
    sheet.tile((MARGIN + LABEL, MARGIN), shown.original, width=width, height=height)
    left = MARGIN + LABEL + column
    space = total - left - MARGIN
    y = sheet.text((left, MARGIN), look.title, width=space, size=TITLE) + 4
    y = sheet.text((left, y), look.advice.sentence.replace("`", ""), width=space) + 4
    for text in [*look.notes, legend(look, shown)]:
        y = sheet.text((left, y), text, width=space, grey=True)
    for number, size in enumerate(shown.sizes):
        at = (MARGIN + LABEL + number * column, top)
        sheet.text(at, size, width=width)
    for place, (name, row_tiles) in enumerate(zip(shown.names, shown.rows, strict=True)):
        y = top + LINE + GAP + place * row
        sheet.text((MARGIN, y), name, width=LABEL - GAP)
        for number, tile in enumerate(row_tiles):
            at = (MARGIN + LABEL + number * column, y)
            sheet.tile(at, tile, width=width, height=height)
    return sheet.canvas


def legend(look: QuickLook, shown: Tiles) -> str:
    """Say in a sentence what the pictures and numbers of a cell are."""
    task = ""
    if look.task is not None:
        task = (
            f", and what {look.task.name} predicts, scored against its prediction from the original"
        )
    return (
        f"Each cell: the decoded image, its difference from the original (blue darker, red"
        f" brighter, full color at {shown.scale.limit:g} counts){task}; bytes and times smaller,"
        " PSNR, and the error in units of the camera's noise."
    )
