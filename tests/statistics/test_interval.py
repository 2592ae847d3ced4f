from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cytopress.errors import NotAvailableError, UsageError
from cytopress.statistics import bootstrap_mean

FIVE = ["a", "b", "c", "d", "e"]


def test_large_normal_sample_has_students_interval() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    interval = bootstrap_mean(values, ["one"] * 400, seed=1)
    low, high = stats.t.interval(0.95, 399, values.mean(), stats.sem(values))
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(low, abs=0.02)
    assert interval.high == pytest.approx(high, abs=0.02)


@pytest.mark.parametrize("law", ["normal", "exponential"])
def test_small_sample_is_never_narrower_than_students(law: str) -> None:
    """Nor much wider, where the sample is as even as eight numbers can be."""
    values = getattr(stats, {"normal": "norm", "exponential": "expon"}[law]).ppf(
        (np.arange(8) + 0.5) / 8
    )
    interval = bootstrap_mean(values, ["one"] * 8, seed=1)
    low, high = stats.t.interval(0.95, 7, values.mean(), stats.sem(values))
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low <= low + 1e-12
    assert interval.high >= high - 1e-12
    if law == "normal":
        assert interval.high - interval.low < 1.25 * (high - low)
    else:
        # It reaches out to where the tail may be, and there only.
        assert interval.high - high > 5 * (low - interval.low)


def test_coverage_over_fields() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for seed in range(400):
        interval = bootstrap_mean(rng.normal(size=10), ["one"] * 10, resamples=1000, seed=seed)
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= 0 <= interval.high
    assert 0.91 <= hits / 400 <= 0.98


def test_coverage_over_groups_whose_fields_resemble_each_other() -> None:
    """Drawing fields would cover about half of the time here."""
    rng = np.random.default_rng(8)
    groups = np.repeat([f"group {number}" for number in range(10)], 12)
    hits = 0
    for seed in range(400):
        values = np.repeat(rng.normal(size=10), 12) + rng.normal(0, 0.2, 120)
        interval = bootstrap_mean(values, list(groups), resamples=1000, seed=seed)
        assert interval.unit == "groups"
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= 0 <= interval.high
    assert 0.91 <= hits / 400 <= 0.98


def test_confidence_widens() -> None:
    values = np.random.default_rng(0).normal(size=20)
    narrow = bootstrap_mean(values, ["one"] * 20, confidence=0.8, seed=1)
    wide = bootstrap_mean(values, ["one"] * 20, confidence=0.99, seed=1)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high  # type: ignore[operator]


def test_five_groups_are_drawn_and_four_are_not() -> None:
    five = bootstrap_mean([1, 2, 3, 4, 5, 6], [*FIVE, "a"], seed=0)
    four = bootstrap_mean([1, 2, 3, 4, 5, 6], [*FIVE[:4], "a", "b"], seed=0)
    assert (five.unit, five.n) == ("groups", 5)
    assert (four.unit, four.n) == ("fields", 6)


def test_mean_is_over_fields_though_groups_are_drawn() -> None:
    interval = bootstrap_mean([0, 0, 0, 0, 1, 1, 1, 1], [*FIVE[:4], *["e"] * 4], seed=0)
    assert interval.mean == 0.5
    # Groups of one field and a group of four: the ratio's standard error, by hand.
    deviations = np.array([-0.5, -0.5, -0.5, -0.5, 2.0]) / 8
    error = math.sqrt(5 / 4 * np.sum(deviations**2))
    assert interval.high is not None
    assert interval.high >= 0.5 + stats.t.ppf(0.975, 4) * error


def test_one_field_gets_no_interval() -> None:
    interval = bootstrap_mean([0.7], ["a"], seed=0)
    assert (interval.mean, interval.low, interval.high, interval.n) == (0.7, None, None, 1)


def test_two_fields_get_the_width_that_two_deserve() -> None:
    interval = bootstrap_mean([1, 3], ["a", "a"], seed=0)
    low, high = stats.t.interval(0.95, 1, 2, 1)
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_equal_values_have_no_width() -> None:
    interval = bootstrap_mean([2.5] * 7, ["a"] * 7, seed=0)
    assert (interval.low, interval.mean, interval.high) == (2.5, 2.5, 2.5)


def test_seed_decides() -> None:
    values = np.random.default_rng(0).normal(size=12)
    first, again, other = (bootstrap_mean(values, ["a"] * 12, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_no_field_is_said() -> None:
    with pytest.raises(NotAvailableError, match="no field"):
        bootstrap_mean([], [], seed=0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_must_be_finite(bad: float) -> None:
    with pytest.raises(UsageError, match="finite"):
        bootstrap_mean([1, bad], ["a", "b"], seed=0)


def test_each_value_needs_a_group() -> None:
    with pytest.raises(UsageError, match="a group for each value"):
        bootstrap_mean([1, 2], ["a"], seed=0)


@pytest.mark.parametrize("options", [{"confidence": 1.0}, {"confidence": 0}, {"resamples": 0}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="confidence between 0 and 1"):
        bootstrap_mean([1, 2], ["a", "b"], seed=0, **options)  # type: ignore[arg-type]
