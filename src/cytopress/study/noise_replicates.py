"""The yardstick of a margin: what one more draw of the camera's own noise does to a prediction.

A codec whose effect is inside the spread over such draws did nothing that taking the picture again
would not do. A draw stands in the plan like a codec, under the name ``camera``, and is kept apart
from the trials of codecs when the store is read.
"""

from __future__ import annotations

import numpy as np

from cytopress.image import Image
from cytopress.metrics import NoiseModel

CAMERA = "camera"


def replicate_of(spec: str) -> int | None:
    """Return which draw a cell's spec asks for, None where it names a codec."""
    name, _, draw = spec.partition(":draw=")
    return int(draw) if name == CAMERA else None


def add_noise(image: Image, noise: NoiseModel, random: np.random.Generator) -> Image:
    """Add to an image the noise that its camera would, once more.

    The variance at each pixel is the noise model's at its value, so the result has the noise of
    the original and as much again. Integers are rounded, and kept within the significant bits.

    Parameters
    ----------
    image : Image
        Any axes and dtype.
    noise : NoiseModel
        Of the dataset, in counts.
    random : Generator
        Where the noise comes from.
    """
    values = image.pixels.astype(np.float64)
    drawn = values + np.sqrt(noise.variance(values)) * random.standard_normal(values.shape)
    if image.dtype.kind != "f":
        drawn = np.clip(np.rint(drawn), 0, 2**image.bits - 1)
    return image.with_pixels(drawn.astype(image.dtype))
