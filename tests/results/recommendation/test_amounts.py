"""Numbers as a person writes them, and on their side of the margin."""

from __future__ import annotations

import pytest

from cytopress.errors import UsageError
from cytopress.results.recommendation import Criterion
from cytopress.results.recommendation.amounts import (
    above_figures,
    amount_text,
    bound_figure,
    digits_for,
    least_figures,
    margin_figure,
    rounded_down,
    rounded_up,
)
from cytopress.study.results import ScoreFacts


def score(name: str, unit: str = "", better: str = "lower") -> ScoreFacts:
    return ScoreFacts(column=f"t/{name}", name=name, unit=unit, better=better, task="t", main=True)


COUNT, R = score("count_error"), score("pearson", better="higher")


@pytest.mark.parametrize(
    ("value", "facts", "text"),
    [
        (0.014321, COUNT, "1.4 % of the count of objects"),
        (0.00123, score("area_error"), "0.12 % of the objects' area"),
        (0.012, R, "0.012 of Pearson r"),
        (3.14, score("rmse", "counts"), "3.1 counts of RMSE"),
        (2.0, score("nuclei", "nuclei"), "2 nuclei"),
        (0.5, score("odd_error"), "50 % of odd error"),
    ],
)
def test_an_amount_has_two_digits_and_its_unit(value: float, facts: ScoreFacts, text: str) -> None:
    assert amount_text(value, facts) == text


def test_bounds_are_rounded_up_and_stay_on_their_side_of_the_margin() -> None:
    def both(bound: float, margin: float, facts: ScoreFacts) -> tuple[str, str]:
        digits = digits_for(bound, margin)
        return bound_figure(bound, facts, digits=digits), margin_figure(
            margin, facts, digits=digits
        )

    assert both(0.01401, 0.02, COUNT) == ("1.5 %", "2 %")
    # As given, a margin keeps its digits, and a bound below it does not pass it.
    assert both(0.01244, 0.0125, COUNT) == ("1.25 %", "1.25 %")
    assert above_figures(0.02001, 0.02, COUNT) == ("2.1 %", "2 %")
    assert least_figures(0.02001, 0.02, COUNT) == ("2.001 %", "2 %")
    # From noise, it is rounded, and gets more digits where a bound is near.
    assert both(0.00911, 0.011112345, R) == ("0.0092", "0.011")
    assert both(0.01105, 0.011112345, R) == ("0.0111", "0.0111")
    assert above_figures(0.011613, 0.011612345, R) == ("0.0117", "0.0116")
    assert rounded_up(-0.0149) == pytest.approx(-0.014)
    assert rounded_down(0.0149) == pytest.approx(0.014)
    assert rounded_up(0.07) == 0.07


@pytest.mark.parametrize(
    ("given", "parsed"),
    [(0.02, 0.02), ("0.02", 0.02), ("2%", "2%"), ("2.0 %", "2%"), ("noise", "noise"), (1, 1.0)],
)
def test_a_margin_is_a_number_percent_or_the_noise(given: object, parsed: object) -> None:
    assert Criterion(task="t", margin=given).margin == parsed  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["", "%", "-2%", "0", "2%%", "nan", "inf%", True, None, "much"])
def test_anything_else_is_refused_in_a_sentence(given: object) -> None:
    with pytest.raises(UsageError, match="a margin is the largest allowed loss"):
        Criterion(task="t", margin=given)  # type: ignore[arg-type]
