from __future__ import annotations

import inspect
import math
import time

import numpy as np
import pytest
from scipy import stats

from cytopress.errors import NotAvailableError, UsageError
from cytopress.statistics import LEAST_UNITS, Effect, bootstrap, effects, interval_method
from cytopress.statistics.bootstrap import Resampling, studentized_replicates
from cytopress.statistics.units import sum_by_unit
from cytopress.statistics.variance import variance_of

pytestmark = pytest.mark.both_numpy


def one(losses, groups=None, **options) -> Effect:
    losses = np.asarray(losses, dtype=float)[..., None]
    (found,) = effects(losses, groups or ["one"] * len(losses), **{"seed": 0, **options})
    return found


def test_zero_effect_is_claimed_for_any_margin() -> None:
    found = one(np.zeros(8), margin=1e-9)
    assert (found.mean, found.low, found.high, found.bound, found.p) == (0, 0, 0, 0, 0)


def test_a_damaged_group_of_five_makes_the_interval_wide_and_no_claim() -> None:
    """The other four are untouched, so that the mean alone would look safe."""
    groups = np.repeat(["a", "b", "c", "d", "e"], 6)
    rng = np.random.default_rng(0)
    losses = rng.normal(0, 0.0005, 30)
    sound = one(losses, list(groups), margin=0.02)
    losses[groups == "e"] += 0.05
    damaged = one(losses, list(groups), margin=0.02)
    assert sound.p is not None
    assert damaged.p is not None
    assert damaged.bound is not None
    assert (damaged.unit, damaged.n) == ("groups", 5)
    assert damaged.mean == pytest.approx(0.01, abs=0.001)
    # The next group may be like the worst one.
    assert damaged.bound > 0.03
    assert damaged.p > 0.25
    assert sound.p < 0.001


def test_one_damaged_field_of_eight_bounds_the_loss_far_out() -> None:
    found = one([0, 0, 0, 0, 0, 0, 0, 0.8], margin=0.3)
    assert found.mean == pytest.approx(0.1)
    assert found.bound is not None
    assert 0.4 < found.bound < 0.8
    assert found.p is not None
    assert found.p > 0.1


def test_one_field_gets_nothing_invented() -> None:
    found = one([0.7], margin=1)
    assert (found.mean, found.n, found.fields) == (0.7, 1, 1)
    assert (found.low, found.high, found.bound, found.p) == (None, None, None, None)


@pytest.mark.parametrize("units", [2, LEAST_UNITS - 1])
def test_a_few_fields_that_agree_prove_nothing(units: int) -> None:
    """Without a spread the interval has no width, so the number of units alone decides."""
    found = one(np.zeros(units), margin=0.01)
    assert (found.low, found.high, found.p) == (0, 0, None)
    assert one(np.zeros(LEAST_UNITS), margin=0.01).p == 0
    # Fields of too few groups are the units, and five groups are enough.
    assert one(np.zeros(8), ["a"] * 4 + ["b"] * 4, margin=0.01).p == 0
    assert one(np.zeros(5), list("abcde"), margin=0.01).unit == "groups"


def test_missing_fields_are_left_out_and_told() -> None:
    losses = np.random.default_rng(0).normal(size=(9, 3))
    holed = losses.copy()
    holed[2, 1] = holed[5, 1] = np.nan
    holed[:, 2] = np.nan
    whole, part, none = effects(holed, ["one"] * 9, margin=1, seed=3)
    assert (whole.fields, whole.missing) == (9, 0)
    assert (part.fields, part.missing) == (7, 2)
    assert part.mean == pytest.approx(np.nanmean(holed[:, 1]))
    # What is left is treated as if it had been all.
    (alone,) = effects(np.delete(losses, [2, 5], axis=0)[:, [1]], ["one"] * 7, margin=1, seed=3)
    assert (part.low, part.high, part.p) == (alone.low, alone.high, alone.p)
    assert (none.mean, none.low, none.p, none.fields, none.missing) == (None, None, None, 0, 9)


