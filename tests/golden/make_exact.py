"""Write golden files of format 2: bytes and pixels of small packages, of each pixel type.

    python tests/golden/make_exact.py         write those that are missing
    python tests/golden/make_exact.py --all   write all anew: only when the format is given up

The packages are frozen too. No test ever writes here.
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
PACKAGES = Path(__file__).parents[1] / "codecs" / "learned" / "exact"
QUALITIES = {"uint8": 0.3, "uint16": 1.0, "float32": 0.6}
# Files of volumes.
VOLUMES = {f"volume-{dtype}": quality for dtype, quality in QUALITIES.items()}


def package(name: str) -> Package:
    """Return the small package of tests that codes a golden file."""
    stem = "tiny-exact-volume" if name in VOLUMES else "tiny-exact"
    return open_package(PACKAGES / f"{stem}.cytomodel")


def image(name: str) -> Image:
    """Return what a golden file is of."""
    return volume(name.removeprefix("volume-")) if name in VOLUMES else field(name)


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


def volume(dtype: str) -> Image:
    """Return 5 planes of 41 x 50 pixels, each darker than the one below."""
    plane = field(dtype)
    light = [plane.pixels[5 * z : 41 + 5 * z, 10:60] / (1 + 0.1 * z) for z in range(5)]
    pixels = np.stack(light).astype(dtype)
    return Image(pixels, axes="ZYX", bits=plane.bits)


def main() -> None:
    """Write the files that are missing, or all."""
    FOLDER.mkdir(exist_ok=True)
    for name, quality in {**QUALITIES, **VOLUMES}.items():
        codec, place = Learned(package(name), quality), FOLDER / name
        if place.with_suffix(".cyto").exists() and "--all" not in sys.argv[1:]:
            continue
        data = codec.encode(image(name))
        place.with_suffix(".cyto").write_bytes(data)
        np.save(place.with_suffix(".npy"), decode_by(codec, data).pixels)
        sys.stdout.write(f"{place.name}: {len(data)} bytes\n")


if __name__ == "__main__":
    main()
