"""Hyper-latents that know those around them: every mean and table, place by place."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytopress.codecs.learned.latents.hyper_context import HyperContext
from cytopress.codecs.learned.model.load import open_model
from cytopress.errors import PackageError
from cytopress.models.model_package import Package, open_package
from fakes.symbol_coders import Recorder

pytestmark = pytest.mark.both_numpy

PLACES = {
    "diagonal": ((-1, -1), (-1, 1), (1, -1), (1, 1)),
    "beside": ((-1, 0), (1, 0), (0, -1), (0, 1)),
}
MOST = 2**20


@pytest.fixture(scope="module")
def around() -> Package:
    return open_package(Path(__file__).parents[1] / "tiny-around.cytomodel")


def said(package: Package, known: dict, place: tuple[int, int], node: int) -> tuple[list, list]:
    """Return means and scale indices of one place in whole numbers, by the definition.

    ``known`` are hyper-latents of earlier turns, times 256, by place.
    """
    row, column = place
    step = "diagonal" if row % 2 else "beside"
    step = "beside" if (row + column) % 2 else step
    channels = int(package.manifest["hyper_channels"])
    seen = [
        value
        for down, right in PLACES[step]
        for value in known.get((row + down, column + right), [0] * channels)
    ]

    def layer(name: str, values: list[int]) -> list[int]:
        weight, bias = (
            package.array(f"r0/hyper_context.{step}.{name}.{part}") for part in ("weight", "bias")
        )
        shift = package.manifest["hyper_context"][f"{step}.{name}"]
        sums = [
            sum(int(w) * v for w, v in zip(each[:, 0, 0], values, strict=True)) + int(b)
            for each, b in zip(weight, bias, strict=True)
        ]
        return [min(max((each + 2 ** (shift - 1)) >> shift, -MOST), MOST) for each in sums]

    logs = []
    for value in seen:
        size = abs(max(-MOST, min(value, MOST))) + 256
        power = math.floor(math.log2(size))
        logs.append(int(math.copysign((power - 8) * 256 + (size * 256 >> power) - 256, value)))
    features = package.array("r0/hyper_context.features")[int(step == "beside")]
    hidden = [
        min(max(each + int(more), 0), MOST)
        for each, more in zip(layer("hidden", logs), features, strict=True)
    ]
    bias = package.array("r0/hyper_context.bias")[node]
    index = [each + int(more) for each, more in zip(layer("scale", hidden), bias, strict=True)]
    return layer("mean", seen), index


@pytest.mark.parametrize("form", [(1, 1), (1, 6), (5, 4), (6, 7)])
@pytest.mark.parametrize("node", [0, 1, 2])
def test_every_mean_and_table(around: Package, form: tuple[int, int], node: int) -> None:
    model = open_model(around)
    random = np.random.default_rng(node)
    turns = {
        0: [(r, c) for r in range(0, form[0], 2) for c in range(0, form[1], 2)],
        1: [(r, c) for r in range(1, form[0], 2) for c in range(1, form[1], 2)],
        2: [(r, c) for r in range(form[0]) for c in range(form[1]) if (r + c) % 2],
    }
    known: dict[tuple[int, int], list[int]] = {}
    drawn = [random.integers(-40, 41, (4, len(places))) for places in turns.values()]
    recorder = Recorder(lambda turn, *_: drawn[turn])
    found = model.coder.hyper_latents(recorder, (4, *form), model.setting(node / 2)) * 256
    for turn, places in turns.items():
        symbols, rows = drawn[turn], recorder.rows[turn].reshape(4, -1)
        assert rows.shape == symbols.shape
        assert recorder.tables[turn] is (model.coder.prior if turn == 0 else model.coder.scales)
        now = {}
        for number, place in enumerate(places):
            if turn == 0:
                assert rows[:, number].tolist() == [4 * node + channel for channel in range(4)]
                means = [0] * 4
            else:
                means, index = said(around, known, place, node)
                most = len(model.coder.scales) - 1
                expected = [min(max(each + 128 >> 8, 0), most) for each in index]
                assert rows[:, number].tolist() == expected
                assert (recorder.means[turn][:, number] * 256).tolist() == means
            now[place] = [256 * int(s) + m for s, m in zip(symbols[:, number], means, strict=True)]
        known |= now
    assert {place: found[:, *place].tolist() for place in known} == known


def test_an_encoder_rounds_around_the_means(around: Package) -> None:
    """What is decoded lies within half a step of what the analysis said, wherever it is."""
    model = open_model(around)
    setting = model.setting(0.7)
    random = np.random.default_rng(4)
    z = 30 * random.standard_normal((4, 5, 7)).astype(np.float32)

    def nearest(_: int, select: Any, mean: np.ndarray | None) -> np.ndarray:
        return np.rint(select(z) - (0 if mean is None else mean))

    z_hat = model.coder.hyper_latents(Recorder(nearest), z.shape, setting)
    assert np.abs(z_hat - z).max() <= 0.5 + 1e-5


def test_steps_of_other_channels_are_refused(around: Package) -> None:
    context = open_model(around).coder.hyper_context
    assert context is not None
    for features, bias in (
        (context.features[:, :2], context.bias),
        (context.features, context.bias[:, :3]),
    ):
        with pytest.raises(PackageError, match="other channels"):
            HyperContext(context.diagonal, context.beside, features, bias)
