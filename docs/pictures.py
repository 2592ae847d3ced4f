"""Draw the pictures of the documentation from the demo's images and from made ones.

Run by hand where a codec, a model or the sheet changed: `python docs/pictures.py`. Screenshots of
pages are made by `docs/screenshots.py`.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from scipy import ndimage

import cytopress
from cytopress.image import Image, Pixels
from cytopress.metrics import NoiseModel
from cytopress.quick_look.fields import find_channels
from cytopress.quick_look.look import quick_look
from cytopress.report.contact_sheet import write_picture
from cytopress.report.pictures import (
    display_range,
    diverging,
    error_levels,
    error_scale,
    grey_levels,
)

FOLDER = Path(__file__).with_name("pictures")
TASK = "labelfree/scratch-assay"
GAP, LINE, TEXT = 8, 20, 15
# A made camera: gain in counts an electron, read noise and offset in counts.
NOISE = NoiseModel(a=2.0, b=16.0, offset=100.0)


@dataclass(frozen=True)
class Tile:
    """Levels of grey or, where ``error``, of a difference; and a caption in lines."""

    levels: Pixels
    caption: tuple[str, ...]
    error: bool = False


def row_of(tiles: list[Tile], *, times: int = 1) -> Picture.Image:
    """Return tiles of one size beside each other, with their captions."""
    height, width = (times * length for length in tiles[0].levels.shape)
    lines = max(len(tile.caption) for tile in tiles)
    size = len(tiles) * (width + GAP) - GAP, height + 4 + LINE * lines
    row = Picture.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(row), ImageFont.load_default(TEXT)
    for number, tile in enumerate(tiles):
        levels = diverging()[tile.levels] if tile.error else tile.levels
        shown = Picture.fromarray(levels).convert("RGB")
        x = number * (width + GAP)
        row.paste(shown.resize((width, height), Picture.Resampling.NEAREST), (x, 0))
        for line, text in enumerate(tile.caption):
            draw.text((x, height + 4 + LINE * line), text, font=font, fill="black")
    return row


def stacked(rows: list[Picture.Image]) -> Picture.Image:
    """Return rows below each other."""
    size = max(row.width for row in rows), sum(row.height + GAP for row in rows) - GAP
    whole, y = Picture.new("RGB", size, "white"), 0
    for row in rows:
        whole.paste(row, (0, y))
        y += row.height + GAP
    return whole


def save(picture: Picture.Image, name: str, *, colors: int = 96) -> None:
    """Save a picture with few colors: a small file is worth more than the last shade."""
    path = FOLDER / name
    picture.quantize(colors, dither=Picture.Dither.NONE).save(path, optimize=True)
    print(path, path.stat().st_size)


def rms(original: Image, decoded: Image) -> float:
    """Return the root-mean-square error in units of the made camera's noise."""
    error = decoded.pixels.astype(np.float64) - original.pixels
    return float(np.sqrt(np.mean(error**2 / NOISE.variance(original.pixels))))


def twenty_times_smaller() -> Picture.Image:
    """Draw a field of the demo, its decoded image, the difference, and what a model predicts."""
    dataset = cytopress.dataset("scratch-assay")
    field = dataset.part("test")[0]
    original, stain = dataset.read_input(field), dataset.read_target(field)
    data = cytopress.encode(original, "jpegxl:ratio=20")
    decoded, model = cytopress.decode(data), cytopress.task(TASK)
    predicted, again = model.predict(original), model.predict(decoded)
    scale = error_scale([(original, decoded)])
    shown, light = display_range(original), display_range(predicted)

    def score(prediction: Image) -> str:
        return f"r = {model.score(prediction, stain, original)['pearson']:.3f} with the stain"

    kilobytes = original.raw_bytes / 1000, len(data) / 1000
    return row_of(
        [
            Tile(grey_levels(original, shown), ("original", f"{kilobytes[0]:.0f} kB")),
            Tile(
                grey_levels(decoded, shown),
                (f"{kilobytes[0] / kilobytes[1]:.0f} times smaller", f"{kilobytes[1]:.1f} kB"),
            ),
            Tile(
                error_levels(original, decoded, scale.limit),
                ("difference", f"full color at {scale.limit:g} counts"),
                error=True,
            ),
            Tile(grey_levels(predicted, light), ("nuclei predicted", score(predicted))),
            Tile(grey_levels(again, light), ("from 20 times smaller", score(again))),
        ]
    )


