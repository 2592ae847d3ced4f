"""Counted objects: how many stand behind a score that is a count, and what no change allows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cytopress.statistics.sample_size import no_event_bound
from cytopress.study.results import ScoreFacts
from cytopress.study.trial import Trial
from cytopress.tasks.objects import OBJECTS

# A relative error of a count; how many there were is a score of its own.
COUNT_ERROR = "count_error"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The objects of all fields together, as counted in the originals.

    Parameters
    ----------
    objects : int
        Their number, at least one.
    fields : int
        Number of fields.
    noun : str
        What they are, in the plural.
    scale : float
        The loss where every object changes, in the score's unit, mean over fields.
    """

    objects: int
    fields: int
    noun: str
    scale: float

    def floor(self, level: float, times: float = 1.0) -> float:
        """Return the loss that cannot be ruled out from so few objects, even if none changed.

        The exact binomial bound at a one-sided level, with ``times`` as many objects; by the rule
        of three it is about 3 / ``objects`` at 5 %. Objects are taken to change independently.
        """
        return self.scale * no_event_bound(self.objects * times, level)


def counted(
    trials: Iterable[Trial], score: ScoreFacts, *, without: Collection[str] = ()
) -> Counted | None:
    """Return the objects behind a score on all fields but those ``without``.

    A score is a count if it is ``count_error``, or if all its values are whole numbers, some above
    1. None for any other score, where the number of objects is not stored, and where there is none.
    """
    some = [trial for trial in trials if trial.field not in without]
    share = score.name == COUNT_ERROR and not score.unit
    column = f"{score.task}/{OBJECTS}" if share else score.column
    if not share and not _whole_numbers(some, score):
        return None
    numbers: dict[str, list[float]] = defaultdict(list)
    for trial in some:
        number = trial.scores.get(f"{column}/baseline", math.nan)
        if math.isfinite(number):
            numbers[trial.field].append(number)
    objects = round(sum(sum(values) / len(values) for values in numbers.values()))
    if not objects:
        return None
    return Counted(
        objects=objects,
        fields=len(numbers),
        noun=_noun(score),
        scale=1.0 if share else objects / len(numbers),
    )


def _whole_numbers(trials: Iterable[Trial], score: ScoreFacts) -> bool:
    names = (f"{score.column}/baseline", f"{score.column}/harm")
    values = {trial.scores[name] for trial in trials for name in names if name in trial.scores}
    if not all(math.isfinite(value) and value >= 0 and value.is_integer() for value in values):
        return False
    originals = {t.scores[names[0]] for t in trials if names[0] in t.scores}
    return max(originals, default=0.0) > 1


def _noun(score: ScoreFacts) -> str:
    """Name what is counted: the unit if it is a word of its own, else objects."""
    return score.unit if score.unit not in ("", "counts", "pixels") else OBJECTS
