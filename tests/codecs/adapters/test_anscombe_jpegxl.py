"""Quantizing in steps of the noise, against exact arithmetic and closed forms."""

from __future__ import annotations

import hashlib
from decimal import Decimal, localcontext

import numpy as np
import pytest

from cytopress.codecs.adapters.anscombe_jpegxl import AnscombeJpegXL, level_tables
from cytopress.codecs.registry import decode
from cytopress.errors import UsageError
from cytopress.image import Image

MODELS = [(1.5, 9.0, 100.0), (0.0, 25.5, 300.0), (0.02, 0.3, 2000.0), (12.3, 0.01, 99.5)]


def exact_level(value: int, qstep: float, model: tuple[float, float, float]) -> int:
    """The level by the textbook formula, 2 / a sqrt(a x + 3/8 a^2 + b), in 50 digits."""
    with localcontext() as context:
        context.prec = 50
        a, b, offset = map(Decimal, model)
        least = a * a * 3 / 8 + b
        light = Decimal(value) - offset
        if a == 0 or light < 0:
            units = light / least.sqrt()
        else:
            units = 2 / a * ((a * light + least).sqrt() - least.sqrt())
        return int((units / Decimal(qstep) + Decimal("0.5")).to_integral_value("ROUND_FLOOR"))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("qstep", [0.5, 1.0, 3.0])
def test_levels_are_those_of_exact_arithmetic(
    model: tuple[float, float, float], qstep: float
) -> None:
    values = range(4096)
    numbers, middles = level_tables(qstep, *model, 0, 4095)
    exact = [exact_level(value, qstep, model) for value in values]
    # Same level if and only if the exact levels are the same, in the same order.
    np.testing.assert_array_equal(np.diff(numbers) > 0, np.diff(exact) > 0)
    assert numbers[0] == 0
    assert np.diff(numbers).max() <= 1
    for level in range(len(middles)):
        members = np.flatnonzero(numbers == level)
        assert abs(middles[level] - members.mean()) <= 0.5


def test_tables_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256()
    for model in MODELS:
        for qstep in (0.01, 0.7, 1.0, 50.0):
            for table in level_tables(qstep, *model, 3, 65535):
                digest.update(table.astype("<u2").tobytes())
    assert digest.hexdigest()[:16] == "53ffaef62cfcab99"


@pytest.mark.parametrize(("qstep", "noise"), [(0.5, 1.0104), (1.0, 1.0408), (2.0, 1.1547)])
def test_a_step_adds_the_noise_of_uniform_rounding(qstep: float, noise: float) -> None:
    rng = np.random.default_rng(5)
    a, b, offset = 1.5, 9.0, 100.0
    light = np.repeat(np.linspace(50, 2000, 256)[:, np.newaxis], 256, axis=1)
    camera = rng.poisson(light / a) * a + offset + rng.normal(0, np.sqrt(b), light.shape)
    image = Image(np.rint(camera).astype(np.uint16), bits=12)
    coded = AnscombeJpegXL(qstep=qstep, a=a, b=b, offset=offset).encode(image)
    error = decode(coded).pixels.astype(float) - image.pixels
    variance = a * np.maximum(image.pixels - offset, 0) + b
    assert np.sqrt(1 + np.mean(error**2 / variance)) == pytest.approx(noise, abs=0.004)
    assert abs(np.mean(error / np.sqrt(variance))) < 0.02


def test_coarse_steps_stay_inside_the_used_range() -> None:
    image = Image(np.array([[500, 501], [502, 503]], np.uint16))
    coded = AnscombeJpegXL(qstep=1000, a=1.0, b=4.0, offset=100).encode(image)
    decoded = decode(coded).pixels
    assert decoded.min() >= 500
    assert decoded.max() <= 503


def test_a_model_beyond_numbers_is_refused() -> None:
    with pytest.raises(UsageError, match="more levels than can be numbered"):
        level_tables(0.01, 0.0, 1e-40, 0.0, 0, 65535)
