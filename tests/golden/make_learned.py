"""Write golden files of learned codecs: bytes, latents and pixels of the small packages of tests.

    python tests/golden/make_learned.py         write those that are missing (a new architecture)
    python tests/golden/make_learned.py --all   write all anew: only when the format is given up

The packages are frozen too: those that ship may be replaced by better ones. No test ever writes
here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from cytopress.codecs.container import container
from cytopress.codecs.learned.codec import REST, Learned
from cytopress.codecs.learned.entropy.range_coder import RangeDecoder
from cytopress.codecs.learned.model.decoder import decode_slabs
from cytopress.codecs.registry import decode_by
from cytopress.image import Image
from cytopress.models.model_package import Package, open_package

FOLDER = Path(__file__).parent / "learned"
PACKAGES = Path(__file__).parents[1] / "codecs" / "learned"
LIMITS_BYTES = 8


def packages() -> list[Package]:
    """Return the small packages of tests."""
    return [open_package(path) for path in sorted(PACKAGES.glob("*.cytomodel"))]


def codec_of(package: Package) -> Learned:
    """Return the codec that golden bytes are of; a fine one of secondary transforms."""
    return Learned(package, quality=1.0 if "rotations" in package.manifest else None)


def field() -> Image:
    """Return 70 x 90 pixels of 12 bits: waves, noise, and a few pixels that no table expects."""
    random = np.random.default_rng(6)
    y, x = np.mgrid[:70, :90]
    light = 700 + 300 * np.sin(y / 7) * np.cos(x / 11) + random.normal(0, 15, y.shape)
    light[30:34, 50:54] = 4095
    return Image(np.rint(light).astype(np.uint16), bits=12)


def volume() -> Image:
    """Return 11 planes of 40 x 50 pixels, a number that no slab divides, with the same in them."""
    random = np.random.default_rng(7)
    z, y, x = np.mgrid[:11, :40, :50]
    light = 700 + 300 * np.sin(y / 7 + z / 5) * np.cos(x / 11) + random.normal(0, 15, y.shape)
    light[3:5, 30:34, 20:24] = 4095
    return Image(np.rint(light).astype(np.uint16), bits=12)


def latents(codec: Learned, data: bytes) -> np.ndarray:
    """Return what the entropy decoder gives, before any float touches it; slab by slab."""
    header, stream = container.unpack(data)
    model, setting = codec._model()
    *planes, height, width = header.form.shape
    coded = stream[LIMITS_BYTES + REST.size :]
    if setting.background is not None:
        _, coded = setting.background.unpack(coded, (height, width))
    decoder, depth = RangeDecoder(coded), planes[0] if planes else 1
    found = list(decode_slabs(model, setting, decoder, (depth, height, width)))
    decoder.finish()
    return np.stack(found) if planes else found[0]


def main() -> None:
    """Write the files that are missing, or all."""
    FOLDER.mkdir(exist_ok=True)
    for package in packages():
        codec, place = codec_of(package), FOLDER / package.path.stem
        if place.with_suffix(".cyto").exists() and "--all" not in sys.argv[1:]:
            continue
        data = codec.encode(volume() if 3 in codec.traits.dims else field())
        place.with_suffix(".cyto").write_bytes(data)
        pixels = decode_by(codec, data).pixels
        np.savez_compressed(place.with_suffix(".npz"), pixels=pixels, latents=latents(codec, data))
        sys.stdout.write(f"{place.name}: {len(data)} bytes\n")


if __name__ == "__main__":
    main()
