"""How many more units are needed, against intervals that are computed anew."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cytopress.statistics import LEAST_UNITS, effects
from cytopress.statistics.sample_size import MOST, no_event_bound, steps


@pytest.mark.parametrize("units", [2, 5, 9, 40])
def test_a_width_shrinks_as_student_s_interval_of_more_units(units: int) -> None:
    sd = 0.7

    def width(number: int) -> float:
        return float(stats.t.ppf(0.99, number - 1) * sd / number**0.5)

    for step in steps(units, level=0.02):
        assert units + step.more >= LEAST_UNITS
        assert step.width(width(units), 0.0) == pytest.approx(width(units + step.more))
    assert [step.more for step in steps(units, level=0.02)][-1] == MOST


def test_seeds_stay_whatever_the_fields() -> None:
    last = steps(8, level=0.05)[-1]
    assert last.width(1.0, 1.0) == pytest.approx(last.quantile)
    assert last.width(1.0, 0.25) == pytest.approx(0.5 * last.quantile, rel=0.02)


def test_of_one_unit_nothing_is_known() -> None:
    assert steps(1, level=0.05) == ()


def test_the_share_of_the_seeds_is_what_was_planted() -> None:
    """Fields differ by 1, seeds by 0.5: over 20 and 5, each is half of the variance of the mean."""
    shares = []
    for number in range(200):
        random = np.random.default_rng(number)
        losses = random.normal(size=(20, 1, 1)) + 0.5 * random.normal(size=(1, 5, 1))
        (found,) = effects(losses, ["one"] * 20, resamples=40, seed=0)
        shares.append(found.seed_share)
    # Of a ratio the median is nearly right.
    assert np.median(shares) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("count", [1, 9, 39, 500])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_no_event_is_bounded_exactly(count: int, level: float) -> None:
    two_sided = stats.binomtest(0, count).proportion_ci(1 - 2 * level, method="exact")
    assert no_event_bound(count, level) == pytest.approx(two_sided.high)
    assert no_event_bound(0, level) == 1
