"""The context model against its definition in Python's own integers, one latent at a time."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytopress.codecs.learned.entropy.probability_tables import channel_rows
from cytopress.codecs.learned.latents import context_model as module
from cytopress.codecs.learned.latents.context_model import (
    ContextStep,
    neighbors,
    put_squares,
    squares,
)
from cytopress.codecs.learned.latents.context_steps import ContextModel
from cytopress.codecs.learned.latents.hyper_synthesis import Layer
from cytopress.codecs.learned.model.load import open_model
from cytopress.errors import PackageError
from cytopress.models.model_package import open_package
from fakes.symbol_coders import Recorder

pytestmark = pytest.mark.both_numpy

LIMIT = 2**20


def layer(random: np.random.Generator, after: int, before: int, side: int) -> Layer:
    weight = random.integers(-3000, 3000, (after, before, side, side)).astype(np.int32)
    return Layer(weight, random.integers(-(2**19), 2**19, after), 12, relu=False, upsample=1)


def step(seed: int, inputs: int, width: int, outputs: int, side: int) -> ContextStep:
    random = np.random.default_rng(seed)
    return ContextStep(
        layer(random, width, inputs, side),
        layer(random, outputs, inputs, 1),
        layer(random, outputs, width, 1),
    )


def log_by_definition(value: int) -> int:
    """Return sign(v) log2(1 + |v|) with 8 bits of fraction, straight between powers of two."""
    size = abs(int(value)) + 256
    exponent = size.bit_length() - 1
    found = ((exponent - 8) << 8) + (((size << 8) >> exponent) - 256)
    return found if value >= 0 else -found


def at(layer: Layer, known: np.ndarray, row: int, column: int) -> list[int]:
    """Return what a layer gives at one place of (C, h, w), in Python's integers."""
    side = layer.weight.shape[2] // 2
    found = []
    for kernels, bias in zip(layer.weight, layer.bias, strict=True):
        total = int(bias)
        for plane, kernel in zip(known, kernels, strict=True):
            for down in range(-side, side + 1):
                for right in range(-side, side + 1):
                    y, x = row + down, column + right
                    if 0 <= y < plane.shape[0] and 0 <= x < plane.shape[1]:
                        total += int(plane[y, x]) * int(kernel[down + side, right + side])
        rounded = (total + (1 << layer.shift >> 1)) >> layer.shift
        found.append(max(-LIMIT, min(LIMIT, rounded)))
    return found


