"""Write golden files of format 2: bytes and pixels of a small package, of each pixel type.

    python tests/golden/make_exact.py         write those that are missing
    python tests/golden/make_exact.py --all   write all anew: only when the format is given up

The package is frozen too. No test ever writes here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.registry import decode_by
from cytopress.image import Image
from cytopress.models.model_package import Package, open_package

FOLDER = Path(__file__).parent / "exact"
PACKAGE = Path(__file__).parents[1] / "codecs" / "learned" / "exact" / "tiny-exact.cytomodel"
QUALITIES = {"uint8": 0.3, "uint16": 1.0, "float32": 0.6}


def package() -> Package:
    """Return the small package of tests."""
    return open_package(PACKAGE)


def field(dtype: str) -> Image:
    """Return 150 x 90 pixels: waves, noise, an empty place, and pixels that no table expects."""
    random = np.random.default_rng(6)
    y, x = np.mgrid[:150, :90]
    light = 700 + 300 * np.sin(y / 7) * np.cos(x / 11) + random.normal(0, 15, y.shape)
    light[40:, 30:] = 100
    light[10:12, 50:54] = 4095
    if dtype == "float32":
        return Image((light / 1000 - 0.3).astype(np.float32))
    if dtype == "uint8":
        return Image(np.rint(light / 16).astype(np.uint8))
    return Image(np.rint(light).astype(np.uint16), bits=12)


def main() -> None:
    """Write the files that are missing, or all."""
    FOLDER.mkdir(exist_ok=True)
    for dtype, quality in QUALITIES.items():
        codec, place = Learned(package(), quality), FOLDER / dtype
        if place.with_suffix(".cyto").exists() and "--all" not in sys.argv[1:]:
            continue
        data = codec.encode(field(dtype))
        place.with_suffix(".cyto").write_bytes(data)
        np.save(place.with_suffix(".npy"), decode_by(codec, data).pixels)
        sys.stdout.write(f"{place.name}: {len(data)} bytes\n")


if __name__ == "__main__":
    main()
