"""Draw the figure of docs/phantom.md: one volume of the test slides, in three cuts.

Run by hand where the simulator changed: `python docs/phantom_figure.py`.
"""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from cytopress.image import Pixels
from cytopress.phantom.simulate import PhantomVolume, simulate
from cytopress.phantom.slides import SLIDES

PLANES = (5, 11, 17)
GAP = 4
WHITE = 255


def grey(pixels: Pixels) -> Pixels:
    """Stretch the range from the darkest to the brightest thousandth over 8 bits."""
    low, high = np.percentile(pixels, [0.1, 99.9])
    return np.asarray(np.clip((pixels - low) / (high - low), 0, 1) * WHITE, dtype=np.uint8)


def column(pixels: Pixels, middle: tuple[int, int]) -> Pixels:
    """Stack planes and two side views through ``middle``; the coverslip is below."""
    row, column = middle
    sides = [np.repeat(cut[::-1], 3, axis=0) for cut in (pixels[:, row], pixels[:, :, column])]
    gap = np.full((GAP, pixels.shape[2]), WHITE, np.uint8)
    parts = [*(pixels[plane] for plane in PLANES), *sides]
    return np.concatenate([row for part in parts for row in (part, gap)][:-1])


def figure(volume: PhantomVolume) -> Pixels:
    """Return bright-field, fluorescence and labels beside each other."""
    largest = volume.nuclei == np.bincount(volume.nuclei.ravel())[1:].argmax() + 1
    middle = tuple(int(np.median(places)) for places in np.nonzero(largest)[1:])
    # Neighboring numbers far apart in grey.
    labels = np.where(volume.nuclei > 0, 80 + volume.nuclei * 67 % 160, 0).astype(np.uint8)
    parts = (grey(volume.bright_field.pixels), grey(volume.fluorescence.pixels), labels)
    columns = [column(part, middle) for part in parts]
    gap = np.full((len(columns[0]), GAP), WHITE, np.uint8)
    return np.concatenate([columns[0], gap, columns[1], gap, columns[2]], axis=1)


def main() -> None:
    path = Path(__file__).with_name("phantom.png")
    # Fewer levels of grey make a smaller file.
    imageio.imwrite(path, figure(simulate(SLIDES[6], 1)) // 8 * 8)
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
