"""The integer synthesis: as its page defines it, in tiles and threads, and empty places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cytopress.codecs.learned.exact.gains import Dequantization
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.codecs.learned.exact.synthesis import Synthesis
from cytopress.kernels import threads
from cytopress.models.model_package import Package
from fakes.exact_reference import corrected, halved, transformed

pytestmark = pytest.mark.both_numpy
SHAPE = 13, 11


def plane_of(synthesis: Synthesis, latents: Any, dequantize: Dequantization, **options: Any) -> Any:
    bands = synthesis.bands([latents], dequantize, **options)
    return np.concatenate([band[0] for _, band in bands])


def expected(package: Package, latents: Any, dequantize: Dequantization) -> Any:
    x = halved(latents.astype(np.int64) * dequantize.multiplier, dequantize.shift)
    x = np.clip(x, -(2**28) + 1, 2**28 - 1)
    array = package.array
    layers = [
        (array(f"r0/synthesis.{i}.weight"), array(f"r0/synthesis.{i}.bias"), shift)
        for i, shift in enumerate(package.manifest["synthesis"])
    ]
    filters = [array(f"r0/synthesis.{name}") for name in ("along_y", "along_x", "place")]
    return transformed(corrected(x, layers), *filters)


def random_latents(spread: float, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    found = np.rint(random.normal(0, spread, (*SHAPE, 64)) * 256)
    return np.clip(found, -(2**31), 2**31 - 1).astype(np.int32)


# Up to where everything clips.
@pytest.mark.parametrize("spread", [0.3, 30.0, 1e5, 1e9])
@pytest.mark.parametrize("quality", [0.0, 0.37, 1.0])
def test_pixels_are_those_of_sums_of_64_bits(
    package: Package, model: ExactModel, path: str, spread: float, quality: float
) -> None:
    dequantize = model.gains.at(quality)[1]
    latents = random_latents(spread)
    found = plane_of(model.synthesis, latents, dequantize)
    assert found.dtype == np.int32
    assert_array_equal(found, expected(package, latents, dequantize))


@pytest.mark.parametrize(("rows", "number"), [(1, 1), (2, 2), (5, 1), (7, 8), (100, 3)])
def test_tiles_and_threads_change_nothing(model: ExactModel, rows: int, number: int) -> None:
    dequantize, latents = model.gains.at(0.5)[1], random_latents(2.0)
    # And a place where all are equal.
    latents[1:12, 2:10] = latents[3, 4]
    whole = plane_of(model.synthesis, latents, dequantize)
    with threads.using(number):
        tiled = plane_of(model.synthesis, latents, dequantize, rows=rows)
    assert_array_equal(tiled, whole)


@pytest.mark.parametrize("period", [1, 2, 4, 8, 3])
def test_places_that_repeat_are_those_of_the_definition(
    package: Package, model: ExactModel, path: str, period: int
) -> None:
    random = np.random.default_rng(period)
    latents = np.resize(random.integers(-900, 900, (1, period, 64)), (1, 96, 64)).repeat(9, 0)
    latents[4:6, 50:52] = random.integers(-3000, 3000, (2, 2, 64))
    dequantize = model.gains.at(0.5)[1]
    latents = latents.astype(np.int32)
    found = plane_of(model.synthesis, latents, dequantize)
    assert_array_equal(found, expected(package, latents, dequantize))


@pytest.mark.parametrize("place", [(0, 0), (5, 39), (39, 3), (20, 20), (17, 31)])
def test_one_latent_that_differs_is_seen(model: ExactModel, place: tuple[int, int]) -> None:
    dequantize = model.gains.at(0.5)[1]
    latents = np.zeros((40, 40, 64), np.int32)
    latents[(*place, 63)] = 5000
    tiled = plane_of(model.synthesis, latents, dequantize, rows=4)
    whole = plane_of(model.synthesis, latents, dequantize, rows=40)
    assert_array_equal(tiled, whole)
    assert np.ptp(tiled) > 0


@pytest.mark.parametrize("spread", [0.3, 30.0, 1e9])
@pytest.mark.parametrize("number", [1, 3])
def test_a_plane_in_one_pass_is_that_of_sums_of_64_bits(
    package: Package, model: ExactModel, path: str, spread: float, number: int
) -> None:
    dequantize, latents = model.gains.at(0.37)[1], random_latents(spread)
    found = np.empty((SHAPE[0] * 8, SHAPE[1] * 8), np.int32)
    with threads.using(number):
        model.synthesis.plane(latents, dequantize.scaling, found)
    assert_array_equal(found, expected(package, latents, dequantize))
