"""The encoder's networks in integers, against the float layers that they are made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.signal import correlate

from cytopress.codecs.learned.exact.analysis import Analysis
from cytopress.codecs.learned.exact.hyper_analysis import HyperAnalysis
from cytopress.errors import PackageError

pytestmark = pytest.mark.both_numpy
SIZE, WIDTH, HYPER = 8, 6, 5


def convolved(x: np.ndarray, weights: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Return a layer's output, (C, h, w), zeros beyond the borders."""
    weight, bias = (weights[f"{name}.{part}"] for part in ("weight", "bias"))
    margin = weight.shape[2] // 2
    wide = np.pad(x, ((0, 0), (margin, margin), (margin, margin)))
    return np.stack([correlate(wide, w, "valid")[0] + b for w, b in zip(weight, bias, strict=True)])


@pytest.fixture(scope="module")
def analysis() -> dict[str, np.ndarray]:
    """Return the weights of an analysis with one residual block."""
    random, channels = np.random.default_rng(4), SIZE**2
    return {
        "g_a.along_x.weight": random.normal(0, 0.2, (SIZE, 1, 1, 2 * SIZE)),
        "g_a.along_y.weight": random.normal(0, 0.2, (SIZE, 1, 2 * SIZE, 1)),
        "g_a.network.0.weight": random.normal(0, 0.1, (WIDTH, channels, 1, 1)),
        "g_a.network.0.bias": random.normal(0, 0.3, WIDTH),
        "g_a.network.2.convolution.weight": random.normal(0, 0.2, (WIDTH, WIDTH, 3, 3)),
        "g_a.network.2.convolution.bias": random.normal(0, 0.3, WIDTH),
        "g_a.network.10.weight": random.normal(0, 0.2, (channels, WIDTH, 1, 1)),
        "g_a.network.10.bias": random.normal(0, 0.3, channels),
    }


@pytest.mark.parametrize("rows", [1, 3, 64])
def test_latents_are_those_of_the_float_layers(
    path: str, analysis: dict[str, np.ndarray], rows: int
) -> None:
    random = np.random.default_rng(5)
    place = random.permutation(SIZE**2)
    plane = random.normal(0, 0.5, (5 * SIZE, 4 * SIZE))
    wide = np.pad(plane, SIZE // 2)
    filters = [analysis[f"g_a.along_{axis}.weight"].reshape(SIZE, -1) for axis in "yx"]
    y = np.empty((SIZE**2, 5, 4))
    for i, j in np.ndindex(5, 4):
        block = wide[i * SIZE : (i + 2) * SIZE, j * SIZE : (j + 2) * SIZE]
        y[place, i, j] = (filters[0] @ block @ filters[1].T).reshape(-1)
    a = np.clip(convolved(np.clip(y, -8, 8), analysis, "g_a.network.0"), 0, 8)
    a = np.clip(a + convolved(a, analysis, "g_a.network.2.convolution"), 0, 8)
    expected = y + convolved(a, analysis, "g_a.network.10")
    of = Analysis.of(analysis, place)
    found = of([np.rint(plane * 2**15).astype(np.int32)], rows=rows) * 2.0**-15
    assert np.abs(np.moveaxis(found, -1, 0) - expected).max() < 2e-3
    np.testing.assert_array_equal(found, of([np.rint(plane * 2**15).astype(np.int32)]) * 2.0**-15)


@pytest.mark.parametrize("missing", ["g_a.along_x.weight", "g_a.network.10.bias"])
def test_another_graph_has_no_integer_form(analysis: dict[str, np.ndarray], missing: str) -> None:
    held = {name: weight for name, weight in analysis.items() if name != missing}
    with pytest.raises(PackageError, match=missing.replace(".", r"\.")):
        Analysis.of(held, np.arange(SIZE**2))
    held = analysis | {"g_a.network.2.convolution.weight": np.zeros((WIDTH, 9, 3, 3))}
    with pytest.raises(PackageError, match="do not follow"):
        Analysis.of(held, np.arange(SIZE**2))


def test_hyper_latents_are_those_of_the_float_layers(path: str) -> None:
    random = np.random.default_rng(6)
    shapes = (HYPER, 12, 3, 3), (HYPER, HYPER, 1, 1), (4, HYPER, 3, 3)
    names = [f"h_a.layers.{index}" for index in (0, 2, 4)]
    weights = {f"{n}.weight": random.normal(0, 0.3, s) for n, s in zip(names, shapes, strict=True)}
    weights |= {f"{n}.bias": random.normal(0, 1, s[0]) for n, s in zip(names, shapes, strict=True)}
    # More rows than are computed at once.
    latents = np.rint(random.laplace(0, 900, (272, 12, 12))).astype(np.int32)
    x = np.moveaxis(latents / 256, -1, 0)
    a = np.maximum(convolved(np.sign(x) * np.log1p(np.abs(x)), weights, names[0])[:, ::2, ::2], 0)
    a = np.maximum(convolved(a, weights, names[1]), 0)
    expected = convolved(a, weights, names[2])[:, ::2, ::2]
    found = HyperAnalysis.of(weights)(latents) / 256
    assert found.shape == (68, 3, 4)
    assert np.abs(np.moveaxis(found, -1, 0) - expected).max() < 0.1
    with pytest.raises(PackageError, match="h_a"):
        HyperAnalysis.of({})
