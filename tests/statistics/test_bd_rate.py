from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.interpolate import pchip_interpolate

from cytopress.errors import NotAvailableError, UsageError
from cytopress.statistics.bd_rate import bd_rate

RATE = np.array([1000.0, 2200, 4100, 9000, 17000])
QUALITY = np.array([30.1, 33.0, 35.2, 38.9, 41.0])


@pytest.mark.parametrize(("factor", "percent"), [(0.5, -50), (1, 0), (2, 100), (1.1, 10)])
def test_rate_times_a_factor(factor: float, percent: float) -> None:
    result = bd_rate(RATE, QUALITY, RATE * factor, QUALITY)
    assert result.percent == pytest.approx(percent, abs=1e-9)
    assert (result.low, result.high) == (30.1, 41.0)


def test_swapped_curves_are_the_inverse() -> None:
    there = bd_rate(RATE, QUALITY, RATE**1.03, QUALITY + 1).percent
    back = bd_rate(RATE**1.03, QUALITY + 1, RATE, QUALITY).percent
    assert (1 + there / 100) * (1 + back / 100) == pytest.approx(1)


def test_log_linear_curves_have_a_closed_form() -> None:
    """Straight lines: the difference in the middle of the shared interval is the mean."""
    q1, q2 = np.array([30.0, 33, 37, 40]), np.array([32.0, 36, 39, 44])
    line1, line2 = np.exp(0.2 * q1 + 1), np.exp(0.23 * q2 - 0.3)
    result = bd_rate(line1, q1, line2, q2)
    assert (result.low, result.high) == (32, 40)
    assert result.percent == pytest.approx(100 * np.expm1(0.03 * 36 - 1.3), rel=1e-9)


def test_as_integrated_numerically() -> None:
    rate, quality = RATE[1:] * np.array([0.8, 0.7, 0.95, 0.6]), QUALITY[1:] + 0.8
    grid = np.linspace(33.8, 41.0, 200_001)
    gap = pchip_interpolate(quality, np.log(rate), grid) - pchip_interpolate(
        QUALITY, np.log(RATE), grid
    )
    result = bd_rate(RATE, QUALITY, rate, quality)
    # The grid is even: the trapezoidal rule written out.
    mean = (gap[1:] + gap[:-1]).mean() / 2
    assert result.percent == pytest.approx(100 * np.expm1(mean), rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_as_the_package_bjontegaard_has_it(seed: int) -> None:
    oracle = pytest.importorskip("bjontegaard", reason="the extra test has it")
    random = np.random.default_rng(seed)
    curves = []
    for points in random.integers(4, 8, 2):
        rate = np.sort(random.uniform(0.1, 4, points))
        quality = np.cumsum(random.uniform(0.5, 4, points)) + random.uniform(28, 30)
        curves += [rate, quality]
    expected = oracle.bd_rate(*curves, method="pchip", require_matching_points=False, min_overlap=0)
    assert bd_rate(*curves).percent == pytest.approx(expected, rel=1e-9)


def test_order_of_points_does_not_matter() -> None:
    shuffled = [3, 0, 4, 1, 2]
    result = bd_rate(RATE[shuffled], QUALITY[shuffled], RATE * 0.9, QUALITY + 0.2)
    assert result == bd_rate(RATE, QUALITY, RATE * 0.9, QUALITY + 0.2)


def test_infinite_psnr_is_left_out() -> None:
    rate, quality = np.append(RATE, 40000), np.append(QUALITY, math.inf)
    assert bd_rate(rate, quality, rate * 0.5, quality).percent == pytest.approx(-50)


def test_of_equal_qualities_the_cheapest_counts() -> None:
    rate, quality = np.append(RATE, [9500, 9000]), np.append(QUALITY, [38.9, 38.9])
    assert bd_rate(RATE, QUALITY, rate, quality).percent == pytest.approx(0, abs=1e-9)


def test_envelope_ignores_points_that_cost_more_and_give_less() -> None:
    # Beside the curve: dearer and worse (two in a row), dearer and equal, equally dear and worse.
    rate = np.append(RATE, [9100, 9500, 2300, 17000])
    quality = np.append(QUALITY, [36.0, 37.0, 33.0, 40.0])
    result = bd_rate(RATE, QUALITY, rate, quality, monotone=True)
    assert result.percent == pytest.approx(0, abs=1e-9)
    assert bd_rate(RATE, QUALITY, rate, quality).percent > 1


def test_envelope_of_accuracy_that_falls_with_rate() -> None:
    accuracy = [0.80, 0.88, 0.91, 0.905, 0.909]
    result = bd_rate(RATE, accuracy, RATE / 2, accuracy, monotone=True)
    assert result.percent == pytest.approx(-50)
    assert result.high == 0.91


@pytest.mark.parametrize("swap", [False, True])
def test_a_quarter_of_either_curve_must_be_shared(swap: bool) -> None:
    narrow, wide = np.array([30.0, 30.5, 31, 32]), np.array([30.0, 33, 36, 38])
    rate = np.array([1.0, 2, 3, 4])
    curves = [(rate, narrow), (rate, wide)]
    first, second = reversed(curves) if swap else curves
    assert bd_rate(*first, *second).high == 32  # exactly a quarter of the wide one
    wide[-1] = 38.1
    with pytest.raises(NotAvailableError, match="share at least 25%"):
        bd_rate(*first, *second)


def test_curves_apart_are_not_compared() -> None:
    with pytest.raises(NotAvailableError, match="0% is shared"):
        bd_rate(RATE, QUALITY, RATE, QUALITY + 20)


def test_three_points_are_no_curve() -> None:
    with pytest.raises(NotAvailableError, match=r"at least 4 points.*the test has 3"):
        bd_rate(RATE, QUALITY, RATE[:3], QUALITY[:3])
    with pytest.raises(NotAvailableError, match="the reference has 3"):
        bd_rate(RATE[:4], [*QUALITY[:3], math.inf], RATE, QUALITY)
    with pytest.raises(NotAvailableError, match="at least 4 points"):
        bd_rate(RATE, QUALITY, RATE[:3], QUALITY[:3], monotone=True)


def test_envelope_of_two_points_is_no_curve() -> None:
    with pytest.raises(NotAvailableError, match=r"at least 3 points.*the test has 2"):
        bd_rate(RATE, QUALITY, RATE, [33, 36, 32, 32, 31], monotone=True)


@pytest.mark.parametrize(
    ("rate", "quality", "wrong"),
    [
        ([0, 1, 2, 3], [1, 2, 3, 4], "rates, but the test has 0;"),
        ([-1, 1, 2, 3], [1, 2, 3, 4], "rates, but the test has -1;"),
        ([math.inf, 1, 2, 3], [1, 2, 3, 4], "rates, but the test has inf;"),
        ([1, 2, 3, 4], [1, math.nan, 3, 4], "quality of each point, but the test has nan;"),
        ([1, 2, 3, 4], [-math.inf, 2, 3, 4], "quality of each point, but the test has -inf;"),
        ([1, 2, 3, 4], [2, 3, 4], "the test has 4 rates and 3 qualities"),
    ],
)
def test_impossible_points_are_named(rate: list[float], quality: list[float], wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong):
        bd_rate(RATE, QUALITY, rate, quality)


def test_negative_qualities_are_qualities() -> None:
    """Errors are negated, so that more is better."""
    lower = QUALITY - 100
    assert bd_rate(RATE, lower, RATE * 0.5, lower).percent == pytest.approx(-50)
