"""A recommendation as plain values for JSON, as the command line prints and keeps it."""

from __future__ import annotations

from typing import Any

from cytopress.results.recommendation.recommend import Recommendation, Refusal
from cytopress.results.recommendation.setting import JudgedSetting, lossless_setting
from cytopress.results.recommendation.text import GIGABYTE
from cytopress.statistics.margin import NOISE


def as_json(recommendation: Recommendation) -> dict[str, Any]:
    """Return a recommendation as plain values for `json.dumps`.

    ``spec`` and what describes it are None where nothing is shown to be inside. Losses are in
    ``unit``, the score's own ("" where it has none), positive where the decoded image is worse.
    ``interval_over`` says what the bound generalizes to: new ``groups``, or new ``fields`` of the
    same ones. ``settings`` holds the verdict on every lossy setting; ``more_fields`` is None where
    more would not settle it.
    """
    found, chosen = recommendation, recommendation.chosen
    effect = chosen.effect if chosen else None
    minutes = chosen.minutes_per_terabyte if chosen else None
    return {
        "name": found.summary.facts.name,
        "channel": found.summary.facts.input,
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
        "margin_asked": str(found.criterion.margin),
        "margin_from": "noise" if found.criterion.margin == NOISE else "given",
        "confidence": found.criterion.confidence,
        "noise": found.noise,
        "seed_spread": found.seed_spread,
        "saved_gb_per_tb": chosen.saved_per_terabyte / GIGABYTE if chosen else None,
        "minutes_per_tb": minutes,
        "runner_up": _brief(found.runner_up),
        "lossless": _brief(found.lossless),
        "warnings": list(found.warnings),
        "models": [{"name": name, "sha256": sha256} for name, sha256 in _packages(found)],
        "task_sha256": found.task_sha256,
        "settings": [_verdict(setting) for setting in found.settings],
        "unsafe": [
            {"spec": s.spec, "ratio": s.ratio, "bound": s.bound, "reason": s.reason}
            for s in found.unsafe
        ],
    }


def refusal_as_json(refusal: Refusal) -> dict[str, Any]:
    """Return what is kept of a dataset without a recommendation: why, and its lossless codec."""
    summary, score, criterion = refusal.summary, refusal.score, refusal.criterion
    best = summary.best_lossless
    return {
        "name": summary.facts.name,
        "channel": summary.facts.input,
        "task": score.task,
        "metric": score.name,
        "spec": None,
        "bound": None,
        "margin": None,
        "margin_asked": str(criterion.margin),
        "margin_from": "noise" if criterion.margin == NOISE else "given",
        "confidence": criterion.confidence,
        "lossless": None if best is None else _brief(lossless_setting(*best)),
        "warnings": [refusal.reason],
    }


def _packages(found: Recommendation) -> tuple[tuple[str, str], ...]:
    used = found.chosen or found.lossless
    return used.point.trials[0].packages if used else ()


def _verdict(setting: JudgedSetting) -> dict[str, Any]:
    return {
        "spec": setting.spec,
        "verdict": setting.verdict,
        "bound": setting.bound,
        "more_fields": setting.more_fields,
    }


def _brief(setting: JudgedSetting | None) -> dict[str, Any] | None:
    if setting is None:
        return None
    return {"spec": setting.spec, "ratio": setting.ratio, "bound": setting.bound}
