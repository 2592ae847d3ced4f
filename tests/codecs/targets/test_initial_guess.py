"""A search begins where a target is expected to be met, along the margins that are expected."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.adapters.jpegxl import JpegXL
from cytopress.codecs.expectation import Expectation
from cytopress.codecs.targets.initial_guess import MIDDLE, InitialGuess, expectation
from cytopress.codecs.targets.target import Target
from cytopress.image import Image
from cytopress.metrics.noise import NoiseModel

IMAGE = Image(np.arange(10000, dtype=np.uint16).reshape(100, 100))
POSITIONS = np.linspace(0, 1, 21)
# Bytes double and errors fall to a quarter from each fifth of the range to the next.
EXPECTED = Expectation(POSITIONS, 100 * 2.0 ** (5 * POSITIONS), 4.0 ** (-5 * POSITIONS), (1.0, 2.0))
TARGETS = [
    Target("ratio", 20000 / (100 * 2.0**2)),
    Target("psnr", 20 * np.log10(500.0 * 2.0**2), data_range=500.0),
    Target("sigma", 2.0**-2 / 3, noise=NoiseModel(0.0, 9.0)),
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
def test_it_begins_where_the_target_is_expected(target: Target) -> None:
    guess = InitialGuess.of(EXPECTED, target, IMAGE)
    share = guess.share(guess.abscissa)
    position = 1 - share if target.kind == "ratio" else share
    assert position == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
def test_the_slope_is_that_of_the_margin(target: Target) -> None:
    # Five doublings over the whole range.
    assert InitialGuess.of(EXPECTED, target, IMAGE).slope == pytest.approx(5 * np.log(2), rel=0.01)


def test_ends_decide_targets_beyond() -> None:
    assert InitialGuess.of(EXPECTED, Target("psnr", 200.0, data_range=500.0), IMAGE).abscissa == 1
    assert InitialGuess.of(EXPECTED, Target("psnr", 1.0, data_range=500.0), IMAGE).abscissa == 0


def test_flat_expectations_still_have_an_inverse() -> None:
    flat = Expectation(POSITIONS, np.full(21, 500.0), np.full(21, 4.0), (1.0, 2.0))
    guess = InitialGuess.of(flat, TARGETS[1], IMAGE)
    shares = [guess.share(abscissa) for abscissa in np.linspace(0, 1, 7)]
    assert (np.diff(shares) > 0).all()


def test_without_an_expectation_the_scale_is_the_parameter() -> None:
    assert not MIDDLE.expected
    assert MIDDLE.share(0.3) == pytest.approx(0.3)
    assert expectation(JpegXL(distance=1.0), IMAGE) is None
