"""Planted studies: one score whose loss on every field is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cytopress.study.results import Results, ScoreFacts, Speed, TaskFacts
from fakes.made_up_study import make_facts, make_results, make_trial

PLANTED = "planted"
# (codec, ratio) to the losses of the fields.
Losses = Mapping[tuple[str, float], Sequence[float]]


def planted_study(
    losses: Losses | Mapping[str, Losses],
    *,
    metric: str = "count_error",
    better: str = "lower",
    unit: str = "",
    original: float | Sequence[float] = 0.0,
    objects: Sequence[int] = (),
    group_of: Callable[[int], str] = lambda _: "g",
    speeds: Mapping[str, float] | None = None,
    noise: float = 0.0,
    **changes: Any,
) -> Results:
    """A study of one dataset, or of one for each name, with a lossless codec at 2x.

    ``objects`` are the objects of each field, ``speeds`` the seconds that a codec takes, ``noise``
    the spread over noise replicates.
    """
    datasets = losses if _is_nested(losses) else {"cells": losses}
    column, trials, replicates = f"{PLANTED}/{metric}", [], []
    sign = -1 if better == "higher" else 1
    for name, planted in datasets.items():
        number = len(next(iter(planted.values())))
        bases = np.broadcast_to(original, number).tolist()
        for field in range(number):
            place = {"dataset": name, "field": f"f{field}", "group": group_of(field)}
            known = {f"{PLANTED}/objects/baseline": float(objects[field])} if objects else {}
            settings = [
                ("png", 2.0, 0.0),
                *((c, r, some[field]) for (c, r), some in planted.items()),
            ]
            for codec, ratio, loss in settings:
                scores = known | {
                    f"{column}/baseline": bases[field],
                    f"{column}/harm": bases[field] + sign * loss,
                    "pixels/max_error": 0.0 if codec == "png" else 9.0,
                }
                target = {"target": "ratio", "target_value": ratio}
                size = {"raw_bytes": 800_000, "coded_bytes": round(800_000 / ratio)}
                bare = {"target": "", "target_value": None} if codec == "png" else target
                trials.append(make_trial(codec=codec, scores=scores, **bare, **size, **place))
            for draw in range(4):
                drawn = {f"{column}/harm": bases[field] + noise * (-1) ** draw}
                replicates.append(make_trial(codec="camera", key=f"d{draw}", scores=drawn, **place))
    score = ScoreFacts(
        column=column, name=metric, unit=unit, better=better, task=PLANTED, main=True
    )
    facts = {
        "scores": (score,),
        "datasets": tuple(make_facts(name, f"Made-up {name}") for name in datasets),
        "tasks": [
            TaskFacts(name=PLANTED, weights="ab" * 32, dataset=name, summary={})
            for name in datasets
        ],
        "noise_replicates": replicates if noise else (),
        "speeds": [
            Speed(
                dataset=name, field="f0", codec=codec, options="", target="ratio",
                target_value=10.0, raw_bytes=800_000, coded_bytes=80_000, encode_s=seconds,
                decode_s=0.1, repeats=1, threads=1,
            )
            for name in datasets
            for codec, seconds in (speeds or {}).items()
        ],
    }  # fmt: skip
    return make_results(trials, **facts | changes)


def _is_nested(losses: Mapping[Any, Any]) -> bool:
    return isinstance(next(iter(losses)), str)


def spread(mean: float, sd: float, fields: int) -> list[float]:
    """Losses of exactly this mean and standard deviation."""
    drawn = np.random.default_rng(fields).normal(size=fields)
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return (mean + sd * drawn).tolist()
