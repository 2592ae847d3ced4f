"""Criterion of a recommendation: a task, one of its scores, and how much of it may be lost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cytopress.errors import UsageError

NOISE = "noise"


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """Criterion of a recommendation.

    Parameters
    ----------
    task : str
        A task of the study.
    metric : str
        One of its scores; its main one where "".
    margin : float or "noise"
        The largest allowed loss in the score's unit, or the score's spread over noise replicates.
    confidence : float
        Of the whole recommendation, between 0 and 1.
    """

    task: str
    metric: str = ""
    margin: float | str = NOISE
    confidence: float = 0.95

    def __post_init__(self) -> None:
        given = self.margin
        if given != NOISE and not (
            isinstance(given, int | float) and math.isfinite(given) and given > 0
        ):
            raise UsageError(
                f"a margin is the largest allowed loss, a positive number, or {NOISE!r}, not"
                f" {given!r}."
            )
        if not 0 < self.confidence < 1:
            raise UsageError(f"a confidence lies between 0 and 1, not at {self.confidence}.")
