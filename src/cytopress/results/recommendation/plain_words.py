"""A recommendation in plain words: the line that the page begins with, and what fields did."""

from __future__ import annotations

from cytopress.results.number_format import count_text, label_text, number_text, ratio_text
from cytopress.results.recommendation.amounts import THINGS, above_figures, bare_amount
from cytopress.results.recommendation.bounds import BoundedSetting
from cytopress.results.recommendation.judge import more_text
from cytopress.results.recommendation.recommend import Recommendation
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.statistics import LEAST_UNITS
from cytopress.study.results import ScoreFacts


def hero_text(found: Recommendation) -> str:
    """Return the answer in two short sentences: how much smaller, and what changes at most."""
    chosen = found.chosen
    if chosen is not None:
        return f"{ratio_text(chosen.ratio)} smaller. {_change(found, chosen)}"
    if few := too_few_text(found):
        return few
    if found.lossless is None:
        return "Nothing is shown to stay inside the margin."
    return f"Only lossless: {ratio_text(found.lossless.ratio)} smaller, every pixel the same."


def too_few_text(found: Recommendation) -> str:
    """Say that there are too few fields to show anything; "" where there are enough."""
    units = {s.effect.n: s.effect.unit for s in found.settings if s.effect is not None}
    if not units or max(units) >= LEAST_UNITS:
        return ""
    number = max(units)
    seen = count_text(number, units[number][:-1])
    return f"Nothing can be shown from {seen}: at least {LEAST_UNITS} are needed."


def question_text(found: Recommendation) -> str:
    """Ask for a margin in the words of the answer."""
    subject, verb = _subject(found)
    if found.score.name in THINGS:
        subject = subject[0].lower() + subject[1:]
    return f"How much may {subject} {verb[:-1]} on average?"


def _change(found: Recommendation, chosen: JudgedSetting) -> str:
    """Say what changes at most on average, or that nothing did."""
    if chosen.bounded is None or chosen.bound is None:
        return ""
    if chosen.bounded.unchanged:
        return _unchanged(chosen.bounded)
    subject, verb = _subject(found)
    if chosen.bound <= 0:
        return f"{subject} does not get worse."
    most, _ = above_figures(chosen.bound, found.margin, found.score)
    return f"{subject} {verb} by at most {most}."


def _unchanged(bounded: BoundedSetting) -> str:
    fields = count_text(bounded.effect.fields, "field")
    if bounded.counted is None:
        return f"No change of {label_text(bounded.score.name)} on {fields}."
    return f"No change in {bounded.counted.objects:,} {bounded.counted.noun} of {fields}."


def _subject(found: Recommendation) -> tuple[str, str]:
    """Name what gets worse, with its verb."""
    score, thing = found.score, THINGS.get(found.score.name, "").removeprefix("the ")
    if not thing:
        before = number_text(found.original, significant=3)
        verb = "falls" if score.better == "higher" else "rises"
        return f"{label_text(score.name)} ({before} on originals)", verb
    # Without ground truth the error is the change itself.
    return (
        (f"The error of your {thing}", "grows") if found.original else (f"Your {thing}", "changes")
    )


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
