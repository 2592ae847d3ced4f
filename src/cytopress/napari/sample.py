"""Sample data: a made-up field of cells, its coded copy, and the difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from cytopress.image import Pixels
from cytopress.napari.comparison import DIFFERENCE, Field, compare

SPEC = "jpegxl:distance=1"
EDGE, CELLS, PHOTONS = 512, 60, 0.5


def sample() -> list[tuple[Any, dict[str, Any], str]]:
    """Return the layers: the field, decoded, and decoded minus original."""
    field = made_up_field()
    found = compare(field, SPEC, Field.of([field], bits=12))
    limits = [float(level) for level in np.percentile(field, (0.1, 99.9))]
    shown = {"contrast_limits": limits, "metadata": {"cytopress": {"bits": 12}}}
    difference = {"contrast_limits": [-found.scale, found.scale], "colormap": DIFFERENCE}
    return [
        (field, {"name": "made-up field", **shown}, "image"),
        (found.decoded, {"name": SPEC, **shown}, "image"),
        (found.difference, {"name": "difference", "visible": False, **difference}, "image"),
    ]


def made_up_field() -> Pixels:
    """Return 12-bit counts (Y, X): round cells on a dim background, with photon and read noise."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[:EDGE, :EDGE]
    light = 120 + 30 * np.sin(x / 210) * np.cos(y / 160)
    for center_y, center_x in random.uniform(0, EDGE, (CELLS, 2)):
        radius, bright = random.uniform(9, 18), random.uniform(300, 1400)
        away = np.hypot(y - center_y, (x - center_x) * random.uniform(0.8, 1.25)) / radius
        texture = 1 + 0.25 * np.sin(x / 2.3 + center_y) * np.sin(y / 2.9 + center_x)
        light += bright * texture / (1 + np.exp((away - 1) * 8))
    counts = random.poisson(light / PHOTONS) * PHOTONS + random.normal(100, 3, light.shape)
    return np.asarray(counts.round().clip(0, 4095).astype(np.uint16))
