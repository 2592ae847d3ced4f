"""Equality to the last bit: paths, threads and tiles; random latents, made images, test fields."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cytopress
from cytopress.codecs.container.container import Form
from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.codecs.learned.exact.load import open_exact
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.codecs.learned.exact.pixels import FLOATS, INTEGERS, Normalization, Surface
from cytopress.codecs.learned.exact.slabs import synthesized
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.model.manifest import is_exact
from cytopress.codecs.learned.model.packages import learned_packages
from cytopress.datasets.catalogue import dataset
from cytopress.errors import NotAvailableError
from cytopress.image import Image
from cytopress.kernels import paths, threads
from cytopress.models.model_package import Package, open_package
from cytopress.settings import SHIPPED, Settings

pytestmark = [pytest.mark.slow, pytest.mark.both_numpy]
HERE = Path(__file__).parent
SMALL = [open_package(path) for path in sorted(HERE.glob("*.cytomodel"))]
FOLDERS = Settings(None, (SHIPPED,), SHIPPED / "none", SHIPPED / "none")
EXACT = [package for package in learned_packages(FOLDERS) if is_exact(package)]
PACKAGES = SMALL + EXACT
EACH = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
# Of threads.
NUMBERS = 1, 8
# Settings and wrappers of planes.
FIXED = (
    "quality=0",
    "quality=1",
    "quality=0.4,guard=0",
    "quality=0.4,guard=3",
    "quality=0.4,lines=1",
    "quality=0.4,scale=2",
    "quality=0.4,scale=4,guard=2",
    "quality=0.7,tile=64",
    "quality=0.7,tile=48,guard=1,lines=1",
)
INTEGERS_ALONE = "guard", "lines", "scale"
# Random latents in all, and in one test.
DRAWS, TOGETHER = 10_000, 250
# Spreads of latents in quantization steps: from next to none up to where everything clips.
SPREADS = 2.0**-2, 2.0**24


@contextlib.contextmanager
def taking(path: str, number: int) -> Iterator[None]:
    """Compute on a path with a number of threads."""
    with paths.using(path), threads.using(number):
        yield


def drawn_shape(random: np.random.Generator, package: Package) -> tuple[int, int, int]:
    planes = int(random.integers(1, 5)) if package.manifest["axes"] == "ZYX" else 1
    height, width = (int(each) for each in random.integers(1, 66, 2))
    return planes, height, width


def drawn_latents(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Return latents, int32 with 8 bits of fraction: of any spread, in parts empty or equal."""
    low, high = np.log2(SPREADS)
    values = random.standard_t(2, shape) * 2 ** random.uniform(low, high)
    values *= random.random(shape) < random.choice([0.02, 0.3, 1.0])
    if random.random() < 0.3:
        values[: shape[0] // 2] = values[0, 0]
    most = 2.0**30 - 1
    return np.clip(np.rint(values * 256), -most, most).astype(np.int32)


def drawn_form(random: np.random.Generator, shape: tuple[int, ...]) -> tuple[Form, Normalization]:
    """Return how pixels are stored, and their used range."""
    kind = random.choice(["uint8", "uint16", "float32"])
    if kind == "float32":
        low, wide, center = random.normal(), 10 ** random.uniform(-9, 30), random.random()
        packed = FLOATS.pack(low * wide, low * wide + wide, center)
    else:
        packed = INTEGERS.pack(*random.integers(1, 2**16, 2).tolist())
    bits = {"uint8": 8, "uint16": int(random.integers(9, 17)), "float32": 32}[kind]
    image = Image(np.zeros(shape, kind), bits=bits)
    return Form.of(image), Normalization.take(packed, np.dtype(kind))[0]


def pixels_of(
    model: ExactModel,
    quality: float,
    slabs: list[Any],
    form: Form,
    normalization: Normalization,
    grid: Any,
) -> bytes:
    """Return the pixels of decoded latents."""
    setting, dequantize = model.gains.at(quality)
    out = np.empty((form.shape[0] if len(form.shape) == 3 else 1, *form.shape[-2:]), form.dtype)
    surface = None
    if setting.background is not None:
        surface = Surface(setting.background.mesh, grid, out.shape[2])
    for planes, rows, band in synthesized(model, dequantize, iter(slabs), out.shape):
        place = range(rows.start, min(rows.stop, out.shape[1]))
        if place:
            smooth = surface and surface.rows(place)
            for plane, values in zip(out[planes], band, strict=True):
                part = plane[place.start : place.stop]
                normalization.write(values[: len(place)], form, part, smooth)
    return out.tobytes()


def written(model: ExactModel, slabs: list[Any], setting: GainSetting) -> tuple[bytes, ...]:
    """Return the streams of latents, slab by slab."""
    streams, previous = [], None
    for y in slabs:
        encoder = RansEncoder()
        previous = model.encode_latents(encoder, y, setting, previous)
        streams.append(encoder.bytes())
    return tuple(streams)


def read(
    model: ExactModel, streams: Iterable[bytes], shape: tuple[int, int], setting: GainSetting
) -> list[Any]:
    """Return the decoded latents of streams."""
    found: list[Any] = []
    for stream in streams:
        decoder = RansDecoder(stream)
        previous = found[-1] if found else None
        found.append(model.decode_latents(decoder, shape, setting, previous))
        decoder.finish()
    return found


@pytest.mark.parametrize("first", range(0, DRAWS, TOGETHER))
def test_ten_thousand_random_latents_have_the_same_bytes_and_pixels(first: int) -> None:
    """From latents to bytes, back again, and on to pixels; of each package in turn."""
    entropy = np.random.SeedSequence().entropy
    for draw in range(first, first + TOGETHER):
        package = PACKAGES[draw % len(PACKAGES)]
        model = open_exact(package)
        random = np.random.default_rng([entropy, draw])
        shape, quality = drawn_shape(random, package), float(random.random())
        form, normalization = drawn_form(random, shape if shape[0] > 1 else shape[1:])
        setting, _ = model.gains.at(quality)
        grid = None
        if setting.background is not None:
            block, steps = setting.background.mesh.block, int(10 ** random.uniform(0, 7))
            size = [max(1, -(-length // block)) for length in shape[1:]]
            grid = random.integers(-steps, steps, size, endpoint=True).astype(np.int32)
        latents_of = [length // 8 for length in model.forward.networks.padded(shape[1:])]
        channels = package.manifest["latent_channels"]
        slabs = [
            drawn_latents(random, (*latents_of, channels))
            for _ in range(model.slabs.count(shape[0]))
        ]
        coded, decoded, pixels, held = set(), set(), set(), paths.available()
        # One path in turn writes, numpy checks it, and all read.
        for path in {held[draw % len(held)], paths.NUMPY}:
            with taking(path, int(random.choice(NUMBERS))):
                coded.add(written(model, slabs, setting))
        assert len(coded) == 1, (entropy, draw)
        (streams,) = coded
        for path in held:
            with taking(path, int(random.choice(NUMBERS))):
                latents = read(model, streams, shape[1:], setting)
                decoded.add(b"".join(each.tobytes() for each in latents))
                pixels.add(pixels_of(model, quality, latents, form, normalization, grid))
        assert (len(decoded), len(pixels)) == (1, 1), (entropy, draw)


def images() -> dict[str, Image]:
    """Return a field with stripes and an empty place, of each type and of odd sizes, and noise."""
    random = np.random.default_rng(14)
    y, x = np.mgrid[:181, :203]
    light = 0.3 + 0.2 * np.sin(y / 17) * np.cos(x / 23) + random.normal(0, 0.005, y.shape)
    light[:, 150:] = 0.1
    light += 0.02 * np.sin(2 * np.pi * y / 4.7)
    return {
        "uint8": Image(np.rint(255 * light).astype(np.uint8)),
        "12 bits": Image(np.rint(4095 * light).astype(np.uint16), bits=12),
        "uint16": Image(np.rint(65_535 * light).astype(np.uint16)),
        "float32": Image((light - 0.2).astype(np.float32)),
        "noise": Image(random.integers(0, 2**16, (65, 130)).astype(np.uint16)),
        "two values": Image((1000 * (light[:70, :90] > 0.3)).astype(np.uint16)),
        "a column": Image(np.rint(255 * light[:, :1]).astype(np.uint8)),
    }


def volume() -> Image:
    random = np.random.default_rng(15)
    z, y, x = np.mgrid[:7, :70, :90]
    light = 900 + 300 * np.sin(y / 17 + z) * np.cos(x / 23) + random.normal(0, 12, y.shape)
    return Image(np.rint(light).astype(np.uint16), bits=12)


def check_on_every_path(image: Image, spec: str, settings: Settings) -> None:
    """Assert that every path, in one thread and in several, writes the same bytes and pixels.

    What one wrote all others read.
    """
    coded, decoded = set(), set()
    taken = list(itertools.product(paths.available(), NUMBERS))
    for path, number in taken:
        with taking(path, number):
            coded.add(cytopress.codec(spec, settings=settings).solve(image).data)
    assert len(coded) == 1, (spec, image.name)
    (data,) = coded
    for path, number in taken:
        with taking(path, number), warnings.catch_warnings():
            warnings.simplefilter("error")
            decoded.add(cytopress.decode(data, settings=settings).pixels.tobytes())
    assert len(decoded) == 1, (spec, image.name)


PLANES = [package for package in PACKAGES if package.manifest["axes"] == "YX"]
VOLUMES = [package for package in PACKAGES if package.manifest["axes"] == "ZYX"]


@pytest.mark.parametrize("options", FIXED)
@pytest.mark.parametrize("name", images())
@pytest.mark.parametrize("package", PLANES, ids=lambda package: package.name)
def test_images_and_what_codes_around_them(
    package: Package, name: str, options: str, settings: Settings
) -> None:
    """Guards, lines, lower resolutions and tiles."""
    image = images()[name]
    if image.dtype.kind == "f" and any(word in options for word in INTEGERS_ALONE):
        pytest.skip("of integers alone")
    folders = settings.with_models(package.path.parent)
    check_on_every_path(image, f"{package.name}@{package.sha256[:16]}:{options}", folders)


@pytest.mark.parametrize("options", ["ratio=15", "psnr=40", "psnr=80", "max_error=2", "sigma=0.5"])
@pytest.mark.parametrize("package", EXACT, ids=lambda package: package.name)
def test_targets_that_are_searched_for(package: Package, options: str) -> None:
    """With lower resolutions, lines and a coded residual where these are fewer bytes."""
    image = images()["12 bits"]
    if package.manifest["axes"] == "ZYX":
        image = volume()
    check_on_every_path(image, f"{package.name}@{package.sha256[:16]}:{options}", FOLDERS)


@pytest.mark.parametrize("options", ["quality=0", "quality=0.6", "quality=1,guard=1"])
@pytest.mark.parametrize("package", VOLUMES, ids=lambda package: package.name)
def test_volumes(package: Package, options: str, settings: Settings) -> None:
    folders = settings.with_models(package.path.parent)
    check_on_every_path(volume(), f"{package.name}@{package.sha256[:16]}:{options}", folders)


def fields_of(package: Package) -> Iterator[Image]:
    """Yield the test fields of the data sets here that a package was scored on."""
    for name in package.manifest["results"]:
        with contextlib.suppress(NotAvailableError):
            whole = dataset(name)
            yield from (whole.read_input(field) for field in whole.part("test"))


@pytest.mark.data
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("options", ["quality=0.15", "quality=0.55", "quality=0.95"])
@pytest.mark.parametrize("package", EXACT, ids=lambda package: package.name)
def test_every_test_field(package: Package, options: str) -> None:
    count = 0
    for image in fields_of(package):
        check_on_every_path(image, f"{package.name}@{package.sha256[:16]}:{options}", FOLDERS)
        count += 1
    if not count:
        pytest.skip(f"the data that {package.name} was scored on are not here")
