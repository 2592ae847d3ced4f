from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.learned.model import networks as module
from cytopress.codecs.learned.model.codec_model import CodecModel
from cytopress.codecs.learned.model.load import open_model
from cytopress.codecs.learned.model.manifest import read_manifest
from cytopress.errors import CorruptDataError, PackageError
from cytopress.models.model_package import Package, open_package
from fakes.learned_packages import decode_latents, encode_latents, remade

pytestmark = pytest.mark.both_numpy


def form(model: CodecModel, height: int, width: int) -> tuple[int, int, int]:
    step = model.manifest.hyper_stride // model.manifest.stride
    return model.manifest.latent_channels, height * step, width * step


def random_latents(model: CodecModel, random: np.random.Generator) -> np.ndarray:
    """Return latents as varied as any image's: flat, heavy-tailed, far out of the tables."""
    height, width = random.integers(1, 4, 2)
    latents = random.standard_t(2, form(model, height, width)) * 2.0 ** random.uniform(-3, 9)
    return (latents + random.normal(0, 30)).astype(np.float32)


def check(model: CodecModel, count: int) -> None:
    random = np.random.default_rng(11)
    for _ in range(count):
        latents = random_latents(model, random)
        shape = tuple(length * model.manifest.stride for length in latents.shape[1:])
        setting = model.setting(float(random.random()))
        stream, y_hat = encode_latents(model, latents.copy(), setting)
        np.testing.assert_array_equal(decode_latents(model, stream, shape, setting), y_hat)
        # Where rounding is the only loss, none is farther off than half a step; where latents may
        # be turned first, the distance of all that are turned together is that of as many. Their
        # matrices have 14 bits, so that what is large comes back as near as that.
        off = y_hat / setting.inverse_gain - latents
        if model.manifest.transforms:
            first = model.coder.context.first
            for part in (slice(first), slice(first, None)):
                distance, size = (np.linalg.norm(each[part], axis=0) for each in (off, latents))
                assert (distance < 0.501 * len(off[part]) ** 0.5 + 3e-4 * size).all()
        else:
            assert np.abs(off).max() < 0.501


def test_latents_come_back(package: Package) -> None:
    check(open_model(package), 150)


@pytest.mark.slow
def test_thousands_of_random_latents_come_back(package: Package) -> None:
    # Of the six packages together ten thousand.
    check(open_model(package), 1_700)


