"""The integer form of a network against the network itself, in float."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")

from cytopress.codecs.container import container  # noqa: E402
from cytopress.codecs.learned.codec import Learned  # noqa: E402
from cytopress.codecs.learned.exact.load import open_exact  # noqa: E402
from cytopress.codecs.learned.exact.model import ExactModel  # noqa: E402
from cytopress.codecs.registry import decode_by  # noqa: E402
from cytopress.errors import CorruptDataError, PackageError  # noqa: E402
from cytopress.image import Image  # noqa: E402
from cytopress.models.model_package import Package, open_package  # noqa: E402
from cytopress.training.codec.export import write_codec_package  # noqa: E402
from cytopress.training.codec.fixed_point import IntegerLayer, integer_layers  # noqa: E402
from cytopress.training.codec.rounding import rounded_forward, rounded_weights  # noqa: E402
from cytopress.training.codec.start import load_state  # noqa: E402
from fakes import learned_networks as fakes  # noqa: E402

pytestmark = pytest.mark.learn
STEP = 2.0**-15


@pytest.fixture(scope="module")
def network():  # type: ignore[no-untyped-def]
    return fakes.separable_network()


@pytest.fixture(scope="module")
def package(network, tmp_path_factory: pytest.TempPathFactory) -> Package:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("exact") / "a.cytomodel"
    write_codec_package(path, [network], {"name": "learned/a", "rdo": 6.0})
    return open_package(path)


@pytest.fixture(scope="module")
def model(package: Package) -> ExactModel:
    return open_exact(package)


def latents(height: int, width: int) -> np.ndarray:
    """Return latents in steps, with 8 bits of fraction."""
    random = np.random.default_rng(1)
    return np.rint(random.normal(0, 8, (height, width, 64)) * 256).astype(np.int32)


def plane_of(model: ExactModel, y: np.ndarray, quality: float) -> np.ndarray:
    bands = model.synthesis.bands([y], model.gains.at(quality)[1])
    return np.concatenate([band[0] for _, band in bands]) * STEP


def as_float(model: ExactModel, y: np.ndarray, quality: float) -> torch.Tensor:
    inverse = model.gains.at(quality)[0].inverse_gain
    return torch.from_numpy((np.moveaxis(y, -1, 0) * 2.0**-8 * inverse).astype(np.float32))[None]


@pytest.mark.parametrize("quality", [0.0, 0.6, 1.0])
def test_pixels_are_nearly_those_of_floats(network, model: ExactModel, quality: float) -> None:  # type: ignore[no-untyped-def]
    y = latents(9, 7)
    with torch.no_grad():
        floats = network.g_s(as_float(model, y, quality))[0, 0].numpy()
    missed = plane_of(model, y, quality) - floats
    # 75 dB below pixels of a used range; activations have steps of 2 ** -12.
    assert np.sqrt(np.square(missed).mean()) < 1.8e-4 * max(1.0, float(floats.std()))


def test_moments_are_nearly_those_of_floats(network, model: ExactModel) -> None:  # type: ignore[no-untyped-def]
    random = np.random.default_rng(2)
    z_hat = random.integers(-6, 7, (5, 6, 5))
    with torch.no_grad():
        z = torch.from_numpy(np.moveaxis(z_hat, -1, 0)[None].astype(np.float32))
        floats = network.h_s(z)[0].numpy()
    (found,) = model.coder.h_s((z_hat * 256).astype(np.int32), (len(floats),))
    found = found * 2.0**-8
    # Scale indices count steps of 12 / 55 octaves.
    found[..., 64:128] *= 12 / 55
    missed = np.abs(np.moveaxis(found, -1, 0) - floats)
    assert missed.mean() < 0.01 * np.abs(floats).mean()


def test_every_layer_has_as_many_bits_as_fit(network) -> None:  # type: ignore[no-untyped-def]
    for layer in integer_layers(network).values():
        shift, weight, bias = layer.stored()
        most = np.abs(weight.astype(np.int64)).sum((1, 2, 3)) * 32767 + np.abs(bias) + 2**shift
        assert weight.dtype == np.int16
        assert most.max() < 2**31
        full = np.abs(weight).max() >= 2**13 or most.max() >= 2**29
        fraction = shift + layer.bits[1] - layer.bits[0]
        assert full or fraction == 20


def test_weights_without_a_form_are_refused() -> None:
    convolution = torch.nn.Conv2d(4, 4, 3)
    torch.nn.init.constant_(convolution.weight, 5000.0)
    with pytest.raises(PackageError, match="16 bits"):
        IntegerLayer(convolution, (12, 12)).stored()


def test_rounded_weights_are_those_of_the_package(network, package: Package) -> None:  # type: ignore[no-untyped-def]
    layers = integer_layers(network)
    found = rounded_weights(network, list(layers.values()))
    with torch.no_grad():
        weight = found["h_s.second.weight"].double().numpy()
        stored = package.array("r0/hs.1.weight").astype(np.float64)
        # Stored by place of the pixel shuffle.
        order = np.arange(len(stored)).reshape(-1, 4).T.ravel()
        shift = package.manifest["hyper_synthesis"][1]["shift"]
        np.testing.assert_allclose(weight[order], stored * 2.0**-shift, rtol=0, atol=1e-7)
        filters = found["g_s.along_y.weight"].numpy().reshape(8, 16) * 2**14
        np.testing.assert_array_equal(filters, package.array("r0/synthesis.along_y"))


def test_rounding_in_the_loop_sees_the_decoders_pixels(network, model: ExactModel) -> None:  # type: ignore[no-untyped-def]
    y = latents(9, 7)
    seen = as_float(model, y, 1.0)
    synthesis = network.g_s

    class Alone(torch.nn.Module):
        """The synthesis in a network that has all layers."""

        def __init__(self) -> None:
            super().__init__()
            self.whole = network

        def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
            held = super().__getattr__
            return held(name) if name == "whole" else getattr(held("whole"), name)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return synthesis(x)

    with torch.no_grad():
        plain = synthesis(seen)[0, 0].numpy()
        rounded = rounded_forward(Alone(), seen)[0, 0].numpy()  # type: ignore[arg-type]
    exact = plane_of(model, y, 1.0)
    lost, left = (float(np.square(each - exact).mean()) for each in (plain, rounded))
    # What is left is the rounding of the transform's own sums.
    assert left < min(0.5 * lost, STEP**2)
    assert network.autocast is False


def test_rounding_has_the_gradients_of_the_network(network) -> None:  # type: ignore[no-untyped-def]
    x = torch.from_numpy(fakes.field(64, 64))[None, None]
    quality = torch.tensor([1.0])
    found = []
    for forward in (network, lambda *inputs: rounded_forward(network, *inputs)):
        network.zero_grad()
        torch.manual_seed(3)
        coded = forward(x, quality)
        (coded.x_hat - x).square().mean().backward()
        found.append(network.g_s.network[2].convolution.weight.grad.clone())
    assert float(found[0].abs().max()) > 0
    torch.testing.assert_close(*found, rtol=0.1, atol=0.1 * float(found[0].abs().max()))


def test_a_training_starts_from_its_weights(network, package: Package) -> None:  # type: ignore[no-untyped-def]
    state = load_state(package)
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(state[name], parameter.detach(), rtol=2e-3, atol=1e-3)


def test_a_float_synthesis_can_be_had(network, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "b.cytomodel"
    package = write_codec_package(path, [network], {"name": "learned/b"}, exact=False)
    assert package.manifest["format"] == 1
    assert "r0/synthesis.onnx" in package.names()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_volumes_are_nearly_those_of_floats(tmp_path: Path, depth: int) -> None:
    network = fakes.separable_network(
        depth=depth, below_width=3, latent_channels=min(64 * depth, 100), rotations=0
    )
    with torch.no_grad():
        network.g_s.along_z.weight.add_(0.02 * torch.randn_like(network.g_s.along_z.weight))
    path = tmp_path / "volume.cytomodel"
    model = open_exact(write_codec_package(path, [network], {"name": "learned/v", "rdo": 6.0}))
    random = np.random.default_rng(1)
    shape = network.slabs.stack, 9, 7, model.manifest.latent_channels
    stack = np.rint(random.normal(0, 8, shape) * 256).astype(np.int32)
    setting, dequantize = model.gains.at(1.0)
    bands = model.synthesis.bands(list(stack), dequantize, rows=4)
    found = np.concatenate([band for _, band in bands], axis=1) * STEP
    y = np.moveaxis(stack, -1, 1) * 2.0**-8 * setting.inverse_gain
    with torch.no_grad():
        joined = torch.from_numpy(y.astype(np.float32).reshape(1, -1, 9, 7))
        floats = network.g_s(joined)[0].numpy()
    assert found.shape == floats.shape == (depth, 72, 56)
    assert np.sqrt(np.square(found - floats).mean()) < 1.8e-4 * max(1.0, float(floats.std()))
    _codes_a_volume(path, depth)


def _codes_a_volume(path: Path, depth: int) -> None:
    codec = Learned(open_package(path), 1.0)
    assert codec.exact
    plane = fakes.volume(depth, 50, 40)
    pixels = np.rint(1000 + 300 * np.concatenate([plane, plane[:1], plane])).astype(np.uint16)
    image = Image(pixels, axes="ZYX")
    data = codec.encode(image)
    decoded = decode_by(codec, data)
    assert decoded.shape == image.shape
    # It is not trained; yet it is the image.
    assert np.corrcoef(decoded.pixels.ravel(), pixels.ravel())[0, 1] > 0.9
    header, stream = container.unpack(data)
    broken = bytearray(stream)
    broken[-9] ^= 4
    with pytest.raises(CorruptDataError):
        codec.restore(bytes(broken), header.form)
