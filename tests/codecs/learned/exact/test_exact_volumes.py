"""Volumes of format 2: integers on every path, from planes to latents and back, slab by slab."""

from __future__ import annotations

import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import cytopress
from cytopress.codecs.container import container
from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.learned.exact.along_z import AlongZ
from cytopress.codecs.learned.exact.analysis import Analysis
from cytopress.codecs.learned.exact.load import open_exact
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.codecs.registry import decode_by
from cytopress.errors import CorruptDataError, PackageError
from cytopress.image import Image
from cytopress.kernels import paths, threads
from cytopress.models.graph_weights import graph_weights
from cytopress.models.model_package import Package, open_package
from cytopress.settings import Settings
from fakes.exact_reference import corrected, halved, transformed
from fakes.learned_networks import volume
from fakes.learned_packages import remade

pytestmark = pytest.mark.both_numpy
MOST = 2**28 - 1


@pytest.fixture(scope="module")
def volumes() -> Package:
    """Return a package of slabs of 2 planes, some of whose frequencies have no latent."""
    return open_package(Path(__file__).parent / "tiny-exact-volume.cytomodel")


@pytest.fixture(scope="module")
def networks(volumes: Package) -> ExactModel:
    """Return it opened."""
    return open_exact(volumes)


def stack(planes: int, height: int = 70, width: int = 90) -> Image:
    """Return a volume of 12 bits with an empty place, and pixels that no table expects."""
    light = 500 + 2500 * volume(planes, height, width)
    light[:, height // 2 :, : width // 2] = 100
    light[planes // 2, 3:6, 4:8] = 4095
    counts = np.clip(np.rint(light), 0, 4095).astype(np.uint16)
    return Image(counts, axes="ZYX", bits=12, spacing_um=(0.3, 0.1, 0.1))


def test_every_path_and_number_of_threads_gives_the_same(volumes: Package) -> None:
    codec, image, found = Learned(volumes, 0.6), stack(5), []
    for path in paths.available():
        for number in (1, 8):
            with paths.using(path), threads.using(number):
                data = codec.encode(image)
                found.append((data, decode_by(codec, data).pixels.tobytes()))
    assert len(set(found)) == 1
    assert len(found) == 2 * len(paths.available())


@pytest.mark.parametrize("planes", [1, 2, 3, 6])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_any_planes_of_any_type_come_back(volumes: Package, planes: int, kind: Any) -> None:
    counts = stack(planes, 41, 33).pixels
    pixels = (counts >> 4).astype(kind) if kind == np.uint8 else counts.astype(kind)
    image, codec = Image(pixels, axes="ZYX", spacing_um=(0.3, 0.1, 0.1)), Learned(volumes, 1.0)
    back = decode_by(codec, codec.encode(image))
    assert (back.shape, back.dtype, back.spacing_um) == (image.shape, image.dtype, image.spacing_um)
    off = back.pixels.astype(float) - pixels
    assert np.sqrt(np.mean(off**2)) < 0.5 * float(pixels.std())


def test_such_a_codec_is_exact(volumes: Package, settings: Settings) -> None:
    codec, image = Learned(volumes, 0.5), stack(3)
    assert codec.exact
    assert codec.deviation == 0
    with_models = settings.with_models(volumes.path.parent)
    spec = "learned/tiny-exact-volume:quality=0.5,guard=0"
    data = cytopress.codec(spec, settings=with_models).solve(image).codec.encode(image)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cytopress.decode(data, settings=with_models).shape == image.shape


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_tiles_change_no_number(networks: ExactModel, path: str, rows: int) -> None:
    random = np.random.default_rng(2)
    shape, layout = (10, 12), networks.slabs
    planes = list(random.integers(-(2**16), 2**16, (layout.window, 80, 96)).astype(np.int32))
    assert networks.forward.integers is not None
    analysis = networks.forward.integers[0]
    assert_array_equal(analysis(planes, rows=rows), analysis(planes))
    slabs = list(random.integers(-900, 900, (layout.stack, *shape, 80)).astype(np.int32))
    dequantize = networks.gains.at(0.5)[1]
    whole = [np.stack(band) for _, band in networks.synthesis.bands(slabs, dequantize)]
    tiled = [np.stack(band) for _, band in networks.synthesis.bands(slabs, dequantize, rows=rows)]
    assert_array_equal(np.concatenate(tiled, axis=1), np.concatenate(whole, axis=1))


def latents_of_planes(package: Package, slabs: Any) -> Any:
    """Return those of each plane by the page's definition, in sums of Python's integers."""
    matrix, place = (package.array(f"r0/synthesis.{name}") for name in ("along_z", "place"))
    depth, channels = len(matrix), slabs[0].shape[2]
    wide = [np.pad(slab.astype(np.int64), ((0, 0), (0, 0), (0, 1))) for slab in slabs]
    assert place.max() == channels
    found = []
    for plane in range(depth):
        sums = np.zeros((*slabs[0].shape[:2], 64), np.int64)
        for k, slab in enumerate(wide):
            for w in range(depth):
                taken = slab[..., place[w * 64 : (w + 1) * 64]]
                sums += int(matrix[plane, k * depth + w]) * taken
        found.append(np.clip(halved(sums, 14), -MOST, MOST))
    return found


# Up to where everything clips.
@pytest.mark.parametrize("spread", [2.0, 1e5, 1e9])
def test_pixels_are_those_of_the_definition(
    volumes: Package, networks: ExactModel, path: str, spread: float
) -> None:
    random = np.random.default_rng(3)
    drawn = np.rint(random.normal(0, spread, (networks.slabs.stack, 3, 4, 80)) * 256)
    slabs = list(np.clip(drawn, -(2**31), 2**31 - 1).astype(np.int32))
    dequantize = networks.gains.at(0.4)[1]
    ((_, found),) = networks.synthesis.bands(slabs, dequantize)
    x = [halved(s.astype(np.int64) * dequantize.multiplier, dequantize.shift) for s in slabs]
    x = [np.clip(each, -MOST, MOST) for each in x]
    layers = [
        (volumes.array(f"r0/synthesis.{i}.weight"), volumes.array(f"r0/synthesis.{i}.bias"), shift)
        for i, shift in enumerate(volumes.manifest["synthesis"])
    ]
    x[1] = corrected(np.concatenate(x, axis=2), layers, x[1])
    filters = [volumes.array(f"r0/synthesis.along_{axis}") for axis in "yx"]
    for plane, latents in zip(found, latents_of_planes(volumes, x), strict=True):
        assert_array_equal(plane, transformed(latents, *filters, np.arange(64)))


def test_latents_are_those_of_the_graph(volumes: Package, networks: ExactModel, path: str) -> None:
    random = np.random.default_rng(4)
    planes = [random.normal(0, 0.3, (64, 96)).astype(np.float32) for _ in range(4)]
    whole = [np.rint(plane * 2**15).astype(np.int32) for plane in planes]
    assert networks.forward.integers is not None
    found = networks.forward.integers[0](whole) * 2.0**-15
    expected = np.moveaxis(networks.forward.networks.analyze(planes), 0, -1)
    assert np.abs(expected).max() > 0.1
    assert np.abs(found - expected).max() < 2e-3


def test_graphs_of_other_transforms_have_no_integer_form(volumes: Package) -> None:
    held = graph_weights(volumes.read("r0/analysis.onnx"))
    place = volumes.array("r0/synthesis.place")
    assert len(Analysis.of(held, place, slabs=True).transforms) == 2
    for name, weight, word in (
        ("g_a.along_z.weight", np.full((2, 4, 1, 1), 2.0), "no filter"),
        ("g_a.along_z.weight", np.zeros((4, 4, 1, 1)), "frequencies"),
        ("g_a.along_z.weight", np.full((2, 4, 1, 1), 1.99), "32 bits"),
    ):
        with pytest.raises(PackageError, match=word):
            Analysis.of(held | {name: weight}, place, slabs=True)
    kept = {name: each for name, each in held.items() if "along_z" not in name}
    with pytest.raises(PackageError, match="along_z"):
        Analysis.of(kept, place, slabs=True)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"along_z": np.full((2, 6), 2**14, np.int16)}, "32 bits"),
        ({"along_z": np.zeros((2, 6), np.int32)}, "int16"),
        ({"along_z": np.zeros((2, 4), np.int16)}, "belongs"),
        ({"place": np.zeros(128, np.int32)}, "each latent once"),
        ({"place": np.arange(128, dtype=np.int32)}, "does not take"),
        ({"place": np.arange(-1, 127, dtype=np.int32)}, "each latent once"),
    ],
)
def test_transforms_along_z_that_do_not_fit_are_refused(
    volumes: Package, tmp_path: Path, change: dict[str, Any], word: str
) -> None:
    arrays = {f"r0/synthesis.{name}": array for name, array in change.items()}
    with pytest.raises(PackageError, match=word):
        open_exact(remade(volumes, tmp_path, arrays=arrays))