def test_groups_are_counted_among_the_fields_that_are_there() -> None:
    losses = np.random.default_rng(0).normal(size=(10, 2))
    losses[0:2, 1] = np.nan
    whole, part = effects(losses, [f"g{field // 2}" for field in range(10)], seed=0)
    assert (whole.unit, whole.n) == ("groups", 5)
    assert (part.unit, part.n) == ("fields", 8)


def test_a_field_that_lacks_one_seed_is_left_out_whole() -> None:
    losses = np.random.default_rng(0).normal(size=(9, 3))
    holed = losses.copy()
    holed[4, 1] = np.nan
    found = one(holed)
    assert (found.fields, found.missing, found.seeds) == (8, 1, 3)
    assert found.mean == pytest.approx(np.delete(losses, 4, axis=0).mean())


def test_spread_of_the_seeds() -> None:
    losses = np.arange(10.0)[:, None] + np.array([0, 1, 5])
    found = one(losses)
    assert found.seed_spread == pytest.approx(np.std([4.5, 5.5, 9.5], ddof=1))
    assert one(losses[:, 0]).seed_spread is None
    assert one(losses[:, :1]).seed_spread is None


def test_one_seed_may_be_written_with_or_without_its_axis() -> None:
    losses = np.random.default_rng(0).normal(size=10)
    assert one(losses, margin=1) == one(losses[:, None], margin=1)


def test_equal_seeds_add_nothing_and_unequal_ones_widen() -> None:
    fields = np.random.default_rng(0).normal(size=(12, 1))
    single, equal = one(fields), one(fields + np.zeros(3))
    assert equal.low == pytest.approx(single.low)
    assert equal.high == pytest.approx(single.high)
    apart = one(fields + np.array([-1, 0, 1]))
    assert apart.high > single.high + 0.5  # type: ignore[operator]


def test_variance_is_that_of_the_two_way_layout() -> None:
    """Against mean squares written out, on a table of 6 fields and 4 seeds."""
    table = np.random.default_rng(1).normal(size=(6, 4))
    table += 3 * np.random.default_rng(2).normal(size=4)
    mean, rows, columns = table.mean(), table.mean(axis=1), table.mean(axis=0)
    field = 4 * np.sum((rows - mean) ** 2) / 5
    seed = 6 * np.sum((columns - mean) ** 2) / 3
    rest = np.sum((table - rows[:, None] - columns + mean) ** 2) / 15
    found = variance_of(sum_by_unit(table[..., None], ["one"] * 6))
    assert found.units[0] == pytest.approx(field / 24)
    assert found.seeds[0] == pytest.approx((seed - rest) / 24)
    whole = (field + seed - rest) / 24
    freedom = whole**2 / ((field / 24) ** 2 / 5 + ((seed - rest) / 24) ** 2 / 3)
    assert found.degrees_of_freedom(6, 4)[0] == pytest.approx(freedom)


def test_few_seeds_leave_their_variance_in_doubt() -> None:
    """The relative variance of an estimate from normal numbers, by simulation."""
    of_samples = np.random.default_rng(0).normal(size=(200_000, 3)).var(axis=1, ddof=1)
    found = variance_of(sum_by_unit(np.random.default_rng(1).normal(size=(6, 3, 4)), ["one"] * 6))
    doubted = found.with_seed_uncertainty(3)
    assert doubted.seeds == pytest.approx(found.seeds * (1 + of_samples.var()), rel=0.03)
    assert doubted.units == pytest.approx(found.units)
    assert found.with_seed_uncertainty(1).seeds == pytest.approx(found.seeds)


