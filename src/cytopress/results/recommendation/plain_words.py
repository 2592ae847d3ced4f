"""A recommendation in plain words: the line that the page begins with, and what fields did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cytopress.figures import count_text
from cytopress.results.number_format import label_text, number_text, ratio_text
from cytopress.results.recommendation.amounts import (
    MOST_DIGITS,
    THINGS,
    above_figures,
    bare_amount,
    rounded_up,
)
from cytopress.results.recommendation.bounds import BoundedSetting
from cytopress.results.recommendation.judge import more_text
from cytopress.results.recommendation.margin_table import MarginTable
from cytopress.results.recommendation.recommend import Recommendation
from cytopress.results.recommendation.setting import JudgedSetting, spec_of
from cytopress.statistics import LEAST_UNITS
from cytopress.study.results import ScoreFacts


def hero_text(found: Recommendation) -> str:
    """Return the answer in two short sentences: how much smaller, and what changes at most."""
    chosen = found.chosen
    if chosen is not None:
        return f"{ratio_text(chosen.ratio)} smaller. {_change(found, chosen)}"
    return _without_setting(found.settings, found.lossless)


def hero_words(table: MarginTable) -> dict[str, Any]:
    """Return what a page's script needs to say at any margin what `hero_text` says.

    Returns
    -------
    dict
        ``none`` is the text where no setting is chosen, and ``settings`` has the words of each by
        its spec. A text with ``figures`` ends in the first ``[value, text]`` of 2, 3, ... digits
        whose value lies on the bound's side of the margin as shown (see `digits_for`).
    """
    settings = {}
    for one in table.settings:
        text = f"{ratio_text(one.point.ratio)} smaller. "
        settled = _settled(table.score, table.evidence.original, one)
        words: dict[str, Any] = {"text": text + (settled or "")}
        if settled is None and one.bound is not None:
            subject, verb = _subject(table.score, table.evidence.original)
            rounded = [(n, rounded_up(one.bound, n)) for n in range(2, MOST_DIGITS + 1)]
            words = {
                "text": f"{text}{subject} {verb} by at most ",
                "figures": [[v, bare_amount(v, table.score, digits=n)] for n, v in rounded],
            }
        settings[spec_of(one.point)] = words
    return {"none": _without_setting(table.settings, table.lossless), "settings": settings}


def too_few_text(found: Recommendation) -> str:
    """Say that there are too few fields to show anything; "" where there are enough."""
    return _too_few(found.settings)


def _without_setting(
    settings: Sequence[JudgedSetting | BoundedSetting], lossless: JudgedSetting | None
) -> str:
    """Say what remains where no setting is inside the margin."""
    if few := _too_few(settings):
        return few
    if lossless is None:
        return "Nothing is shown to stay inside the margin."
    return f"Only lossless: {ratio_text(lossless.ratio)} smaller, every pixel the same."


def _too_few(settings: Sequence[JudgedSetting | BoundedSetting]) -> str:
    units = {s.effect.n: s.effect.unit for s in settings if s.effect is not None}
    if not units or max(units) >= LEAST_UNITS:
        return ""
    number = max(units)
    seen = count_text(number, units[number][:-1])
    return f"Nothing can be shown from {seen}: at least {LEAST_UNITS} are needed."


def question_text(found: Recommendation) -> str:
    """Ask for a margin in the words of the answer."""
    subject, verb = _subject(found.score, found.original)
    if found.score.name in THINGS:
        subject = subject[0].lower() + subject[1:]
    return f"How much may {subject} {verb[:-1]} on average?"


def _change(found: Recommendation, chosen: JudgedSetting) -> str:
    """Say what changes at most on average, or that nothing did."""
    if chosen.bounded is None or chosen.bound is None:
        return ""
    settled = _settled(found.score, found.original, chosen.bounded)
    if settled is not None:
        return settled
    subject, verb = _subject(found.score, found.original)
    most, _ = above_figures(chosen.bound, found.margin, found.score)
    return f"{subject} {verb} by at most {most}."


def _settled(score: ScoreFacts, original: float, bounded: BoundedSetting) -> str | None:
    """Say that nothing changed, or got worse; None where it may have."""
    if bounded.bound is None:
        return ""
    if bounded.unchanged:
        return _unchanged(bounded)
    return f"{_subject(score, original)[0]} does not get worse." if bounded.bound <= 0 else None


def _unchanged(bounded: BoundedSetting) -> str:
    fields = count_text(bounded.effect.fields, "field")
    if bounded.counted is None:
        return f"No change of {label_text(bounded.score.name)} on {fields}."
    return f"No change in {bounded.counted.objects:,} {bounded.counted.noun} of {fields}."


def _subject(score: ScoreFacts, original: float) -> tuple[str, str]:
    """Name what gets worse, with its verb."""
    thing = THINGS.get(score.name, "").removeprefix("the ")
    if not thing:
        before = number_text(original, significant=3)
        verb = "falls" if score.better == "higher" else "rises"
        return f"{label_text(score.name)} ({before} on originals)", verb
    # Without ground truth the error is the change itself.
    return (f"The error of your {thing}", "grows") if original else (f"Your {thing}", "changes")


def field_text(loss: float, score: ScoreFacts) -> str:
    """Say how much worse or better one field became."""
    if loss == 0:
        return "no change"
    return f"{bare_amount(abs(loss), score)} {'worse' if loss > 0 else 'better'}"


def open_text(settings: list[JudgedSetting]) -> str:
    """Say of a codec without a setting inside whether it is outside, or what would settle it."""
    if any(one.verdict == "outside" for one in settings[:1]):
        return "outside the margin"
    first = settings[0]
    more = more_text(first.more_fields, first.effect.unit if first.effect else "fields")
    if not more:
        return "not shown"
    if first.effect is not None and first.effect.n < LEAST_UNITS:
        return f"not shown; at least {more} are needed"
    return f"not shown; {more} would settle it"
