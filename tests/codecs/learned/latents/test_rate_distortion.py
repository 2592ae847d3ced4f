import numpy as np
import pytest

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.latents.rate_distortion import costs, rounded

pytestmark = pytest.mark.both_numpy


def cost(value: int, row: int, tables: ProbabilityTables) -> float:
    """Return bits of a value: its symbol's, and an escape's as Elias' gamma code has them."""
    counts = np.diff(tables.cdf[row, : tables.size[row] + 1])
    symbol, last = value - int(tables.offset[row]), int(tables.size[row]) - 1
    if 0 <= symbol < last:
        return 24 - np.log2(counts[symbol])
    beyond = -2 * symbol - 1 if symbol < 0 else 2 * (symbol - last)
    return 24 - np.log2(counts[last]) + 2 * (beyond + 1).bit_length() - 1


@pytest.mark.parametrize("weight", [1.0, 8.66])
def test_takes_the_cheaper_of_two(random_tables: ProbabilityTables, weight: float) -> None:
    random = np.random.default_rng(4)
    residuals = np.concatenate((random.normal(0, 3, 1500), random.normal(0, 400, 500)))
    residuals = residuals.astype(np.float32)
    rows = random.integers(0, len(random_tables), len(residuals)).astype(np.uint8)
    found = rounded(residuals, rows, random_tables, weight)
    changed = 0
    for residual, row, chosen in zip(
        residuals.tolist(), rows.tolist(), found.tolist(), strict=True
    ):
        nearest = round(residual)
        lower = nearest - (nearest > 0) + (nearest < 0)
        assert chosen in (nearest, lower)
        other = lower if chosen == nearest else nearest
        paid = [
            cost(value, row, random_tables) + weight * (residual - value) ** 2
            for value in (chosen, other)
        ]
        assert paid[0] <= paid[1] + 1e-3 * max(1, abs(residual))
        changed += chosen != nearest
    assert changed > 20


def test_without_a_weight_it_rounds_half_to_even(random_tables: ProbabilityTables) -> None:
    residuals = np.array([0.5, 1.5, -0.5, -2.6, 2.4], np.float32)
    found = rounded(residuals, np.zeros(5, np.uint8), random_tables, 0)
    assert found.tolist() == [0, 2, 0, -3, 2]


def test_chunks_change_nothing(
    random_tables: ProbabilityTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    residuals = np.random.default_rng(1).normal(0, 4, 999).astype(np.float32)
    rows = (np.arange(999) % len(random_tables)).astype(np.uint8)
    whole = rounded(residuals, rows, random_tables, 6)
    monkeypatch.setattr("cytopress.codecs.learned.latents.rate_distortion.CHUNK", 10)
    np.testing.assert_array_equal(rounded(residuals, rows, random_tables, 6), whole)


@pytest.mark.parametrize("weight", [1.0, 8.66])
def test_costs_are_those_of_the_cheaper_of_two(weight: float) -> None:
    """Of tables that are the same on both sides, escapes included, by the sum of its parts."""
    counts = [[1, 2, 10, 2, 1], [1, 3, 4, 3, 1]]
    rows = [np.array([*each, 24 - sum(each)]) * (2**24 // 24) for each in counts]
    cdf = np.stack([np.concatenate(([0], np.cumsum(row))) for row in rows])
    cdf[:, -1] = 2**24
    tables = ProbabilityTables(cdf, np.array([6, 6]), np.array([-2, -2]))
    random = np.random.default_rng(5)
    residuals = np.concatenate((random.normal(0, 1.5, 300), random.uniform(-250, 250, 50)))
    residuals = residuals.astype(np.float32).reshape(2, -1)
    chosen_rows = random.integers(0, 2, residuals.shape).astype(np.uint8)
    found = costs(residuals, chosen_rows, tables, weight)
    for residual, row, paid in zip(
        residuals.ravel().tolist(),
        chosen_rows.ravel().tolist(),
        found.ravel().tolist(),
        strict=True,
    ):
        nearest = round(abs(residual))
        both = [
            cost(value, row, tables) + weight * (abs(residual) - value) ** 2
            for value in {nearest, max(nearest - 1, 0)}
        ]
        assert paid == pytest.approx(min(both), rel=1e-5)
