"""A recommendation in words and as JSON; the page and the terminal say the same."""

from __future__ import annotations

from typing import Any

from cytopress.results.number_format import count_text, label_text, plain, ratio_text
from cytopress.results.recommendation.criterion import NOISE
from cytopress.results.recommendation.recommend import Recommendation
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.study.results import ScoreFacts

GIGABYTE = 1e9


def sentence(recommendation: Recommendation) -> str:
    """Return the answer in a few sentences: what to use, its loss at most, and the margin."""
    found, chosen = recommendation, recommendation.chosen
    allowed = f"The margin is {margin_text(found)}."
    if not found.settings:
        what = f"No lossy setting has a score of {found.score.task}, so none is shown to be safe."
        return f"{what} {_instead(found)}"
    if chosen is None:
        sure = _percent(found.criterion.confidence)
        what = (
            "Nothing smaller than lossless"
            if any(setting.safe for setting in found.settings)
            else "No lossy setting"
        )
        return plain(
            f"{what} is shown to be safe with {sure} confidence. {allowed} {_instead(found)}"
        )
    return plain(
        f"{chosen.spec} makes the files {ratio_text(chosen.ratio)} smaller. {loss_text(found)}"
        f" {allowed}"
    )


def loss_text(recommendation: Recommendation) -> str:
    """Describe the loss of the chosen setting and its bound; "" where none is chosen."""
    chosen = recommendation.chosen
    if chosen is None or chosen.bound is None or chosen.effect is None:
        return ""
    effect, score = chosen.effect, recommendation.score
    most = (
        f"at most {amount_text(chosen.bound, score)} is lost"
        if chosen.bound > 0
        else "nothing is lost"
    )
    mean = effect.mean or 0.0
    seen = (
        "no change was seen"
        if mean == 0
        else f"a {'loss' if mean > 0 else 'gain'} of {amount_text(abs(mean), score)} was seen"
    )
    fields = count_text(effect.fields, "field")
    groups = f" from {count_text(effect.n, 'group')}" if effect.unit == "groups" else ""
    return plain(
        f"With {_percent(recommendation.criterion.confidence)} confidence, {most} on average;"
        f" {seen} on {fields}{groups}."
    )


def margin_text(recommendation: Recommendation) -> str:
    """Format the margin, with its origin."""
    margin = amount_text(recommendation.margin, recommendation.score)
    if recommendation.criterion.margin == NOISE:
        return f"{margin}, as much as one more draw of the camera's noise moves it"
    return f"{margin}, as given"


def amount_text(value: float, score: ScoreFacts) -> str:
    """Format an amount with its unit: ``0.0012 of Pearson r``, ``3.1 counts of RMSE``."""
    unit = f" {score.unit}" if score.unit else ""
    return f"{figure_text(value)}{unit} of {label_text(score.name)}"


def figure_text(value: float) -> str:
    """Format three significant digits, small numbers without an exponent too: ``0.0000182``."""
    text = f"{value:.3g}"
    if value and not 1e-7 <= abs(value) < 1e6:
        return text
    return f"{float(text):.10f}".rstrip("0").rstrip(".")


def cost_text(setting: JudgedSetting) -> str:
    """Describe what a setting saves on a terabyte, and how long encoding one takes."""
    saved = f"{setting.saved_per_terabyte / GIGABYTE:,.0f} GB saved on a terabyte"
    minutes = setting.minutes_per_terabyte
    if minutes is None:
        return f"{saved}; how long encoding takes was not timed"
    return f"{saved}; encoding it takes about {duration_text(minutes)} of one process"


def as_json(recommendation: Recommendation) -> dict[str, Any]:
    """Return a recommendation as plain values for `json.dumps`.

    ``spec`` and what describes it are None where nothing is shown to be safe. Losses are in
    ``unit``, the score's own ("" where it has none), positive where the decoded image is worse.
    ``interval_over`` says what the bound generalizes to: new ``groups``, or new ``fields`` of the
    same ones.
    """
    found, chosen = recommendation, recommendation.chosen
    effect = chosen.effect if chosen else None
    minutes = chosen.minutes_per_terabyte if chosen else None
    return {
        "name": found.summary.facts.name,
        "task": found.score.task,
        "metric": found.score.name,
        "unit": found.score.unit,
        "spec": chosen.spec if chosen else None,
        "ratio": chosen.ratio if chosen else None,
        "effect": effect.mean if effect else None,
        "low": effect.low if effect else None,
        "high": effect.high if effect else None,
        "bound": chosen.bound if chosen else None,
        "interval_over": effect.unit if effect else None,
        "margin": found.margin,
        "margin_from": "noise" if found.criterion.margin == NOISE else "given",
        "confidence": found.criterion.confidence,
        "noise": found.noise,
        "seed_spread": found.seed_spread,
        "saved_gb_per_tb": chosen.saved_per_terabyte / GIGABYTE if chosen else None,
        "minutes_per_tb": minutes,
        "runner_up": _brief(found.runner_up),
        "lossless": _brief(found.lossless),
        "warnings": list(found.warnings),
        "unsafe": [
            {"spec": s.spec, "ratio": s.ratio, "bound": s.bound, "reason": s.reason}
            for s in found.unsafe
        ],
    }


def _brief(setting: JudgedSetting | None) -> dict[str, Any] | None:
    if setting is None:
        return None
    return {"spec": setting.spec, "ratio": setting.ratio, "bound": setting.bound}


def _instead(found: Recommendation) -> str:
    lossless = found.lossless
    if lossless is None:
        return "Use a lossless codec; none was measured on every field."
    return f"Use lossless {lossless.spec}, {ratio_text(lossless.ratio)} smaller."


def _percent(confidence: float) -> str:
    return f"{100 * confidence:g} %"


def duration_text(minutes: float) -> str:
    """Format a duration in a suitable unit: ``40 minutes``, ``12 hours``."""
    for size, unit in ((1440, "days"), (60, "hours"), (1, "minutes")):
        if minutes >= 2 * size:
            return f"{minutes / size:,.0f} {unit}"
    return "2 minutes" if minutes >= 1.5 else "a minute"
