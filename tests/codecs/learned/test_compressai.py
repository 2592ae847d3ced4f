"""CompressAI's models code real bytes: with packages trained here, and in the form of its zoo."""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.container import container
from cytopress.codecs.container.container import Form
from cytopress.codecs.container.wire import join_streams, split_streams
from cytopress.codecs.learned import compressai as compressai_codecs
from cytopress.codecs.learned.compressai import streams
from cytopress.codecs.learned.compressai.architectures import ARCHITECTURES, BY_NAME
from cytopress.codecs.learned.compressai.codec import CompressAI
from cytopress.codecs.learned.compressai.weights import choose, of_package
from cytopress.codecs.registry import decode_by
from cytopress.errors import (
    CorruptDataError,
    CytopressError,
    CytopressWarning,
    NotAvailableError,
    PackageError,
    UnknownNameError,
    UnsupportedImageError,
    UsageError,
)
from cytopress.image import Image
from cytopress.settings import Settings
from fakes import compressai_networks as fakes
from fakes.serving import Server

pytestmark = pytest.mark.learn
NAMES = [architecture.name for architecture in ARCHITECTURES]
SEQUENTIAL = {"mbt2018", "mbt2018-vbr", "cheng2020-anchor", "cheng2020-attn"}


@pytest.fixture
def shelf(settings: Settings) -> Settings:
    """Return settings with a model folder of their own."""
    folder = settings.user_data / "models"
    folder.mkdir(parents=True)
    return settings


def _made(settings: Settings, name: str, rates: int = 1) -> CompressAI:
    package = fakes.package(settings.user_data / "models/a.cytomodel", name, rates)
    return CompressAI(of_package(package))


def _decoded(data: bytes, settings: Settings) -> Image:
    """Decode as a reader of files does, who has the bytes and folders only."""
    header, stream = container.unpack(data)
    return compressai_codecs.restored(header.recipe.options, settings).restore(stream, header.form)


@pytest.mark.parametrize("name", NAMES)
def test_codes_and_decodes(name: str, shelf: Settings):
    codec, image = _made(shelf, name), fakes.cells()
    data = codec.encode(image)
    # The checksum of the encoder's own reconstruction would warn, and warnings are errors here.
    decoded = _decoded(data, shelf)
    assert decoded.pixels.shape == image.shape
    assert decoded.dtype == image.dtype
    assert decoded.bits == image.bits
    np.testing.assert_array_equal(decode_by(codec, data).pixels, decoded.pixels)
    assert codec.encode(image) == data
    assert len(data) - len(container.unpack(data)[1]) <= 80


@pytest.mark.parametrize("name", NAMES)
def test_bytes_are_what_training_estimates_and_pixels_too(name: str, shelf: Settings):
    import torch

    codec, plane = _made(shelf, name), np.random.default_rng(1).random((64, 128), np.float32)
    architecture, model = codec.weights.architecture, codec.weights.model(1)
    level = codec.quality if codec.quality is not None else 1
    strings = streams.encode(architecture, model, plane, level)
    assert len(strings) == streams.count_strings(architecture, model)
    network = fakes.network(name)
    with torch.inference_mode():
        x = torch.from_numpy(plane)[None, None]
        coded = network(x, torch.tensor([level]), hard=True)
    estimated = coded.bits.item() / 8
    true = sum(map(len, strings))
    # Each string ends in up to 8 bytes of the coder's state; a table's scale is up to 13 % larger
    # than the one estimated with, and sequential models round otherwise when they code.
    assert abs(true - estimated) <= 0.1 * estimated + 9 * len(strings)
    if name not in SEQUENTIAL:
        back = streams.decode(architecture, model, strings, plane.shape, level)
        np.testing.assert_allclose(back, coded.x_hat[0, 0].numpy(), atol=1e-3)


def test_any_shape_and_dtype(shelf: Settings):
    codec = _made(shelf, "mbt2018-mean")
    rng = np.random.default_rng(2)
    for pixels in (
        rng.integers(0, 256, (1, 1), np.uint8),
        rng.integers(0, 256, (65, 3), np.uint8),
        rng.normal(-5, 3, (30, 130)).astype(np.float32),
        np.full((9, 5), 7, np.uint16),
        np.full((4, 4), -2.5, np.float32),
    ):
        image = Image(pixels)
        back = decode_by(codec, codec.encode(image)).pixels
        assert (back.shape, back.dtype) == (pixels.shape, pixels.dtype)
        if pixels.min() == pixels.max():
            np.testing.assert_array_equal(back, pixels)


