"""Search for a setting: the position where a known curve crosses what is asked."""

from __future__ import annotations

import math

import pytest

from cytopress.archive.setting_search import Search
from cytopress.codecs.traits import QualityParameter

FINE = QualityParameter("distance", "", 0.01, 25.0, finer="lower")
WHOLE = QualityParameter("near", "counts", 1, 255, finer="lower", integer=True)


@pytest.mark.parametrize("crossing", [0.02, 0.7, 3.0, 20.0])
@pytest.mark.parametrize("start", [0.0, 0.4, 1.0])
def test_the_coarsest_setting_without_a_lack_is_found(crossing: float, start: float) -> None:
    tried: list[float] = []

    def surplus(value: float) -> float:
        tried.append(value)
        return 1.3 * math.log(crossing / value)

    place = Search(FINE, surplus, 0.01).run(start)
    assert place is not None
    assert crossing * 0.985 <= FINE.value_at(place) <= crossing
    assert len(tried) == len(set(tried)) <= 14


def test_from_below_the_finest_setting_without_a_surplus_is_found() -> None:
    place = Search(FINE, lambda value: math.log(2 / value), 0.01, from_below=True).run(0.5)
    assert place is not None
    assert 2 <= FINE.value_at(place) <= 2 * 1.015


@pytest.mark.parametrize("most", [1, 4, 17, 255])
def test_whole_numbers_are_found_exactly(most: int) -> None:
    place = Search(WHOLE, lambda value: math.log(most / value), 0.0).run(0.5)
    assert place is not None
    assert WHOLE.value_at(place) == most


def test_what_no_setting_reaches_is_none_and_what_all_do_is_the_coarsest() -> None:
    assert Search(FINE, lambda _: -math.inf, 0.01).run(0.5) is None
    assert Search(FINE, lambda _: math.inf, 0.01).run(0.5) == 0
    assert Search(FINE, lambda _: math.inf, 0.01, from_below=True).run(0.5) is None
