"""The latent coder of format 2: both directions, and its layers in 64-bit integers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.codecs.learned.exact.context import NEIGHBORS
from cytopress.codecs.learned.exact.lattices import quarter, squares
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.codecs.learned.exact.numbers import MOST_LATENT, STEP_BITS, fixed
from cytopress.codecs.learned.exact.symbols import SymbolDecoder, SymbolEncoder
from cytopress.codecs.learned.latents import context_model
from cytopress.errors import CorruptDataError
from cytopress.kernels.places import neighborhoods
from cytopress.models.model_package import Package
from fakes.exact_reference import convolved

pytestmark = pytest.mark.both_numpy


def test_what_was_encoded_is_decoded(model: ExactModel, path: str) -> None:
    random = np.random.default_rng(1)
    setting, _ = model.gains.at(0.7)
    z = random.normal(0, 2, (5, 6, 5)).astype(np.float32)
    y = random.normal(0, 3, (20, 24, 64)).astype(np.float32)
    y[3, 4, 5], y[7, 8, 60], y[0, 0, 0] = 1e9, -4000, 70_000
    encoder, (whole_y, whole_z) = RansEncoder(), (fixed(a, STEP_BITS, MOST_LATENT) for a in (y, z))
    z_hat = model.coder.hyper_latents(SymbolEncoder(encoder, whole_z), (5, 6), setting)
    writer = SymbolEncoder(encoder, whole_y, model.quantization)
    y_hat = model.coder.latents(writer, z_hat, setting)
    # To half a step, but for what is clipped and what is rounded towards 0.
    missed = np.abs(y_hat / 256 - y)
    assert np.median(missed) < 0.5
    assert np.quantile(missed, 0.99) < 2
    assert missed[7, 8, 60] <= 1
    decoder = RansDecoder(encoder.bytes())
    symbols = SymbolDecoder(decoder)
    assert_array_equal(model.coder.hyper_latents(symbols, (5, 6), setting), z_hat)
    assert_array_equal(model.coder.latents(symbols, z_hat, setting), y_hat)
    decoder.finish()


def test_hyper_synthesis_is_that_of_sums_of_64_bits(package: Package, model: ExactModel) -> None:
    random = np.random.default_rng(2)
    z_hat = random.integers(-40_000, 40_000, (35, 34, 5)).astype(np.int32)
    a = np.clip(z_hat, -32767, 32767).astype(np.int64)
    for layer in package.manifest["hyper_synthesis"]:
        weight, bias = (
            package.array(f"r0/hs.{layer['index']}.{part}") for part in ("weight", "bias")
        )
        a = convolved(a, weight, bias, layer["shift"])
        a = np.clip(a, 0, 32767) if layer["relu"] else a
        up, channels = layer["upsample"], len(weight) // layer["upsample"] ** 2
        wide = np.empty((a.shape[0] * up, a.shape[1] * up, channels), np.int64)
        for place in range(up**2):
            part = a[..., place * channels : (place + 1) * channels]
            wide[place // up :: up, place % up :: up] = part
        a = wide
    counts = 5, 60, a.shape[2] - 65
    assert_array_equal(np.concatenate(model.coder.h_s(z_hat, counts), axis=2), a)


def test_steps_are_those_of_sums_of_64_bits(package: Package, model: ExactModel) -> None:
    random = np.random.default_rng(3)
    known = np.rint(random.normal(0, 2000, (70, 5, 16)) ** 3 / 1e4).astype(np.int32)
    known[0, 0, :2] = 2**30, -(2**30)
    features = random.integers(-900, 900, (70, 5, 6)).astype(np.int32)

    def layer(name: str, a: np.ndarray) -> np.ndarray:
        name = f"inward.{name}"
        arrays = (package.array(f"r0/context.{name}.{part}") for part in ("weight", "bias"))
        return convolved(a, *arrays, package.manifest["context"][name])

    logs = context_model.signed_log(known.astype(np.float64)).astype(np.int64)
    hidden = np.clip(layer("hidden", logs) + features, 0, 32767)
    mean = layer("mean", np.clip(known + 8 >> 4, -32767, 32767))
    scale = layer("scale", hidden)
    found = np.ones((2, *mean.shape), np.int32)
    model.coder.context.inward.add(known, features, *found)
    assert_array_equal(found - 1, [mean, scale])


def test_logarithms_are_those_of_format_1(path: str) -> None:
    values = np.concatenate([np.arange(-40_000, 40_000, 7), [2**30, -(2**30), 2**31 - 1]])
    expected = context_model.signed_log(values.astype(np.float64))
    found, _ = neighborhoods(values.astype(np.int32).reshape(1, -1, 1), 4)
    assert_array_equal(found.ravel(), expected)


def test_checkerboards_are_those_of_format_1(path: str) -> None:
    a = np.random.default_rng(4).integers(0, 99, (6, 8, 3)).astype(np.int32)
    flat = np.moveaxis(a, -1, 0)
    white, black = (squares((6, 8), black=black) for black in (False, True))
    for places, dark in ((white, False), (black, True)):
        found = a.reshape(-1, 3)[places].reshape(6, 4, 3)
        assert_array_equal(np.moveaxis(found, -1, 0), context_model.squares(flat, black=dark))
    _, around = neighborhoods(a, 0, black, NEIGHBORS)
    expected = context_model.neighbors(context_model.squares(flat, black=False))
    assert_array_equal(np.moveaxis(around.reshape(6, 4, 12), -1, 0), expected)


@pytest.mark.parametrize("shape", [(1, 1), (5, 4), (4, 7), (3, 3)])
def test_every_hyper_latent_is_in_one_pass(shape: tuple[int, int]) -> None:
    passes = quarter(shape, odd=False), quarter(shape, odd=True), squares(shape, black=True)
    assert_array_equal(np.sort(np.concatenate(passes)), np.arange(shape[0] * shape[1]))


def test_random_bytes_end_in_one_error(model: ExactModel) -> None:
    random = np.random.default_rng(5)

    def decode(data: bytes) -> None:
        decoder = RansDecoder(data)
        model.decode_latents(decoder, (100, 90), model.gains.at(0.5)[0])
        decoder.finish()

    for size in (1, 9, 100, 3000):
        for _ in range(10):
            with pytest.raises(CorruptDataError):
                decode(random.bytes(size))
