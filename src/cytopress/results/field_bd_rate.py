"""BD-rate field by field, with the interval of its mean: bytes at equal quality."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from cytopress.errors import NotAvailableError
from cytopress.results.change import SEED
from cytopress.results.curves import Curve
from cytopress.statistics import LEAST_UNITS, effects
from cytopress.statistics.bd_rate import bd_rate
from cytopress.study.results import ScoreFacts


@dataclass(frozen=True, kw_only=True)
class FieldBDRate:
    """Mean BD-rate over ``fields`` of ``of`` fields, in percent; negative is fewer bytes.

    The mean is of logarithms. ``low`` and ``high`` are the ends of its 95 % interval, None where
    there are too few fields.
    """

    percent: float
    low: float | None
    high: float | None
    fields: int
    of: int


def field_bd_rate(reference: Curve, test: Curve, score: ScoreFacts) -> FieldBDRate | None:
    """Compare two curves on each field by an image metric; None where no field has a BD-rate."""
    sign = -1.0 if score.better == "lower" else 1.0
    ours, theirs = (_by_field(curve, score.column, sign) for curve in (test, reference))
    groups = {t.field: t.group for point in test.points for t in point.trials}
    common = [field for field in groups if field in ours and field in theirs]
    logs: dict[str, float] = {}
    for field in common:
        try:
            rate = bd_rate(*zip(*theirs[field], strict=True), *zip(*ours[field], strict=True))
        except NotAvailableError:
            continue
        logs[field] = math.log1p(rate.percent / 100)
    if not logs:
        return None
    (found,) = effects([[[value]] for value in logs.values()], [groups[f] for f in logs], seed=SEED)
    told = found.low is not None and found.high is not None and found.n >= LEAST_UNITS
    return FieldBDRate(
        percent=_percent(math.fsum(logs.values()) / len(logs)),
        low=_percent(found.low) if told and found.low is not None else None,
        high=_percent(found.high) if told and found.high is not None else None,
        fields=len(logs),
        of=len(common),
    )


def _by_field(curve: Curve, column: str, sign: float) -> dict[str, list[tuple[float, float]]]:
    """Return bytes and quality of each setting by field; a field's seeds share them."""
    found: dict[str, dict[int, tuple[float, float]]] = defaultdict(dict)
    for place, point in enumerate(curve.points):
        for trial in point.trials:
            if trial.coded_bytes and column in trial.scores:
                found[trial.field][place] = (trial.coded_bytes, sign * trial.scores[column])
    return {field: list(points.values()) for field, points in found.items()}


def _percent(logarithm: float) -> float:
    return 100 * math.expm1(logarithm)