def by_definition(one: ContextStep, known: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return means and scale indices to add, (2, C, h, w)."""
    known = np.clip(known, -LIMIT, LIMIT).astype(int)
    logs = np.vectorize(log_by_definition)(known)
    _, height, width = known.shape
    out = np.empty((2, one.form[2], height, width), int)
    for row in range(height):
        for column in range(width):
            hidden = [
                max(0, min(LIMIT, value + int(feature)))
                for value, feature in zip(
                    at(one.hidden, logs, row, column), features[:, row, column], strict=True
                )
            ]
            out[0, :, row, column] = at(one.mean, known, row, column)
            out[1, :, row, column] = at(one.scale, np.array(hidden)[:, None, None], 0, 0)
    return out


def joined(one: ContextStep, known: np.ndarray, features: np.ndarray) -> np.ndarray:
    out = np.full((2, one.form[2], *known.shape[1:]), np.nan)
    for place, mean, scale in one.parts(known.astype(float), features):
        out[0][:, *place], out[1][:, *place] = mean, scale
    return out


@pytest.mark.parametrize("most", [300, 2**12, 2**30])
@pytest.mark.parametrize("side", [1, 3])
def test_a_step_equals_its_definition(most: int, side: int) -> None:
    random = np.random.default_rng(most + side)
    one = step(1, 3, 4, 5, side)
    known = random.integers(-most, most, (3, 5, 6))
    known.flat[:4] = 0, -1, 1, most
    features = random.integers(-(2**11), 2**11, (4, 5, 6)).astype(np.int32)
    np.testing.assert_array_equal(joined(one, known, features), by_definition(one, known, features))


@pytest.mark.parametrize("strip", [1, 2, 3, 5])
def test_strips_change_no_number(strip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    one, known = step(1, 3, 4, 5, 3), random.integers(-5000, 5000, (3, 11, 4))
    features = random.integers(-4000, 4000, (4, 11, 4)).astype(np.int32)
    whole = joined(one, known, features)
    monkeypatch.setattr(module, "STRIP", strip)
    np.testing.assert_array_equal(joined(one, known, features), whole)


def test_the_logarithm_is_near_the_real_one() -> None:
    values = np.concatenate((np.arange(-3000.0, 3000), 2.0 ** np.arange(8, 39) - 1))
    found = module.signed_log(values)
    np.testing.assert_array_equal(found, [log_by_definition(int(v)) for v in values])
    real = [math.copysign(math.log2(1 + abs(v) / 256), v) for v in values]
    # A chord of the logarithm lies at most 0.0861 below it.
    assert np.abs(found / 256 - real).max() < 0.0861 + 1 / 256
    assert (np.diff(found[:6000]) >= 0).all()


def test_squares_and_their_neighbors() -> None:
    whole = np.random.default_rng(4).integers(1, 10**6, (3, 4, 6)).astype(float)
    white, black = (squares(whole, black=color) for color in (False, True))
    around = neighbors(white).reshape(4, 3, 4, 3)
    again = np.zeros_like(whole)
    put_squares(again, white, black=False)
    assert (again[:, ::2, ::2] == whole[:, ::2, ::2]).all()
    assert not again[:, ::2, 1::2].any()
    put_squares(again, black, black=True)
    np.testing.assert_array_equal(again, whole)
    padded = np.pad(whole, ((0, 0), (1, 1), (1, 1)))
    for row in range(4):
        for place in range(3):
            column = 2 * place + (1 - row % 2)
            np.testing.assert_array_equal(black[:, row, place], whole[:, row, column])
            seen = padded[:, row : row + 3, column : column + 3]
            expected = seen[:, 0, 1], seen[:, 2, 1], seen[:, 1, 0], seen[:, 1, 2]
            np.testing.assert_array_equal(around[:, :, row, place], expected)


def test_a_pass_goes_by_what_was_decoded_before_it() -> None:
    """Changing the white squares alone changes how the others are coded, not the white ones."""
    path = Path(__file__).parents[1] / "tiny-context.cytomodel"
    model = open_model(open_package(path))
    assert model.coder.context is not None
    setting = model.setting(0.5)
    rows: list[list[np.ndarray]] = []
    z_hat = np.random.default_rng(1).integers(-3, 4, (4, 2, 2))
    latents = np.zeros((6, 8, 8))
    for symbol in (0, 5):

        def white_alone(number: int, select: Any, _: Any, symbol: int = symbol) -> np.ndarray:
            return select(latents) + (symbol if number == 0 else 0)

        recorder = Recorder(white_alone)
        model.coder.latents(recorder, latents.shape, z_hat, setting)
        rows.append(recorder.rows)
    same = [np.array_equal(*pair) for pair in zip(*rows, strict=True)]
    assert same == [True, False, False]
    assert [len(each) for each in rows[0]] == [2 * 32, 2 * 32, 4 * 64]


def test_priors_go_by_the_nearest_node() -> None:
    model = open_model(open_package(Path(__file__).parents[1] / "tiny-context.cytomodel"))
    assert len(model.coder.prior) == 12
    first = [
        int(channel_rows(model.coder.prior, (4, 1, 1), model.setting(q).node)[0])
        for q in (0, 0.2, 0.3, 0.7, 0.8)
    ]
    assert first == [0, 0, 4, 4, 8]


def test_layers_that_do_not_belong_together() -> None:
    across, inward = step(1, 8, 4, 2, 1), step(2, 2, 4, 5, 3)
    ContextModel(across, inward)
    for wrong in (
        (step(1, 4, 4, 2, 1), inward),
        (step(1, 8, 3, 2, 1), inward),
        (step(1, 8, 4, 2, 3), inward),
        (across, step(2, 3, 4, 5, 3)),
    ):
        with pytest.raises(PackageError, match="do not follow"):
            ContextModel(*wrong)
    for change in (
        {"mean": inward.scale},
        {"scale": inward.mean},
        {"mean": inward.hidden},
        {"scale": replace(inward.scale, relu=True)},
    ):
        with pytest.raises(PackageError, match="belong together"):
            replace(inward, **change)
