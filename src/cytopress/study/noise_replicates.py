"""Noise replicates: the original with its camera's noise added once more, as a scale for margins.

A codec whose effect lies within the spread over noise replicates changes no more than a second
exposure would. In a plan a replicate takes the place of a codec, under the name ``camera``; readers
of a store keep its trials apart from those of codecs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytopress.image import Image
from cytopress.metrics import NoiseModel

# The codec's name in stores.
CAMERA = "camera"


@dataclass(frozen=True)
class NoiseReplicate:
    """A numbered replicate, from 1 on: with the study's seed it decides the noise."""

    number: int

    @property
    def spec(self) -> str:
        """Its spec string, such as ``camera:draw=3``."""
        return f"{CAMERA}:draw={self.number}"

    def of(self, original: Image, noise: NoiseModel, *, seed: int, digest: str) -> Image:
        """Return this replicate of an original with this hexadecimal sha256."""
        random = np.random.default_rng([seed, self.number, int(digest[:16], 16)])
        return add_noise(original, noise, random)


def add_noise(image: Image, noise: NoiseModel, random: np.random.Generator) -> Image:
    """Add camera noise to an image.

    The variance at each pixel is the noise model's at its value, so the result has the noise of
    the original and as much again. Integers are rounded, and kept within the significant bits.

    Parameters
    ----------
    image : Image
        Any axes and dtype.
    noise : NoiseModel
        Of the dataset, in counts.
    random : Generator
        Source of the noise.
    """
    values = image.pixels.astype(np.float64)
    drawn = values + np.sqrt(noise.variance(values)) * random.standard_normal(values.shape)
    if image.dtype.kind != "f":
        drawn = np.clip(np.rint(drawn), 0, 2**image.bits - 1)
    return image.with_pixels(drawn.astype(image.dtype))
