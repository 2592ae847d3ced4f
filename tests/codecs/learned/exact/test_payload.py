"""A codec of a package of format 2: exact pixels, hard images, and altered bytes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import cytopress
from cytopress.codecs.container import container
from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.registry import decode_by
from cytopress.errors import CorruptDataError, CytopressError
from cytopress.image import Image
from cytopress.kernels import paths
from cytopress.models.model_package import Package
from cytopress.settings import Settings

pytestmark = pytest.mark.both_numpy


def hard_images() -> dict[str, Image]:
    random = np.random.default_rng(8)
    sparse = np.zeros((100, 90), np.uint16)
    sparse[50, 40] = 65_535
    hot = random.normal(0, 1, (70, 70)).astype(np.float32)
    hot[3, 3] = 3e38
    bright = random.normal(100, 2, (96, 96))
    bright[30:60, 30:60] = 65_000
    return {
        "constant": Image(np.full((33, 20), 77, np.uint8)),
        "constant float": Image(np.full((33, 20), -1.25, np.float32)),
        "1 x 1": Image(np.array([[500]], np.uint16)),
        "1 x 90": Image(random.integers(0, 4096, (1, 90)).astype(np.uint16), bits=12),
        "90 x 1": Image(random.integers(0, 256, (90, 1)).astype(np.uint8)),
        "odd": Image(random.integers(0, 256, (127, 65)).astype(np.uint8)),
        "one pixel": Image(sparse),
        "hot pixel": Image(hot),
        "bright region": Image(np.rint(bright).astype(np.uint16)),
        "wide": Image(np.linspace(-3e38, 3e38, 4000, dtype=np.float32).reshape(50, 80)),
        "tiny": Image((random.random((40, 40)) * 1e-42).astype(np.float32)),
        "noise": Image(random.integers(0, 65_536, (130, 70)).astype(np.uint16)),
    }


@pytest.mark.parametrize("name", hard_images())
def test_hard_images_code_and_decode(package: Package, name: str) -> None:
    image = hard_images()[name]
    codec = Learned(package, 1.0)
    data = codec.encode(image)
    decoded = decode_by(codec, data)
    assert (decoded.shape, decoded.dtype, decoded.bits) == (image.shape, image.dtype, image.bits)
    if "constant" in name or name == "1 x 1":
        assert decoded == image
        assert len(data) < 60


def test_a_bright_region_keeps_its_counts(package: Package) -> None:
    image = hard_images()["bright region"]
    decoded = decode_by(Learned(package, 1.0), Learned(package, 1.0).encode(image))
    inside = decoded.pixels[36:54, 36:54].astype(int)
    assert abs(int(np.median(inside)) - 65_000) < 2000
    assert abs(int(np.median(decoded.pixels[:20])) - 100) < 100


def test_every_path_gives_the_same_bytes_and_pixels(package: Package, cells: Image) -> None:
    codec, found = Learned(package, 0.6), []
    for path in paths.available():
        with paths.using(path):
            data = codec.encode(cells)
            found.append((data, decode_by(codec, data).pixels.tobytes()))
    assert len(set(found)) == 1
    assert len(found) == len(paths.available())


def test_such_a_codec_is_exact(package: Package, cells: Image, settings: Settings) -> None:
    codec = Learned(package, 0.5)
    assert codec.exact
    assert codec.deviation == 0
    with_models = settings.with_models(package.path.parent)
    spec = "learned/tiny-exact:quality=0.5,guard=0"
    data = cytopress.codec(spec, settings=with_models).solve(cells).codec.encode(cells)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decoded = cytopress.decode(data, settings=with_models)
    assert decoded.shape == cells.shape


def test_altered_bytes_are_refused(package: Package, cells: Image) -> None:
    codec = Learned(package, 0.3)
    header, stream = container.unpack(codec.encode(cells))
    random = np.random.default_rng(9)
    for place in [0, 1, 5, 6, 8, 9, 12, *random.integers(10, len(stream), 40).tolist()]:
        broken = bytearray(stream)
        broken[place] ^= 1 << int(random.integers(8))
        with pytest.raises(CorruptDataError):
            codec.restore(bytes(broken), header.form)
    for end in (0, 1, 3, 5, 8, 9, 20, len(stream) - 1):
        with pytest.raises(CorruptDataError):
            codec.restore(stream[:end], header.form)
    with pytest.raises(CorruptDataError):
        codec.restore(bytes(stream) + b"\0\0\0\0", header.form)


def test_a_constant_image_is_followed_by_nothing(package: Package) -> None:
    codec = Learned(package)
    header, stream = container.unpack(codec.encode(Image(np.full((9, 9), 3, np.uint8))))
    assert len(stream) == 5
    with pytest.raises(CorruptDataError, match="more bytes"):
        codec.restore(bytes(stream) + b"x", header.form)


def test_a_higher_quality_errs_less(package: Package, cells: Image) -> None:
    errors = []
    for quality in (0, 0.5, 1):
        codec = Learned(package, quality)
        decoded = decode_by(codec, codec.encode(cells)).pixels
        errors.append(float(np.square(decoded.astype(float) - cells.pixels).mean()))
    assert errors == sorted(errors, reverse=True)


def test_volumes_are_refused(package: Package) -> None:
    with pytest.raises(CytopressError, match="2D"):
        Learned(package).encode(Image(np.zeros((2, 9, 9), np.uint8), axes="ZYX"))
