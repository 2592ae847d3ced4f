"""Floor effect: fields on which a score cannot fall, so that no loss is ever seen there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from cytopress.study.results import Results, ScoreFacts
from cytopress.study.trial import Trial
from cytopress.tasks.objects import CONTRAST


def fields_at_floor(trials: Sequence[Trial], scores: Iterable[ScoreFacts]) -> frozenset[str]:
    """Return the fields on which one of a task's scores is at its floor already on the original.

    A score is if it is 0 where more is better, and no codec makes it less, as an overlap with
    labels of something else; any score is if nothing was found on the original that could be
    measured, as on a blank field.
    """
    of_field: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        of_field[trial.field].append(trial)
    scores = tuple(scores)
    return frozenset(
        field
        for field, some in of_field.items()
        if any(_without_signal(some, score) or _at_zero(some, score) for score in scores)
    )


def judged_scores(results: Results, score: ScoreFacts) -> tuple[ScoreFacts, ...]:
    """Return a score and the main one of its task: where that is at its floor, all are."""
    main = [one for one in results.scores if one.task == score.task and one.main]
    return tuple(dict.fromkeys([score, *main]))


def _without_signal(trials: Sequence[Trial], score: ScoreFacts) -> bool:
    found = contrasts(trials, score)
    return bool(found) and not any(found)


def contrasts(trials: Iterable[Trial], score: ScoreFacts) -> list[float]:
    """Return the contrast of what a score's task measured in each trial's original, if it did."""
    column = f"{score.task}/{CONTRAST}/baseline"
    return [trial.scores[column] for trial in trials if column in trial.scores]


def _at_zero(trials: Sequence[Trial], score: ScoreFacts) -> bool:
    if score.better != "higher" or score.unit:
        return False
    pairs = [
        (trial.scores[before], trial.scores.get(after, 0.0))
        for trial in trials
        for before, after in [(f"{score.column}/baseline", f"{score.column}/harm")]
        if before in trial.scores
    ]
    # A score of which 0 is the best, such as a negative error, has less to show after a codec.
    return bool(pairs) and all(before <= 0 and after >= before for before, after in pairs)
