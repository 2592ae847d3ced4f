"""Amounts as a person writes them: two digits, percent where a score is a share, its unit."""

from __future__ import annotations

import math
from collections.abc import Callable

from cytopress.results.number_format import label_text
from cytopress.study.margin_limits import is_share
from cytopress.study.results import ScoreFacts

# What the scores that are shares are shares of.
THINGS = {
    "count_error": "the count of objects",
    "area_error": "the objects' area",
    "volume_error": "the objects' volume",
    "intensity_error": "the measured light",
    "signal_error": "the signal above the background",
}
# A margin of more digits than a person gives comes from the noise.
GIVEN_DIGITS = 4
MOST_DIGITS = 9


def amount_text(value: float, score: ScoreFacts) -> str:
    """Format an amount with its unit: ``0.0012 of Pearson r``, ``2 % of the count of objects``."""
    return of_score(bare_amount(value, score), score)


def of_score(amount: str, score: ScoreFacts) -> str:
    """Add what an amount is of, unless its unit says that already: ``3 nuclei``."""
    if is_share(score):
        return f"{amount} of {THINGS.get(score.name, label_text(score.name))}"
    return (
        amount if label_text(score.name) == score.unit else f"{amount} of {label_text(score.name)}"
    )


def bare_amount(value: float, score: ScoreFacts, *, digits: int = 2) -> str:
    """Format an amount with its unit alone: ``0.0012``, ``3.1 counts``, ``2 %``."""
    if is_share(score):
        return f"{figure_text(100 * value, significant=digits)} %"
    return f"{figure_text(value, significant=digits)}{f' {score.unit}' if score.unit else ''}"


def figure_text(value: float, *, significant: int = 2) -> str:
    """Format significant digits, small numbers without an exponent too: ``0.000018``."""
    text = f"{value:.{significant}g}"
    if value and not 1e-7 <= abs(value) < 1e6:
        return text
    return f"{float(text):.10f}".rstrip("0").rstrip(".")


def margin_figure(margin: float, score: ScoreFacts, *, digits: int = 2) -> str:
    """Format a margin with its unit: as it was given, and rounded where it was measured."""
    return bare_amount(margin, score, digits=GIVEN_DIGITS if _given(margin) else digits)


def bound_figure(bound: float, score: ScoreFacts, *, digits: int = 2) -> str:
    """Format a bound, rounded up so that "at most" stays true."""
    return bare_amount(rounded_up(bound, digits), score, digits=digits)


def above_figures(value: float, margin: float, score: ScoreFacts) -> tuple[str, str]:
    """Format an amount, rounded up, and a margin, with digits enough to tell which is larger."""
    digits = digits_for(value, margin)
    shown = bare_amount(rounded_up(value, digits), score, digits=digits)
    return shown, margin_figure(margin, score, digits=digits)


def least_figures(value: float, margin: float, score: ScoreFacts) -> tuple[str, str]:
    """Format an amount, rounded down, and a margin, with digits enough to tell which is larger."""
    digits = digits_for(value, margin, rounded_down)
    shown = bare_amount(rounded_down(value, digits), score, digits=digits)
    return shown, margin_figure(margin, score, digits=digits)


def rounded_up(value: float, digits: int = 2) -> float:
    """Round up to significant digits; negative numbers toward zero."""
    if value == 0 or not math.isfinite(value):
        return value
    step = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
    return float(f"{math.ceil(value / step - 1e-9) * step:.12g}")


def rounded_down(value: float, digits: int = 2) -> float:
    """Round down to significant digits."""
    return -rounded_up(-value, digits)


def digits_for(
    value: float, margin: float, rounded: Callable[[float, int], float] = rounded_up
) -> int:
    """Return the fewest digits at which an amount stands on its side of the margin as shown."""

    def told(digits: int) -> bool:
        shown = margin if _given(margin) else float(f"{margin:.{digits}g}")
        return (rounded(value, digits) <= shown) == (value <= margin)

    return next((digits for digits in range(2, MOST_DIGITS) if told(digits)), MOST_DIGITS)


def _given(margin: float) -> bool:
    """Whether a margin is one that a person would state, and not one that was measured."""
    return float(f"{margin:.{GIVEN_DIGITS}g}") == margin