def test_a_stack_has_a_middle() -> None:
    with pytest.raises(PackageError, match="shape"):
        AlongZ(np.ones((2, 4), np.int16), np.arange(128).reshape(2, 64), 128)


def test_altered_bytes_are_refused(volumes: Package) -> None:
    codec = Learned(volumes, 0.3)
    header, stream = container.unpack(codec.encode(stack(5)))
    random = np.random.default_rng(9)
    for place in [0, 1, 5, 6, 8, 9, 10, *random.integers(9, len(stream), 30).tolist()]:
        broken = bytearray(stream)
        broken[place] ^= 1 << int(random.integers(8))
        with pytest.raises(CorruptDataError):
            codec.restore(bytes(broken), header.form)
    for end in (0, 1, 5, 9, 20, len(stream) - 1):
        with pytest.raises(CorruptDataError):
            codec.restore(stream[:end], header.form)


def test_memory_does_not_grow_with_depth(volumes: Package) -> None:
    codec, most = Learned(volumes, 0.0), {}
    for planes in (8, 40):
        pixels = np.full((planes, 96, 96), 100, np.uint16)
        pixels[:, 40:50, 40:50] = 900
        image = Image(pixels, axes="ZYX", bits=12)
        data = codec.encode(image)
        # Only a decoder gives pixels back; it holds parts of the stream apart.
        for verb, given in (
            (lambda image=image: codec.encode(image), len(data)),
            (lambda data=data: decode_by(codec, data), image.raw_bytes + 4 * len(data)),
        ):
            tracemalloc.start()
            verb()
            peak = tracemalloc.get_traced_memory()[1] - given
            tracemalloc.stop()
            most.setdefault(planes, []).append(peak)
    # Far less than the pixels of the other planes.
    more = [deep - flat for deep, flat in zip(most[40], most[8], strict=True)]
    assert max(more) < 32 * 96 * 96 * 2 / 4