def test_values_outside_the_used_range_stay_outside(shelf: Settings):
    codec, image = _made(shelf, "mbt2018-mean"), fakes.cells()
    low, high = np.percentile(image.pixels, (0.1, 99.9))
    model = codec.weights.model(1)
    # A bias of the last layer moves the whole answer beyond 1, where CompressAI would clip it.
    model.g_s[-1].bias.data += 1.5
    try:
        decoded = decode_by(codec, codec.encode(image)).pixels
    finally:
        model.g_s[-1].bias.data -= 1.5
    assert decoded.max() > high + 0.2 * (high - low)


def test_quality_of_several_rates_chooses_the_model(shelf: Settings):
    codec, image = _made(shelf, "bmshj2018-factorized", rates=3), fakes.cells()
    parameter = codec.traits.parameter
    assert (parameter.least, parameter.most, parameter.integer, parameter.finer) == (
        1,
        3,
        True,
        "higher",
    )
    assert codec.quality == 2
    coded = [replace(codec, quality=quality).encode(image) for quality in (1, 2, 3)]
    assert len(set(coded)) == 3
    # Any codec of the weights reads bytes of each quality.
    for data in coded:
        np.testing.assert_array_equal(decode_by(codec, data).pixels, _decoded(data, shelf).pixels)
    for wrong in (0, 4, 1.5, True):
        with pytest.raises(UsageError, match="integer from 1 to 3"):
            replace(codec, quality=wrong)


@pytest.mark.parametrize("name", [a.name for a in ARCHITECTURES if a.gains])
def test_quality_of_gains_is_continuous(name: str, shelf: Settings):
    codec, image = _made(shelf, name), fakes.cells()
    qualities = (0.0, 0.05, 0.3, 0.31, 0.7, 1.0)
    lengths = [len(replace(codec, quality=quality).encode(image)) for quality in qualities]
    assert lengths == sorted(lengths)
    assert lengths[-1] > 1.5 * lengths[0]
    data = replace(codec, quality=0.31).encode(image)
    np.testing.assert_array_equal(decode_by(codec, data).pixels, _decoded(data, shelf).pixels)
    with pytest.raises(UsageError, match="from 0 to 1"):
        replace(codec, quality=1.01)


def test_one_rate_has_no_quality_parameter(shelf: Settings):
    codec = _made(shelf, "mbt2018-mean")
    assert codec.traits.parameter is None
    with pytest.raises(UsageError, match="one rate"):
        replace(codec, quality=1)


def test_broken_streams_are_errors_and_never_crash(shelf: Settings):
    codec, image = _made(shelf, "mbt2018-mean"), fakes.cells()
    form, stream = Form.of(image), codec.compress(image)
    for cut in (0, 4, 8, 11, 12, 13, len(stream) - 1):
        with pytest.raises(CorruptDataError):
            codec.restore(stream[:cut], form)
    with pytest.raises(CorruptDataError):
        codec.restore(stream + b"\0", form)
    with pytest.raises(CorruptDataError, match="no range"):
        codec.restore(np.float32([2, 1]).tobytes() + stream[8:], form)
    with pytest.raises(CorruptDataError, match="constant"):
        codec.restore(stream[:4] * 2 + stream[8:], form)
    rng, strings = np.random.default_rng(0), split_streams(stream[12:], 2)
    for _ in range(20):
        # Strings that are wrong, empty, or all ones: noise with a warning, or an error.
        wrong = [
            bytes(rng.integers(0, 256, rng.integers(0, 60), np.uint8)),
            b"\xff" * int(rng.integers(0, 300)),
            b"",
            *strings,
        ]
        chosen = [wrong[i] for i in rng.integers(0, 3, 2)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CytopressWarning)
            try:
                codec.restore(stream[:12] + join_streams(chosen), form)
            except CytopressError:
                continue


def test_other_pixels_than_the_encoders_are_told(shelf: Settings):
    codec, image = _made(shelf, "mbt2018-mean"), fakes.cells()
    stream = bytearray(codec.compress(image))
    stream[8] ^= 1
    with pytest.warns(CytopressWarning, match="not the encoder's"):
        codec.restore(bytes(stream), Form.of(image))


def test_bytes_of_other_weights_are_refused(shelf: Settings, tmp_path: Path):
    codec, image = _made(shelf, "mbt2018-mean"), fakes.cells()
    data = codec.encode(image)
    (shelf.user_data / "models/a.cytomodel").unlink()
    digest = codec.weights.package.sha256[:16]
    with pytest.raises(PackageError, match=f"(?s){digest}.*{shelf.user_data}"):
        _decoded(data, shelf)