def test_replicates_are_those_of_a_bootstrap_written_out() -> None:
    """Groups of unequal size, one replicate at a time."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(7), [1, 2, 3, 4, 5, 6, 7])
    values = rng.exponential(size=28) + rng.exponential(size=7)[labels]
    table = sum_by_unit(values[:, None, None], [str(label) for label in labels])
    found = studentized_replicates(table, variance_of(table), Resampling(resamples=20_000, seed=1))[
        :, 0
    ]
    expected = []
    for _ in range(4000):
        groups = [values[labels == label] for label in rng.integers(0, 7, 7)]
        drawn = np.concatenate(groups)
        rest = [np.sum(group - drawn.mean()) for group in groups]
        error = math.sqrt(7 / 6 * np.sum(np.square(rest))) / drawn.size
        least = 0.25 * math.sqrt(variance_of(table).units[0])
        studentized = (drawn.mean() - values.mean()) * math.sqrt(7 / 6)
        expected.append(studentized / max(error, least))
    assert stats.ks_2samp(found, expected).pvalue > 0.01


@pytest.mark.parametrize("n", [8, 20])
def test_replicates_and_interval_are_those_of_scipys_bootstrap(n: int) -> None:
    """The plain case: one training, fields as units; scipy resamples the t-statistic."""
    losses = np.random.default_rng(n).exponential(size=n)
    resampling = Resampling(resamples=40_000, seed=1)
    table = sum_by_unit(losses[:, None, None], ["one"] * n)
    found = studentized_replicates(table, variance_of(table), resampling)[:, 0]

    def t_statistic(sample: np.ndarray, axis: int) -> np.ndarray:
        error = np.maximum(stats.sem(sample, axis=axis), 0.25 * stats.sem(losses))
        return (sample.mean(axis=axis) - losses.mean()) / error

    independent = stats.bootstrap(
        (losses,), t_statistic, n_resamples=40_000, method="percentile", vectorized=True,
        rng=np.random.default_rng(2),
    )  # fmt: skip
    expanded = independent.bootstrap_distribution * math.sqrt(n / (n - 1))
    assert stats.ks_2samp(found, expanded).pvalue > 0.01
    interval = one(losses, resamples=40_000)
    # What these skewed losses leave out at the upper end is wider than Student's.
    high = losses.mean() - stats.sem(losses) * np.quantile(expanded, 0.025)
    assert interval.high == pytest.approx(high, rel=0.03)
    low = losses.mean() - stats.sem(losses) * stats.t(n - 1).ppf(0.975)
    assert interval.low == pytest.approx(low)


def test_seeds_alone_are_distributed_as_students_t() -> None:
    """Fields that are all alike: only the five trainings differ."""
    table = sum_by_unit(np.tile(np.arange(5.0), (6, 1))[..., None], ["one"] * 6)
    found = studentized_replicates(table, variance_of(table), Resampling(resamples=5000, seed=0))[
        :, 0
    ]
    # In 0.7 % the replicate has less than a quarter of the spread, and is held there.
    assert stats.kstest(found, stats.t(4).cdf).pvalue > 0.01


def test_every_setting_gets_the_replicates_it_would_get_alone() -> None:
    losses = np.random.default_rng(0).normal(size=(9, 2, 5))
    together = effects(losses, ["one"] * 9, margin=0.5, seed=4)
    for number, found in enumerate(together):
        (alone,) = effects(losses[..., [number]], ["one"] * 9, margin=0.5, seed=4)
        assert alone.low == pytest.approx(found.low)
        assert alone.p == pytest.approx(found.p)


def test_settings_and_replicates_in_parts_are_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    from cytopress.statistics import effect

    losses = np.random.default_rng(0).normal(size=(5, 6))
    whole = effects(losses, ["one"] * 5, resamples=100, seed=0)
    monkeypatch.setattr(effect, "MOST_AT_ONCE", 200)
    assert effects(losses, ["one"] * 5, resamples=100, seed=0) == whole
    monkeypatch.setattr(bootstrap, "MOST_AT_ONCE", 35)
    table = sum_by_unit(losses[:, None], ["one"] * 5)
    found = studentized_replicates(table, variance_of(table), Resampling(resamples=100, seed=0))
    assert found.shape == (100, 6)
    assert np.isfinite(found).all()
    assert np.unique(found[-30:, 0]).size > 5


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.0025])
def test_p_and_bound_say_the_same(alpha: float) -> None:
    """A margin is claimed at a level where the bound of that confidence is inside it."""
    losses = np.random.default_rng(0).exponential(size=(10, 60)) - np.linspace(0, 3, 60)
    tested = effects(losses, ["one"] * 10, margin=1, seed=0)
    bounded = effects(losses, ["one"] * 10, confidence=1 - alpha, seed=0)
    claims = [found.p <= alpha for found in tested]  # type: ignore[operator]
    assert claims == [found.bound < 1 for found in bounded]  # type: ignore[operator]
    assert any(claims)
    assert not all(claims)


def test_p_is_no_smaller_than_students_nor_than_the_replicates_allow() -> None:
    losses = np.random.default_rng(0).normal(size=12)
    found = one(losses, margin=1.2, resamples=500)
    students = stats.ttest_1samp(losses, 1.2, alternative="less").pvalue
    assert found.p is not None
    assert found.p >= 2 * students
    assert one(losses, margin=50, resamples=500).p == pytest.approx(2 / 501)
    assert one(losses, margin=-50).p == 1


def test_scale_and_shift_change_nothing_but_the_unit() -> None:
    losses = np.random.default_rng(0).exponential(size=(10, 3))
    plain, moved = one(losses, margin=2), one(1e4 * losses + 7, margin=2e4 + 7)
    assert moved.low == pytest.approx(1e4 * plain.low + 7)  # type: ignore[operator]
    assert moved.high == pytest.approx(1e4 * plain.high + 7)  # type: ignore[operator]
    assert moved.p == pytest.approx(plain.p)


def test_a_large_study_takes_seconds() -> None:
    losses = np.random.default_rng(0).normal(size=(100, 3, 20 * 8))
    begin = time.perf_counter()
    effects(losses, ["one"] * 100, margin=0.1, resamples=10_000, seed=0)
    assert time.perf_counter() - begin < 10


def test_no_field_is_said() -> None:
    with pytest.raises(NotAvailableError, match="no field"):
        effects(np.empty((0, 3)), [], seed=0)


@pytest.mark.parametrize(
    ("losses", "groups", "options", "match"),
    [
        (np.zeros((3, 2)), ["a", "b"], {}, "a group for each field"),
        (np.zeros(3), ["a", "b", "c"], {}, "shape"),
        (np.zeros((2, 0, 3)), ["a", "b"], {}, "shape"),
        (np.array([[0.0], [math.inf]]), ["a", "b"], {}, "finite"),
        (np.zeros((2, 2)), ["a", "b"], {"margin": math.nan}, "margin"),
        (np.zeros((2, 2)), ["a", "b"], {"confidence": 1.0}, "confidence between 0 and 1"),
        (np.zeros((2, 2)), ["a", "b"], {"resamples": 0}, "confidence between 0 and 1"),
    ],
)
def test_what_makes_no_sense_is_refused(losses, groups, options, match) -> None:
    with pytest.raises(UsageError, match=match):
        effects(losses, groups, seed=0, **options)


def test_the_sentence_about_the_interval_says_what_is_computed() -> None:
    defaults = inspect.signature(effects).parameters
    text = interval_method(seed=7)
    assert f"{defaults['resamples'].default:,} replicates (seed 7)" in text
    # The number of groups from which on they are the units, found by trying.
    units = {n: one(np.arange(2.0 * n), [str(k) for k in range(n)] * 2).unit for n in range(2, 12)}
    least = min(n for n, unit in units.items() if unit == "groups")
    assert f"at least {least}, else over fields" in text