def test_the_entropy_side_runs_no_float_network(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So neither threads nor graph optimization nor another onnxruntime can change what it decodes.
    model = open_model(package)
    latents = random_latents(model, np.random.default_rng(2))
    shape = tuple(length * model.manifest.stride for length in latents.shape[1:])
    stream, y_hat = encode_latents(model, latents, model.setting(0.3))
    monkeypatch.setattr(Package, "run", None)
    np.testing.assert_array_equal(decode_latents(model, stream, shape, model.setting(0.3)), y_hat)


def test_rounding_for_rate_costs_fewer_bytes_and_decodes(tiny: Package) -> None:
    model = open_model(tiny)
    cheap = replace(model, manifest=replace(model.manifest, rdo=3.0))
    latents = np.random.default_rng(3).normal(0, 2, form(model, 5, 5)).astype(np.float32)
    setting = model.setting(0.5)
    plain, _ = encode_latents(model, latents.copy(), setting)
    stream, y_hat = encode_latents(cheap, latents.copy(), setting)
    assert len(stream) < 0.98 * len(plain)
    np.testing.assert_array_equal(decode_latents(model, stream, (320, 320), setting), y_hat)


def test_tiles_give_what_the_whole_gives(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model(package)
    random = np.random.default_rng(4)
    plane = random.normal(0, 0.3, (200, 330)).astype(np.float32)
    y = model.networks.analyze(plane[None])
    x_hat = model.networks.synthesize([y], (200, 330))[0]
    for tile in ((32, 64), (64, 64), (128, 96)):
        monkeypatch.setattr(module, "TILE", tile)
        np.testing.assert_allclose(model.networks.analyze(plane[None]), y, atol=1e-5)
        np.testing.assert_allclose(model.networks.synthesize([y], (200, 330))[0], x_hat, atol=1e-5)


def test_threads_change_no_pixel(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model(package)
    y = np.random.default_rng(4).normal(0, 0.3, form(model, 4, 4)).astype(np.float32)
    one = model.networks.synthesize([y], (256, 256))[0]
    monkeypatch.setattr(module, "THREADS", 2)
    np.testing.assert_array_equal(model.networks.synthesize([y], (256, 256))[0], one)


def test_factors_are_interpolated_between_nodes(tiny: Package) -> None:
    model = open_model(tiny)
    gains = model.gains
    for node, quality in enumerate((0.0, 0.5, 1.0)):
        setting = model.setting(quality)
        np.testing.assert_allclose(setting.gain[:, 0, 0], 2.0 ** gains.gain[node], rtol=1e-6)
        np.testing.assert_array_equal(setting.scale_bias[:, 0, 0], gains.scale_bias[node])
    setting = model.setting(0.125)
    log = 0.75 * gains.gain[0] + 0.25 * gains.gain[1]
    np.testing.assert_allclose(setting.gain[:, 0, 0], 2.0**log, rtol=1e-4)
    bias = 0.75 * gains.scale_bias[0] + 0.25 * gains.scale_bias[1]
    assert np.abs(setting.scale_bias[:, 0, 0] - bias).max() <= 0.5


def test_a_stream_of_a_smaller_plane_is_corrupt(package: Package) -> None:
    model = open_model(package)
    setting = model.setting(0.5)
    latents = np.random.default_rng(1).normal(0, 40, form(model, 2, 2)).astype(np.float32)
    stream, _ = encode_latents(model, latents, setting)
    with pytest.raises(CorruptDataError):
        decode_latents(model, stream, (4096, 4096), setting)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"kind": "task"}, "task package"),
        ({"name": "compressai/x"}, "learned/NAME"),
        ({"architecture": "transformer"}, "transformer"),
        ({"axes": "ZYX"}, "ZYX"),
        ({"stride": 0}, "stride"),
        ({"hyper_stride": 40}, "40 pixels"),
        ({"latent_channels": 1.5}, "latent_channels"),
        ({"rates": None}, "rates"),
        ({"rates": 2}, "several rates or gains"),
        ({"reach": {"analysis": 3}}, "synthesis"),
        ({"reach": 3}, "reach"),
        ({"hyper_synthesis": []}, "layers"),
        ({"hyper_synthesis": [{"index": 0, "relu": True, "upsample": 1}]}, "shift"),
        ({"range_percentiles": [5]}, "range_percentiles"),
        ({"rdo": "much"}, "rdo"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(
    tiny: Package, tmp_path: Path, manifest: dict, said: str
) -> None:
    other = remade(tiny, tmp_path, manifest=manifest, arrays={}, drop="")
    with pytest.raises(PackageError, match=said) as caught:
        read_manifest(other)
    assert str(other.path) in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "drop", "said"),
    [
        ({}, "r0/gain.npy", "r0/gain"),
        ({"r0/gain": np.zeros((2, 6), np.float32)}, "", "r0/gain"),
        ({"r0/inverse_gain": np.full((3, 6), np.nan, np.float32)}, "", "finite"),
        ({"r0/scale_bias": np.zeros((3, 6), np.float32)}, "", "scale_bias"),
        ({"r0/scale_bias": np.full((3, 6), 2**25, np.int32)}, "", "scale bias"),
        ({"r0/prior_size": np.full(4, 1, np.int32)}, "", "table"),
        ({"r0/hs.1.weight": np.zeros((24, 5, 3, 3), np.int32)}, "", "follow"),
        ({"r0/hs.2.weight": np.zeros((24, 6, 1, 1), np.int32)}, "", "layer"),
        ({"r0/hs.0.weight": np.full((24, 4, 3, 3), 2**30, np.int32)}, "", "exact"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    tiny: Package, tmp_path: Path, arrays: dict, drop: str, said: str
) -> None:
    other = remade(tiny, tmp_path, manifest={}, arrays=arrays, drop=drop)
    with pytest.raises(PackageError, match=said) as caught:
        open_model(other)
    assert str(other.path) in str(caught.value)


@pytest.mark.parametrize(
    ("manifest", "arrays", "said"),
    [
        ({"context": {"across.mean": 3}}, {}, "'context' in the manifest"),
        ({"context": None}, {}, "'context' in the manifest"),
        ({"surface": 64}, {}, "'surface' in the manifest"),
        ({"surface": {"block": 0, "step": 0.5}}, {}, "'block' in the manifest"),
        ({"surface": {"block": 8, "step": 0}}, {}, "'surface' in the manifest"),
        ({"surface": {"block": 8, "step": 0.5, "halvings": -1}}, {}, "'halvings' in the manifest"),
        ({}, {"surface_offset": np.full(4, 1, np.int32)}, "last table"),
        ({}, {"r0/context.inward.mean.weight": np.zeros((5, 2, 1, 1), np.int32)}, "layer"),
        ({}, {"r0/context.inward.hidden.weight": np.zeros((3, 2, 3, 5), np.int32)}, "layer"),
        ({}, {"r0/context.across.scale.weight": np.full((2, 3, 1, 1), 2**32)}, "exact"),
        ({}, {"r0/prior_size": np.full(8, 9, np.int32)}, "do not belong together"),
    ],
)
def test_a_context_model_that_does_not_fit_is_refused(
    tmp_path: Path, manifest: dict, arrays: dict, said: str
) -> None:
    tiny = open_package(Path(__file__).parents[1] / "tiny-context.cytomodel")
    other = remade(tiny, tmp_path, manifest=manifest, arrays=arrays, drop="")
    with pytest.raises(PackageError, match=said) as caught:
        open_model(other)
    assert str(other.path) in str(caught.value)
