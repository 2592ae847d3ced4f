"""Sample of an image: bands of rows, in which a search finds out where to begin."""

from __future__ import annotations

import numpy as np

from cytopress.image import Image

# A sample has so many bands of rows, spread over the image, with at least so many rows each ...
BANDS, ROWS = 4, 16
# ... and one in 16 of the pixels, or one in 8 where that would be fewer rows.
SHARE, MOST_SHARE = 16, 8
# Smaller samples are coded in mostly headers, and larger ones tell no more.
LEAST, MOST = 2**14, 2**20


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