def contact_sheet() -> Picture.Image:
    """Draw the contact sheet of a field of the demo."""
    dataset = cytopress.dataset("scratch-assay")
    with tempfile.TemporaryDirectory() as folder:
        path, sheet = Path(folder) / "cells.tif", Path(folder) / "sheet.png"
        cytopress.write(path, [dataset.read_input(dataset.part("test")[0])])
        [fields] = find_channels(path).values()
        write_picture(quick_look(fields, title="cells.tif"), sheet)
        return Picture.open(sheet).convert("RGB")


def made_field(count: int, seed: int, *, side: int = 256) -> Image:
    """Return made fluorescence: objects from dim to bright on a dark background, with noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.ogrid[:side, :side]
    light = np.zeros((side, side))
    for brightness in np.geomspace(0.01, 1, count):
        row, column = rng.integers(10, side - 10, 2)
        light[(rows - row) ** 2 + (columns - column) ** 2 < rng.integers(5, 10) ** 2] = brightness
    light = 20 + 20000 * ndimage.gaussian_filter(light, 1.5)
    counts = rng.poisson(light / NOISE.a) * NOISE.a + rng.normal(0, NOISE.b**0.5, light.shape)
    return Image(np.clip(np.rint(counts + NOISE.offset), 0, 65535).astype(np.uint16))


def dim(image: Image) -> Pixels:
    """Return levels that show the dim objects."""
    low, high = NOISE.offset, NOISE.offset + 600
    return np.asarray(np.clip((image.pixels.astype(float) - low) / (high - low), 0, 1) * 255, "u1")


def psnr_or_sigma() -> Picture.Image:
    """Draw sparse fluorescence coded to a PSNR and to a multiple of the noise."""
    original = made_field(30, 5)
    noise = f"a={NOISE.a:g},b={NOISE.b:g},offset={NOISE.offset:g}"
    tiles = [Tile(dim(original), ("original, dim objects", f"{original.raw_bytes / 1000:.0f} kB"))]
    for target, spec in (
        ("psnr=40", "jpegxl:psnr=40"),
        ("sigma=1", f"jpegxl:sigma=1,{noise}"),
    ):
        data = cytopress.encode(original, spec)
        decoded = cytopress.decode(data)
        times = original.raw_bytes / len(data)
        caption = (
            f"{target}: {times:.0f} times smaller",
            f"error {rms(original, decoded):.1f} noise",
        )
        tiles.append(Tile(dim(decoded), caption))
    return row_of(tiles)


def ratio_of_uneven_fields() -> Picture.Image:
    """Draw an empty and a full field at one ratio, with their differences at one scale."""
    fields = [made_field(4, 1), made_field(150, 2)]
    decoded = [cytopress.decode(cytopress.encode(image, "jpegxl:ratio=25")) for image in fields]
    scale = error_scale(list(zip(fields, decoded, strict=True)))
    tiles = []
    for name, image, back in zip(("empty field", "full field"), fields, decoded, strict=True):
        tiles += [
            Tile(dim(back), (name, "25 times smaller")),
            Tile(
                error_levels(image, back, scale.limit),
                ("difference", f"error {rms(image, back):.1f} noise"),
                error=True,
            ),
        ]
    return row_of(tiles)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    save(twenty_times_smaller(), "twenty-times-smaller.png")
    save(psnr_or_sigma(), "psnr-or-sigma.png")
    save(ratio_of_uneven_fields(), "ratio-of-uneven-fields.png")
    save(contact_sheet(), "contact-sheet.png", colors=48)


if __name__ == "__main__":
    main()
