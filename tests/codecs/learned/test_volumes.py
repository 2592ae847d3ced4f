"""Learned codecs of volumes: slabs, their order, their ends, and what no slab may change."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.container import container
from cytopress.codecs.learned.codec import Learned, LearnedFamily
from cytopress.codecs.learned.model import networks as module
from cytopress.codecs.learned.model.load import open_model
from cytopress.codecs.learned.pixels.slabs import SlabLayout
from cytopress.codecs.progress import listen
from cytopress.codecs.registry import decode, decode_by
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import (
    CorruptDataError,
    CytopressWarning,
    PackageError,
    UnsupportedImageError,
)
from cytopress.image import Image
from cytopress.models.model_package import Package, open_package, write_package
from cytopress.settings import Settings
from fakes.learned_networks import volume

HERE = Path(__file__).parent
NAMES = ("volume-context", "volume-planes", "volume-factorized")


@pytest.fixture(scope="module", params=NAMES)
def package(request: pytest.FixtureRequest) -> Package:
    """Return a package of each form of slabs."""
    return open_package(HERE / f"{request.param}.cytomodel")


def stack(planes: int, height: int = 70, width: int = 90, seed: int = 0) -> Image:
    """Return a volume of 12 bits with a few pixels that no table expects."""
    light = 500 + 2500 * volume(planes, height, width, seed)
    light[planes // 2, 30:33, 40:43] = 4095
    counts = np.clip(np.rint(light), 0, 4095).astype(np.uint16)
    return Image(counts, axes="ZYX", bits=12, spacing_um=(0.3, 0.1, 0.1))


@pytest.mark.parametrize("planes", [1, 2, 3, 4, 5, 7, 9])
def test_any_number_of_planes_comes_back(package: Package, planes: int) -> None:
    image = stack(planes)
    fine, coarse = Learned(package, 1.0), Learned(package, 0.0)
    with warnings.catch_warnings():
        # A reconstruction other than the encoder's is told by a warning.
        warnings.simplefilter("error")
        data = fine.encode(image)
        back, rough = decode_by(fine, data), decode_by(coarse, coarse.encode(image))
    assert (back.axes, back.bits, back.spacing_um) == ("ZYX", 12, (0.3, 0.1, 0.1))
    off = [
        np.sqrt(np.mean((each.pixels - image.pixels.astype(float)) ** 2)) for each in (back, rough)
    ]
    # Untrained, they are transform codecs still: far nearer than a flat image, by quality.
    assert off[0] < off[1]
    assert off[0] < 0.6 * float(image.pixels.std())
    header, _ = container.unpack(data)
    assert header.header_bytes <= 80


def test_bytes_alone_decode(package: Package, settings: Settings) -> None:
    image = stack(6)
    codec = Learned(package, 0.6)
    assert decode(codec.encode(image), settings.with_models(HERE)) == decode_by(
        codec, codec.encode(image)
    )


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_other_pixels_code_too(package: Package, dtype: str) -> None:
    scale = 1 / 16 if dtype == "uint8" else 0.37
    image = Image((stack(5).pixels * scale).astype(dtype), axes="ZYX")
    back = decode_by(Learned(package, 1.0), Learned(package, 1.0).encode(image))
    assert back.dtype == dtype
    assert np.std(back.pixels.astype(float) - image.pixels) < 0.6 * np.std(
        image.pixels.astype(float)
    )


def test_a_constant_volume_takes_no_latents(package: Package) -> None:
    image = Image(np.full((6, 20, 30), 7, np.uint16), axes="ZYX")
    data = Learned(package).encode(image)
    assert len(data) < 80
    assert decode_by(Learned(package), data) == image


def test_planes_are_not_its_business(package: Package) -> None:
    plane = Image(np.zeros((40, 50), np.uint16))
    with pytest.raises(UnsupportedImageError, match="codes 3D images, not YX"):
        Learned(package).encode(plane)
    with pytest.raises(UnsupportedImageError, match=f"{package.name} codes 3D images, not YX"):
        CodecRequest(LearnedFamily(package), native=0.5).encode(plane)


def test_regions_change_no_latent_and_no_pixel_by_more_than_floats_round(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, codec = stack(7, 200, 180), Learned(package, 0.7)
    data = codec.encode(image)
    whole = decode_by(codec, data).pixels.astype(int)
    monkeypatch.setattr(module, "VOLUME_TILE", (64, 96))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CytopressWarning)
        parts = decode_by(codec, data).pixels.astype(int)
    assert np.abs(parts - whole).max() <= 1
    assert abs(len(codec.encode(image)) - len(data)) <= 8


def test_what_comes_after_changes_nothing_before(package: Package) -> None:
    """Slabs are decoded in order, so a volume cut short has the same bytes up to its last slabs."""
    codec, long = Learned(package, 0.5), stack(24)
    depth = open_model(package).slabs
    seen = [depth.seen(slab, 24) for slab in range(depth.count(24))]
    assert all(np.all(np.diff(each) >= 0) for each in seen)
    held = np.concatenate([np.arange(24)[depth.held(slab, 24)] for slab in range(len(seen))])
    np.testing.assert_array_equal(held, np.arange(24))
    changed = long.pixels.copy()
    changed[20:] = changed[20:, ::-1]
    # Of equal limits and mean, since the pixels are the same ones in another order.
    first = decode_by(codec, codec.encode(long)).pixels
    second = decode_by(codec, codec.encode(Image(changed, axes="ZYX", bits=12))).pixels
    far = 20 - depth.margin - depth.stride * (1 + depth.neighbors)
    np.testing.assert_array_equal(first[:far], second[:far])
    assert np.any(first[20:] != second[20:])


def test_slabs_are_told_to_whoever_listens(package: Package) -> None:
    told: list[float] = []
    with listen(lambda share, _: told.append(share)):
        Learned(package).encode(stack(16))
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) >= open_model(package).slabs.count(16)


def test_damage_is_an_error_or_told(package: Package) -> None:
    codec = Learned(package, 0.6)
    header, stream = container.unpack(codec.encode(stack(6)))
    random = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(stream)
        for place in random.integers(8, len(broken), 3):
            broken[place] ^= int(random.integers(1, 256))
        broken = broken[: random.integers(8, len(broken) + 1)] if random.random() < 0.4 else broken
        data = container.pack(header.recipe, header.form, bytes(broken), {})
        with warnings.catch_warnings():
            warnings.simplefilter("error", CytopressWarning)
            with pytest.raises((CorruptDataError, CytopressWarning)):
                decode_by(codec, data)


@pytest.mark.parametrize(
    ("planes", "stride", "first", "last"),
    [(7, 4, [0, 0, 0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6, 6, 6, 6]), (1, 2, [0, 0, 0, 0], [0] * 4)],
)
def test_beyond_the_ends_are_the_last_planes(
    planes: int, stride: int, first: list[int], last: list[int]
) -> None:
    depth = SlabLayout(stride, stride // 2, 1)
    assert depth.seen(0, planes).tolist() == first
    assert depth.seen(depth.count(planes) - 1, planes).tolist() == last


def _altered(package: Package, path: Path, **manifest: object) -> Package:
    graphs = {
        name.removesuffix(".onnx"): package.read(name)
        for name in package.names()
        if name.endswith(".onnx")
    }
    arrays = {
        name.removesuffix(".npy"): package.array(name.removesuffix(".npy"))
        for name in package.names()
        if name.endswith(".npy")
    }
    whole = {**package.manifest, **manifest}
    whole = {key: value for key, value in whole.items() if value is not None}
    return write_package(path / "altered.cytomodel", whole, graphs=graphs, arrays=arrays)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"depth": None}, "'depth' is in the manifest of a codec of ZYX alone"),
        ({"axes": "YX"}, "'depth' is in the manifest of a codec of ZYX alone"),
        ({"depth": {"stride": 0, "margin": 0, "neighbors": 0}}, "'stride'"),
        ({"depth": 4}, "is a table"),
        ({"below": {"hidden": 3}}, "a shift for each of hidden, mean, scale"),
        ({"surface": {"block": 64, "step": 0.01}}, "of planes, not of volumes"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(
    tmp_path: Path, manifest: dict[str, object], said: str
) -> None:
    good = open_package(HERE / "volume-context.cytomodel")
    with pytest.raises(PackageError, match=said):
        Learned(_altered(good, tmp_path, **manifest)).encode(stack(4))


@pytest.mark.long
def test_memory_does_not_grow_with_depth(package: Package) -> None:
    import tracemalloc

    codec, peaks = Learned(package, 0.5), []
    codec.encode(stack(8))
    for planes in (16, 64):
        image = stack(planes, 160, 160)
        tracemalloc.start()
        data = codec.encode(image)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert decode_by(codec, data).shape == image.shape
    # What numpy holds besides the volume: windows, latents and words of a few slabs.
    assert peaks[1] < 1.3 * peaks[0] + 2**20
