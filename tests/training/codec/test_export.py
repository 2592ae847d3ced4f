"""Exported networks: the package estimates, costs, sees and starts as the network does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import cytopress
from cytopress.codecs.learned.codec import LearnedFamily
from cytopress.codecs.learned.model.load import open_model
from cytopress.codecs.registry import decode_by
from cytopress.image import Image
from cytopress.models.model_package import Package, open_package
from fakes import learned_networks as fakes
from fakes import passes_by_torch as by_torch
from fakes.learned_packages import decode_latents, encode_latents

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
pytest.importorskip("onnx", reason="needs onnx (extra learn)")
pytestmark = pytest.mark.learn
Array = npt.NDArray[Any]
SEPARABLE = {"transform": "separable", "latent_channels": 64}
every_architecture = pytest.mark.parametrize("architecture", fakes.ARCHITECTURES)
HEADER = 80
MODELS = Path(cytopress.__file__).parent / "models" / "shipped"
GENERAL = MODELS / "earlier" / "0.1.0" / "cytopress-2d.cytomodel"
# Of planes, with a synthesis in floats; test_volumes.py has the one of volumes, and test_integer.py
# those in integers.
SHIPPED = [
    path
    for path in sorted(MODELS.rglob("*.cytomodel"))
    if (one := open_package(path).manifest)["kind"] == "codec"
    if one["axes"] == "YX" and one["format"] == 1
]


def _written(folder: Path, *networks: Any, **manifest: Any) -> Package:
    from cytopress.training.codec.export import write_codec_package

    facts = {"name": "learned/a", **manifest}
    return write_codec_package(folder / "a.cytomodel", list(networks), facts)


def _stored(package: Package, network: Any) -> Any:
    """Give a network the weights as they are stored: rounded to half floats."""
    from cytopress.training.codec.start import load_state

    network.load_state_dict(load_state(package), strict=False)
    return network.eval()


@every_architecture
def test_a_package_gives_its_weights_back(tmp_path: Path, architecture: str) -> None:
    from cytopress.training.codec.start import load_state

    networks = [fakes.network(architecture, lambdas=[value]) for value in (0.01, 0.1)]
    with torch.no_grad():
        for weight in networks[1].parameters():
            weight.add_(0.1)
    package = _written(tmp_path, *networks)
    for index, network in enumerate(networks):
        found = load_state(package, index)
        wanted = dict(network.named_parameters())
        assert wanted.keys() <= found.keys() <= network.state_dict().keys()
        for name, weight in wanted.items():
            # Large tensors are stored as half floats, small ones as they are.
            tolerance = 2**-10 if weight.numel() >= 1024 else 0.0
            np.testing.assert_allclose(
                found[name], weight.detach(), rtol=tolerance, atol=2e-7, err_msg=name
            )


@pytest.mark.parametrize(
    ("architecture", "form"),
    [*((each, {}) for each in fakes.ARCHITECTURES), ("factorized", SEPARABLE)],
)
@pytest.mark.parametrize("quality", [0.0, 0.63, 1.0])
def test_runtime_decodes_what_the_network_sees(
    tmp_path: Path, architecture: str, form: dict[str, Any], quality: float
) -> None:
    # Which of two rotations is the cheaper by a hair, floats may see otherwise.
    network = fakes.network(architecture, rotations=0, **form)
    package = _written(tmp_path, network)
    _stored(package, network)
    x = torch.from_numpy(fakes.field(64, 96))[None, None]
    with torch.no_grad():
        expected = network(x, torch.tensor([quality]), hard=True)
    model = open_model(package)
    setting = model.setting(quality)
    center = float(x.mean())
    stream, y_hat = encode_latents(
        model, model.networks.analyze(x[0].numpy() - center, setting.gain), setting
    )
    plane = model.networks.synthesize([y_hat], (64, 96))[0] + center
    # A latent on the edge between two integers may round the other way.
    off = np.abs(plane - expected.x_hat[0, 0].numpy()) > 1e-3
    assert off.mean() < 0.05
    assert 8 * len(stream) == pytest.approx(float(expected.bits), rel=0.01, abs=8 * HEADER)


def _check_rate(package: Package, network: Any, image: Image, quality: float) -> None:
    """Compare true bytes with the estimate of the network with the weights of the package."""
    from cytopress.codecs.learned.pixels.normalization import used_range

    low, high = used_range(image.pixels, (0.1, 99.9))
    x = torch.from_numpy((image.pixels.astype(np.float32) - low) / (high - low))[None, None]
    center, held = x.mean((1, 2, 3)), 0
    background = open_model(package).setting(quality).background
    if background is not None:
        mean = np.float32(center.numpy().astype(np.float16)[0])
        grid = background.mesh.fit(x[0, 0].numpy() - mean)
        held = len(background.pack(grid))
        values = background.mesh.surface(grid, range(x.shape[2]), range(x.shape[3])) + mean
        center = torch.from_numpy(values.copy())[None, None]
    # As the runtime pads.
    margin = [(-length) % network.pad for length in image.shape]
    x = torch.nn.functional.pad(x, (0, margin[1], 0, margin[0]), mode="replicate")
    if center.ndim == 4:
        # What is padded is what is left of the image.
        flat = torch.nn.functional.pad(
            x[:, :, : image.shape[0], : image.shape[1]] - center,
            (0, margin[1], 0, margin[0]),
            mode="replicate",
        )
        center = x - flat
    with torch.no_grad():
        bits = float(network(x, torch.tensor([quality]), center=center, hard=True).bits)
    data = LearnedFamily(package).from_options({"quality": quality}).encode(image)
    assert abs(len(data) - held - bits / 8) <= 0.01 * bits / 8 + HEADER


def _codes_at_once(architecture: str, x: Array, **options: Any) -> Any:
    """Return a network that codes by its first transform and one scale a channel."""
    network = fakes.network(architecture, latent_channels=64, **options)
    with torch.no_grad():
        if architecture != "factorized":
            network.h_s.last.weight.mul_(0.05)
            network.h_s.last.bias.zero_()
        if architecture == "context":
            # Where scales are far off, a likelihood's floor is not what an escape costs.
            for step in (network.context.across, network.context.inward):
                for layer in (step.mean, step.scale):
                    layer.weight.mul_(0.05)
        network.begin(torch.from_numpy(x)[None, None])
    return network


@pytest.mark.parametrize("architecture", ["hyperprior", "mean-scale", "context"])
@pytest.mark.parametrize("rdo", [0.0, 8.0])
def test_true_bytes_are_what_the_network_estimates(
    tmp_path: Path, architecture: str, rdo: float
) -> None:
    plane = fakes.field(150, 200)
    network = _codes_at_once(architecture, plane)
    package = _written(tmp_path, network, rdo=rdo)
    network.rdo = rdo
    image = Image(np.clip(1000 + 3000 * plane, 0, 65535).astype(np.uint16))
    for quality in (0.0, 0.5, 1.0):
        _check_rate(package, _stored(package, network), image, quality)


@pytest.mark.data
@pytest.mark.parametrize("quality", [0.0, 0.5, 1.0])
def test_true_bytes_of_a_real_field(tmp_path: Path, quality: float) -> None:
    from cytopress.datasets.catalogue import dataset
    from cytopress.settings import from_environment

    found = dataset("ecoli-phase", from_environment())
    image = found.read_input(found.part("validation")[0])
    low, high = np.percentile(image.pixels, (0.1, 99.9))
    plane = ((image.pixels - low) / (high - low)).astype(np.float32)
    network = _codes_at_once("mean-scale", plane[:256, :256])
    package = _written(tmp_path, network)
    _check_rate(package, _stored(package, network), image, quality)


@every_architecture
def test_floats_do_not_touch_what_is_decoded(tmp_path: Path, architecture: str) -> None:
    """Threads and graph optimization move floats; the latents of a stream are the same."""
    import onnxruntime

    network = fakes.network(architecture)
    package = _written(tmp_path, network)
    model = open_model(package)
    setting = model.setting(0.5)
    plane = fakes.field(128, 192) - np.float32(0.5)
    stream, y_hat = encode_latents(
        model, model.networks.analyze(plane[None], setting.gain), setting
    )
    decoded = decode_latents(model, stream, (128, 192), setting)
    np.testing.assert_array_equal(decoded, y_hat)
    pictures = []
    for threads in (1, 2):
        for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL"):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
            run = [
                onnxruntime.InferenceSession(
                    package.read(f"r0/{graph}.onnx"), options, providers=["CPUExecutionProvider"]
                )
                for graph in ("analysis", "synthesis")
            ]
            y = run[0].run(None, {"input": plane[None, None]})[0][0]
            made, _ = encode_latents(model, y * setting.gain, setting)
            again = decode_latents(model, made, (128, 192), setting)
            # What an encoder of other floats made decodes here to nearly the same latents,
            assert np.mean(again != y_hat) < 0.01
            pictures.append(run[1].run(None, {"input": decoded[None]})[0][0, 0])
    # and what is decoded is the same picture within a float's rounding.
    for picture in pictures:
        np.testing.assert_allclose(
            picture, model.networks.synthesize([decoded], (128, 192))[0], atol=1e-4
        )


@pytest.mark.parametrize("stride", [8, 16])
def test_reach_covers_what_each_transform_sees(stride: int) -> None:
    from cytopress.training.codec.export import reach

    widths = (4, 4) if stride == 8 else (4, 4, 4)
    network = fakes.network("factorized", stride=stride, analysis=widths, synthesis=widths)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.startswith("g_"):
                # All positive: nothing cancels, and no rectifier closes.
                weight.uniform_(0.1, 1.0)
    analysis, synthesis = (_seen(network, part, stride) for part in ("g_a", "g_s"))
    # An upper bound, and not a lavish one.
    for seen, bound in ((analysis, reach(network.g_a)), (synthesis, reach(network.g_s))):
        assert seen <= bound <= seen + 2 * stride


def _seen(network: Any, part: str, stride: int) -> int:
    """Return how far beyond a latent's own pixels, or from a pixel to its latents', values go."""
    count = 16
    middle = count // 2
    far = 0
    if part == "g_a":
        x = torch.ones(1, 1, stride, count * stride, requires_grad=True)
        network.g_a(x)[0, :, :, middle].sum().backward()
        touched = torch.nonzero(x.grad[0, 0].sum(0)).ravel()
        return max(middle * stride - int(touched[0]), int(touched[-1]) - (middle + 1) * stride + 1)
    for place in range(stride):
        y = torch.ones(1, network.log_gain.shape[1], 1, count, requires_grad=True)
        network.g_s(y)[0, 0, :, middle * stride + place].sum().backward()
        touched = torch.nonzero(y.grad[0].sum((0, 1))).ravel()
        # A region keeps whole latents and reads so many around it.
        far = max(far, (middle - int(touched[0])) * stride, (int(touched[-1]) - middle) * stride)
    return far


def test_tiles_give_what_the_whole_image_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cytopress.codecs.learned.model import networks as module

    package = _written(tmp_path, fakes.network())
    model = open_model(package)
    plane = fakes.field(160, 224) - np.float32(0.5)
    y = model.networks.analyze(plane[None])
    whole = model.networks.synthesize([y], (160, 224))[0]
    monkeypatch.setattr(module, "TILE", (32, 48))
    np.testing.assert_allclose(model.networks.analyze(plane[None]), y, atol=1e-5)
    np.testing.assert_allclose(model.networks.synthesize([y], (160, 224))[0], whole, atol=1e-5)


def test_one_package_holds_every_rate(tmp_path: Path) -> None:
    networks = [fakes.network(lambdas=[value]) for value in (0.001, 0.1)]
    package = open_package(_written(tmp_path, *networks).path)
    image = Image((1000 + 3000 * fakes.field(80, 90)).clip(0).astype(np.uint16))
    made = []
    for quality in (1, 2):
        codec = LearnedFamily(package).from_options({"quality": quality})
        data = codec.encode(image)
        assert decode_by(codec, data).pixels.shape == image.shape
        made.append(data)
    assert made[0] != made[1]


def test_equal_networks_make_equal_packages(tmp_path: Path) -> None:
    one, two = (_written(tmp_path / name, fakes.network()) for name in ("one", "two"))
    assert one.sha256 == two.sha256


# Specialists differ from the general model in their weights alone.
@pytest.mark.data
@pytest.mark.parametrize("name", ["ecoli-phase", "nuclei-brightfield"])
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path == GENERAL else [pytest.mark.slow])
        for path in SHIPPED
    ],
)
def test_true_bytes_of_a_shipped_codec(path: Path, name: str) -> None:
    from cytopress.datasets.catalogue import dataset
    from cytopress.settings import from_environment
    from cytopress.training.codec.config import CodecTraining
    from cytopress.training.codec.networks import build

    package = open_package(path)
    config = CodecTraining.model_validate(package.manifest["training"])
    network = _stored(package, build(config.network, config.rate))
    network.rdo = config.loss.rdo
    found = dataset(name, from_environment())
    image = found.read_input(found.part("validation")[0])
    for quality in (0.0, 0.5, 1.0):
        _check_rate(package, network, image, quality)


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_tables_of_a_part_of_every_test_field_equal_torch_bit_for_bit(path: Path) -> None:
    _check_test_fields(path, slice(128, 384))


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_tables_of_every_test_field_equal_torch_bit_for_bit(path: Path) -> None:
    _check_test_fields(path, slice(None))


def _check_test_fields(path: Path, part: slice) -> None:
    from cytopress.codecs.learned.pixels.normalization import normalized, used_range
    from cytopress.datasets.catalogue import dataset
    from cytopress.settings import from_environment

    package = open_package(path)
    model = open_model(package)
    tables: set[int] = set()
    for name in package.manifest["results"]:
        found = dataset(name, from_environment())
        for number, field in enumerate(found.part("test")):
            pixels = found.read_input(field).pixels[part, part]
            plane, _ = normalized(pixels, *used_range(pixels, (0.1, 99.9)))
            quality = number % 10 / 9
            y = model.networks.analyze(plane[None]) * model.setting(quality).gain
            symbols = np.rint(y).astype(np.int64)
            rows = by_torch.check(package, model, model.networks.hyper_analyze(y), symbols, quality)
            tables |= set(np.unique(rows).tolist())
    assert len(tables) > 40
