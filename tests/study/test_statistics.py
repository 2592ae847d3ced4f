from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cytopress.errors import NotAvailableError, UsageError
from cytopress.study.statistics import bootstrap_mean

FIVE = ["a", "b", "c", "d", "e"]


def test_large_normal_sample_has_students_interval() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    interval = bootstrap_mean(values, ["one"] * 400, seed=1)
    low, high = stats.t.interval(0.95, 399, values.mean(), stats.sem(values))
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(low, abs=0.02)
    assert interval.high == pytest.approx(high, abs=0.02)


def test_small_sample_is_as_wide_as_students_too() -> None:
    """The plain percentile interval would be a quarter too narrow."""
    # Normal scores: as normal as eight numbers can be.
    values = stats.norm.ppf((np.arange(8) + 0.5) / 8)
    interval = bootstrap_mean(values, ["one"] * 8, resamples=50_000, seed=1)
    half = stats.t.ppf(0.975, 7) * stats.sem(values)
    assert interval.low is not None
    assert interval.high is not None
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.06)


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
    # Every draw of one group alone gives that group's mean.
    assert interval.low == 0
    assert interval.high is not None
    assert interval.high > 0.8


def test_one_field_gets_no_interval() -> None:
    interval = bootstrap_mean([0.7], ["a"], seed=0)
    assert (interval.mean, interval.low, interval.high, interval.n) == (0.7, None, None, 1)


def test_two_fields_get_their_range() -> None:
    interval = bootstrap_mean([1, 3], ["a", "a"], seed=0)
    assert (interval.low, interval.high) == (1, 3)


def test_equal_values_have_no_width() -> None:
    interval = bootstrap_mean([2.5] * 7, ["a"] * 7, seed=0)
    assert (interval.low, interval.mean, interval.high) == (2.5, 2.5, 2.5)


def test_seed_decides() -> None:
    values = np.random.default_rng(0).normal(size=12)
    first, again, other = (bootstrap_mean(values, ["a"] * 12, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_draws_in_parts_are_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    from cytopress.study import statistics as module

    monkeypatch.setattr(module, "MOST_DRAWS_AT_ONCE", 35)
    means = module.resampled_means(np.arange(5.0), np.ones(5), resamples=100, seed=0)
    assert means.shape == (100,)
    assert np.unique(means).size > 5


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
