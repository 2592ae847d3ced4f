"""Samples of an image: bands of rows, for where a search begins; its middle."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from cytopress.image import Image

# A sample has so many bands of rows, spread over the image, with at least so many rows each ...
BANDS, ROWS = 4, 16
# ... and one in 16 of the pixels, or one in 8 where that would be fewer rows.
SHARE, MOST_SHARE = 16, 8
# Smaller samples are coded in mostly headers, and larger ones tell no more.
LEAST, MOST = 2**14, 2**20
# The middle is a square of one in 64 of the pixels; its edges are multiples of what a codec of
# blocks fills at half the resolution too.
MIDDLE_SHARE, UNIT = 64, 128


def sample_of(image: Image) -> Image | None:
    """Return a sample of an image, or None where the image is small itself.

    Its pixels have the image's range, so that a codec that maps the used range maps it alike.
    """
    height, others = image.shape[-2], image.pixels.size // image.shape[-2]
    most = MOST // others // BANDS
    rows = min(max(height // SHARE // BANDS, ROWS), height // MOST_SHARE // BANDS, most)
    if rows < 1 or rows * BANDS * others < LEAST:
        return None
    starts = [(2 * band + 1) * height // (2 * BANDS) - rows // 2 for band in range(BANDS)]
    bands = [image.pixels[..., start : start + rows, :] for start in starts]
    pixels = np.concatenate(bands, axis=-2)
    pixels.flat[:2] = image.pixels.min(), image.pixels.max()
    return Image(pixels, axes=image.axes, bits=image.bits, spacing_um=image.spacing_um)


def middle_of(image: Image) -> Image:
    """Return the square in the middle, of all planes of a stack."""
    height, width = image.shape[-2:]
    edge = UNIT * max(1, round(math.sqrt(height * width / MIDDLE_SHARE) / UNIT))
    starts = [max(0, (length - edge) // 2) for length in (height, width)]
    rows, columns = (slice(start, start + edge) for start in starts)
    return replace(image, pixels=image.pixels[..., rows, columns])
