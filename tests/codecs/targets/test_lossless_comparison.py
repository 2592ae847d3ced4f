"""Where lossless coding takes no more bytes than a learned codec, the user is told."""

from __future__ import annotations

import numpy as np

from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Encodes
from cytopress.image import Image

SPEC = "learned/cytopress-2d:quality=0.45,lines=0,scale=1"


def told(image: Image) -> list[str]:
    return [one for one in codec(SPEC).solve(image).warnings if "than lossless" in one]


def test_areas_of_one_value_are_smaller_lossless() -> None:
    random = np.random.default_rng(0)
    areas = np.kron(random.integers(0, 9, (8, 8)), np.ones((64, 64), int)).astype(np.uint16) * 777
    image = Image(areas)
    # Large enough that a sample decides whether the whole is coded losslessly.
    assert Encodes(image).sample.image is not image
    (warning,) = told(image)
    assert warning.startswith("this takes more bytes than lossless ")


def test_noise_is_not() -> None:
    noise = np.random.default_rng(0).normal(5000, 300, (512, 512)).astype(np.uint16)
    assert told(Image(noise)) == []