def test_options_that_make_no_sense(shelf: Settings):
    codec = _made(shelf, "mbt2018-mean")
    good = codec.recipe().options["model"]
    for options in (
        {},
        {"model": "mbt2018"},
        {"model": b"short"},
        {"model": good, "other": 1},
        {"model": good, "quality": 3},
        {"model": good, "quality": "fine"},
        {"model": good + b"mbt2018/../../x"},
        {"model": good + b"\xff\xfe"},
    ):
        with pytest.raises(CorruptDataError):
            compressai_codecs.restored(options, shelf)


def test_the_family_finds_packages_by_name_and_path(shelf: Settings):
    made = _made(shelf, "mbt2018-mean", rates=2)
    family = compressai_codecs.family("compressai/mbt2018-mean", shelf)
    assert family.options == ("weights", "quality")
    assert family.traits.parameter.most == 8
    by_name = family.from_options({"weights": "learned/test", "quality": 2})
    by_path = family.from_options({"weights": str(made.weights.package.path), "quality": 2})
    assert by_name == by_path == replace(made, quality=2)
    assert family.given({"weights": "learned/test"}).traits.parameter.most == 2
    assert family.from_options(by_name.recipe().options) == by_name
    with pytest.raises(UnknownNameError, match="learned/tset"):
        family.from_options({"weights": "learned/tset"})
    other = compressai_codecs.family("compressai/mbt2018", shelf)
    with pytest.raises(UsageError, match="mbt2018-mean"):
        other.from_options({"weights": "learned/test"})
    with pytest.raises(UnknownNameError, match="mbt2018-mean"):
        compressai_codecs.family("compressai/mbt2018-maen", shelf)


def test_every_architecture_is_compressais_and_the_zoo_is_known_in_full():
    import compressai.zoo.image as zoo
    import compressai.zoo.image_vbr as zoo_vbr
    from compressai.registry import MODELS

    assert compressai_codecs.names() == [f"compressai/{name}" for name in NAMES]
    assert set(NAMES) <= set(MODELS)
    for name, urls in zoo.model_urls.items():
        assert BY_NAME[name].zoo == {metric: len(each) for metric, each in urls.items()}
    assert {a.name for a in ARCHITECTURES if a.gains} == set(zoo_vbr.model_urls)
    there = set(zoo.model_urls) | set(zoo_vbr.model_urls)
    assert {a.name for a in ARCHITECTURES if a.zoo} == there


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Server) -> Server:
    """Put a server in the zoo's place, and an empty folder in that of torch's downloads."""
    from cytopress.codecs.learned.compressai.architectures import need

    need("compressai.zoo")
    image, vbr = need("compressai.zoo.image"), need("compressai.zoo.image_vbr")
    for name in ("mbt2018-mean", "cheng2020-attn"):
        urls = {quality: f"{server.url}/{name}-{quality}.pth.tar" for quality in range(1, 9)}
        monkeypatch.setitem(image.model_urls, name, {"mse": urls, "ms-ssim": urls})
    for name in vbr.model_urls:
        monkeypatch.setitem(vbr.model_urls, name, {"mse": f"{server.url}/{name}.pth.tar"})
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return server


def _serve(zoo: Server, name: str, seed: int = 0, quality: int | None = None) -> None:
    import torch
    from compressai.registry import MODELS

    torch.manual_seed(seed)
    gains = BY_NAME[name].gains
    extra = {"vr_entbttlnck": True} if gains and name != "mbt2018-vbr" else {}
    size = dict.fromkeys(BY_NAME[name].options, 8)
    model = MODELS[name](**size, **extra)
    with torch.no_grad():
        list(model.g_a.parameters())[-2].mul_(30)
    # The old names of parameters, and those of parallel training, are in the published files.
    state = {f"module.{key}": value for key, value in model.state_dict().items()}
    torch.save(state, zoo.folder / (f"{name}.pth.tar" if gains else f"{name}-{quality}.pth.tar"))


@pytest.mark.network
@pytest.mark.parametrize("name", ["mbt2018-mean", "cheng2020-attn"])
def test_zoo_weights_code_gray_as_color(name: str, zoo: Server, settings: Settings):
    for quality in (2, 4):
        _serve(zoo, name, quality, quality)
    image = fakes.cells()
    coded = []
    for quality in (2, 4):
        codec = CompressAI(choose(BY_NAME[name], "zoo-ms-ssim", settings), quality)
        assert streams.channels(codec.weights.model(quality)) == 3
        data = codec.encode(image)
        coded.append(data)
        np.testing.assert_array_equal(
            decode_by(codec, data).pixels, _decoded(data, settings).pixels
        )
        assert len(data) - len(container.unpack(data)[1]) <= 80
    assert coded[0] != coded[1]
    # Each file was fetched once, and never again.
    assert len(zoo.requests) == 2


