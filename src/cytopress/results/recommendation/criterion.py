"""Criterion of a recommendation: a task, one of its scores, and how much of it may be lost."""

from __future__ import annotations

from dataclasses import dataclass

from cytopress.errors import UsageError
from cytopress.statistics.margin import NOISE, parse_margin, percent_of


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """Criterion of a recommendation.

    Parameters
    ----------
    task : str
        A task of the study.
    metric : str
        One of its scores; its main one where "".
    margin : float or str
        The largest allowed loss in the score's unit, as percent (``"2%"``) of the score from the
        originals, or ``"noise"``: the score's spread over noise replicates. Of an error without a
        unit, which is a share already, percent are hundredths.
    confidence : float
        Of the whole recommendation, between 0 and 1.
    """

    task: str
    metric: str = ""
    margin: float | str = NOISE
    confidence: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "margin", parse_margin(self.margin))
        if not 0 < self.confidence < 1:
            raise UsageError(f"a confidence lies between 0 and 1, not at {self.confidence}.")

    @property
    def percent(self) -> float | None:
        """The margin in percent; None where it is a number or the noise."""
        return percent_of(self.margin)
