"""The bracket against functions whose roots are known: smooth, steep, in steps, with noise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from cytopress.codecs.targets.bracket import Bracket

FUNCTIONS = {
    "straight": lambda x: 8 * (x - 0.37),
    "curved": lambda x: math.log(x / 0.02) if x > 0 else -math.inf,
    "steep at one end": lambda x: (x / 0.9) ** 20 - 1,
    "steps": lambda x: math.floor(40 * x) / 4 - 3.1,
    "infinite where exact": lambda x: math.inf if x > 0.7 else 3 * (x - 0.65),
}


def followed(function: Callable[[float], float], bracket: Bracket, tries: int) -> list[float]:
    """Return the positions tried until the bracket is empty or a margin is close."""
    tried: list[float] = []
    for _ in range(tries):
        tried.append(bracket.next())
        margin = function(tried[-1])
        bracket.put(tried[-1], margin)
        if bracket.empty or 0 <= margin < 0.01:
            break
    return tried


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_closes_in_on_the_root(name: str) -> None:
    function = FUNCTIONS[name]
    bracket = Bracket(aim=0.005)
    tried = followed(function, bracket, 30)
    assert all(0 <= place <= 1 for place in tried)
    assert function(bracket.easy) >= 0
    fine = np.linspace(0, 1, 100_001)
    root = fine[np.array([function(x) >= 0 for x in fine])][0]
    assert bracket.hard <= root <= bracket.easy + 1e-5
    assert bracket.easy - root < 0.01


@pytest.mark.parametrize(("offset", "end"), [(-9, 1.0), (9, 0.0)])
def test_an_end_that_decides_is_tried_soon(offset: float, end: float) -> None:
    for slope in (0.0, 4.0):
        bracket = Bracket(slope=slope)
        tried = followed(lambda x: 8 * (x - 0.5) + offset, bracket, 10)
        assert tried[-1] == end
        assert len(tried) <= 5
        assert bracket.empty


def test_a_slope_known_before_saves_tries() -> None:
    def margin(place: float) -> float:
        return 7 * (place - 0.613) + 3 * (place - 0.613) ** 2

    known = Bracket(slope=7.5, aim=0.002)
    known.put(0.64, margin(0.64))
    assert len(followed(margin, known, 10)) <= 2
    assert len(followed(margin, Bracket(aim=0.002), 10)) > 3


def test_noise_between_near_positions_does_not_send_it_far() -> None:
    bracket = Bracket(slope=8.0)
    bracket.put(0.5, 0.06)
    # By these two the margin would hardly change at all.
    bracket.put(0.4925, 0.0599)
    assert bracket.next() > 0.45


def test_equal_margins_are_counted() -> None:
    bracket = Bracket()
    for place, margin in ((0.5, 0.2), (0.4, -0.1), (0.45, 0.2), (0.44, -0.1), (0.445, 0.1)):
        bracket.put(place, margin)
        counts = (bracket.easy_repeats, bracket.hard_repeats)
    # Another margin at the easy end begins its count anew.
    assert counts == (0, 1)


def test_a_step_that_repeats_is_halved() -> None:
    """As wide steps look: one margin over the harder half of the range."""
    bracket = Bracket(hard=0.0, easy=1.0, at_hard=-0.01, at_easy=30.0)
    for _ in range(4):
        place = bracket.next()
        bracket.put(place, -0.01 if place < 0.5 else 30.0)
    assert bracket.hard > 0.25