@pytest.mark.network
@pytest.mark.parametrize("name", [a.name for a in ARCHITECTURES if a.gains])
def test_zoo_weights_with_gains(name: str, zoo: Server, settings: Settings):
    _serve(zoo, name)
    weights, image = choose(BY_NAME[name], "zoo-mse", settings), fakes.cells()
    coded = [CompressAI(weights, quality).encode(image) for quality in (0.0, 0.37, 1.0)]
    assert len(coded[0]) < len(coded[2])
    for data in coded:
        _decoded(data, settings)


@pytest.mark.network
def test_another_checkpoint_than_the_encoders_is_an_error(
    zoo: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    _serve(zoo, "mbt2018-mean", 0, 3)
    codec = CompressAI(choose(BY_NAME["mbt2018-mean"], "zoo-mse", settings), 3)
    data = codec.encode(fakes.cells())
    _serve(zoo, "mbt2018-mean", 1, 3)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "other"))
    with pytest.raises(PackageError, match="need weights"):
        _decoded(data, settings)


@pytest.mark.network
def test_no_weights_to_fetch(zoo: Server, settings: Settings, tmp_path: Path):
    codec = CompressAI(choose(BY_NAME["mbt2018-mean"], "zoo-mse", settings), 5)
    with pytest.raises(NotAvailableError) as caught:
        codec.encode(fakes.cells())
    assert f"{zoo.url}/mbt2018-mean-5.pth.tar" in str(caught.value)
    assert str(tmp_path / "torch") in str(caught.value)
    # A damaged copy, and one that is no state at all, is told from a missing one.
    (zoo.folder / "mbt2018-mean-5.pth.tar").write_bytes(b"not a checkpoint")
    with pytest.raises(PackageError, match="damaged"):
        codec.encode(fakes.cells())


def test_weights_the_zoo_does_not_have(settings: Settings):
    for name, weights in (
        ("elic2022-official", "zoo-mse"),
        ("mbt2018-vbr", "zoo-ms-ssim"),
        ("mbt2018", "zoo-lpips"),
    ):
        with pytest.raises(UsageError, match="no pretrained weights"):
            choose(BY_NAME[name], weights, settings)
    family = compressai_codecs.family("compressai/elic2022-official", settings)
    assert family.traits.parameter is None


def test_without_the_extra(shelf: Settings, monkeypatch: pytest.MonkeyPatch):
    made = _made(shelf, "mbt2018-mean")
    data = made.encode(fakes.cells())
    from cytopress.codecs.learned.compressai import weights

    weights._packaged.cache_clear()
    for module in ("torch", "compressai.models", "compressai.registry", "torch.hub"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NotAvailableError, match=r"cytopress\[learn\]"):
        made.encode(fakes.cells())
    with pytest.raises(NotAvailableError, match=r"cytopress\[learn\]"):
        _decoded(data, shelf)


def test_what_no_network_can_take(shelf: Settings):
    codec = _made(shelf, "mbt2018-mean")
    pixels = np.random.default_rng(0).random((64, 64), np.float32)
    pixels[5, 5] = 3e38
    with pytest.raises(UnsupportedImageError):
        codec.encode(Image(pixels))
    with pytest.raises(UnsupportedImageError, match="2D"):
        codec.encode(Image(np.zeros((2, 8, 8), np.uint8), axes="ZYX"))


def test_a_package_whose_arrays_do_not_fit(shelf: Settings):
    from cytopress.models.model_package import write_package

    made = _made(shelf, "mbt2018-mean")
    package = made.weights.package
    names = made.weights.model(1).state_dict()
    arrays = {f"r0/state/{name}": package.array(f"r0/state/{name}") for name in names}
    arrays["r0/state/g_a.0.weight"] = np.zeros((3, 3), np.float32)
    path = shelf.user_data / "models/bad.cytomodel"
    bad = write_package(path, {**package.manifest, "name": "learned/bad"}, graphs={}, arrays=arrays)
    with pytest.raises(PackageError, match="do not fit"):
        CompressAI(of_package(bad)).encode(fakes.cells())
    for change in ({"rates": 0}, {"rates": "two"}, {"model": None}):
        worse = write_package(path, {**package.manifest, **change}, graphs={}, arrays=arrays)
        with pytest.raises(PackageError):
            of_package(worse)
