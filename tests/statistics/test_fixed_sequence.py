from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from cytopress.errors import UsageError
from cytopress.statistics import SequenceResult, fixed_sequence_tests, smallest_margins


def rejected(p_values, alpha=0.05):
    return [one.rejected for one in fixed_sequence_tests(p_values, alpha=alpha)]


def graph(p_values: list[list[float]], alpha: float) -> list[int]:
    """The procedure of Bretz et al. on its general graph, node by node."""
    nodes = [(k, i) for k, sequence in enumerate(p_values) for i in range(len(sequence))]
    n = len(nodes)
    weight = np.array([alpha / len(p_values) if i == 0 else 0.0 for _, i in nodes])
    edge = np.zeros((n, n))
    for (a, (k, i)), (b, (other, j)) in itertools.product(enumerate(nodes), repeat=2):
        if k == other and j == i + 1:
            edge[a, b] = 1
        elif k != other and j == 0 and i == len(p_values[k]) - 1:
            edge[a, b] = 1 / (len(p_values) - 1)
    left = set(range(n))
    while True:
        ready = [a for a in left if 0 < weight[a] >= p_values[nodes[a][0]][nodes[a][1]]]
        if not ready:
            return [
                sum(nodes[a][0] == k for a in range(n)) - sum(nodes[a][0] == k for a in left)
                for k in range(len(p_values))
            ]
        gone = ready[0]
        left.remove(gone)
        new = np.zeros_like(edge)
        for a, b in itertools.product(left, repeat=2):
            back = 1 - edge[a, gone] * edge[gone, a]
            if a != b and back > 1e-12:
                new[a, b] = (edge[a, b] + edge[a, gone] * edge[gone, b]) / back
        for a in left:
            weight[a] += weight[gone] * edge[gone, a]
        weight[gone], edge = 0, new


def holm(p_values: list[float], alpha: float) -> list[bool]:
    """Holm's step-down procedure, as he wrote it."""
    shown = [False] * len(p_values)
    for step, number in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[number] > alpha / (len(p_values) - step):
            break
        shown[number] = True
    return shown


def test_by_hand() -> None:
    """Three at 0.05 / 3; the second ends, the others go on at 0.05 / 2; then the first ends."""
    p_values = [[0.001, 0.02], [0.01], [0.002, 0.04, 0.2]]
    assert fixed_sequence_tests(p_values) == [
        SequenceResult(2, pytest.approx(0.025)),
        SequenceResult(1, pytest.approx(0.05 / 3)),
        SequenceResult(2, pytest.approx(0.05)),
    ]


def test_a_sequence_stops_at_the_first_that_is_not_rejected() -> None:
    assert rejected([[0.001, 0.2, 0.001]]) == [1]
    assert rejected([[0.2, 0.001]]) == [0]


def test_a_sequence_that_stops_passes_nothing_on() -> None:
    # The first would pass its 0.025 on only if its last member were shown.
    assert rejected([[0.001, 0.9], [0.04]]) == [1, 0]
    assert rejected([[0.001, 0.02], [0.04]]) == [2, 1]


def test_no_p_is_no_rejection() -> None:
    assert rejected([[0.0, None, 0.0], [None]]) == [1, 0]


def test_no_sequence_is_no_result() -> None:
    assert fixed_sequence_tests([]) == []


def test_single_members_are_holms() -> None:
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(500):
        p_values = list(rng.uniform(size=6) ** 4)
        shown = [bool(number) for number in rejected([[p] for p in p_values])]
        assert shown == holm(p_values, 0.05)
        found += 0 < sum(shown) < 6
    assert found > 100


def test_sequences_are_the_graphs() -> None:
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(300):
        sequences = [list(rng.uniform(size=rng.integers(1, 4)) ** 5) for _ in range(4)]
        assert rejected(sequences) == graph(sequences, 0.05)
        found += any(one.alpha > 0.0126 for one in fixed_sequence_tests(sequences))
    assert found > 50


def test_rejections_hold_at_the_alpha_of_the_result() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        sequences = [list(rng.uniform(size=4) ** 5) for _ in range(5)]
        for sequence, found in zip(sequences, fixed_sequence_tests(sequences), strict=True):
            assert all(p <= found.alpha for p in sequence[: found.rejected])
            assert found.rejected == 4 or sequence[found.rejected] > found.alpha


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_family_wise_error(correlation: float) -> None:
    """Eight codecs; from some rate on each loses as much as the margin, some from the first on."""
    from scipy.stats import norm

    rng = np.random.default_rng(3)
    harmless = [0, 0, 0, 1, 1, 2, 3, 0]
    wrong, studies = 0, 4000
    for _ in range(studies):
        noise = np.sqrt(correlation) * rng.normal() + np.sqrt(1 - correlation) * rng.normal(
            size=(8, 3)
        )
        shift = np.array([[-6.0] * safe + [0.0] * (3 - safe) for safe in harmless])
        claims = rejected(norm.cdf(noise + shift).tolist())
        wrong += any(c > safe for c, safe in zip(claims, harmless, strict=True))
    error = np.sqrt(0.05 * 0.95 / studies)
    assert wrong / studies < 0.05 + 3 * error
    # Nor is it idle.
    assert wrong / studies > 0.005


@pytest.mark.parametrize(
    ("p_values", "alpha", "match"),
    [
        ([[0.1], []], 0.05, "at least one member"),
        ([[1.5]], 0.05, "p-value"),
        ([[float("nan")]], 0.05, "p-value"),
        ([[0.5]], 0.0, "alpha"),
    ],
)
def test_what_makes_no_sense_is_refused(p_values, alpha, match) -> None:
    with pytest.raises(UsageError, match=match):
        fixed_sequence_tests(p_values, alpha=alpha)


def test_smallest_margins_by_hand() -> None:
    """Bounds of two sequences at 5 % and at 2.5 %: the second ends first, at 3."""
    bounds = [[[1, 2], [4, 6]], [[2, 3]]]
    # From 3 on, the first sequence is tested at 5 %.
    assert smallest_margins(bounds) == [[2, 4], [3]]
    # Until then it is tested at 2.5 %, and what comes later is no smaller.
    assert smallest_margins([[[1, 2], [0, 1]], [[9, 9]]]) == [[2, 2], [9]]
    assert smallest_margins([[[1, 2], [math.inf, math.inf]], [[3, 5]]]) == [[2, math.inf], [5]]
    assert smallest_margins([]) == []


@pytest.mark.parametrize("seed", range(30))
def test_smallest_margins_are_where_the_tests_begin_to_reject(seed: int) -> None:
    """P-values of normal bounds, tested at each of many margins."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, random.integers(1, 6)).tolist()
    means = [random.normal(1, 1, length) for length in lengths]
    errors = [random.uniform(0.1, 1, length) for length in lengths]
    count = len(lengths)
    bounds = [
        [
            [mean + error * stats.norm.isf(0.05 / (k + 1)) for k in range(count)]
            for mean, error in zip(*pair, strict=True)
        ]
        for pair in zip(means, errors, strict=True)
    ]
    found = smallest_margins(bounds)
    for margin in random.uniform(-1, 5, 20):
        p_values = [
            stats.norm.cdf((mean - margin) / error).tolist()
            for mean, error in zip(means, errors, strict=True)
        ]
        assert [sum(one <= margin for one in some) for some in found] == rejected(p_values)
