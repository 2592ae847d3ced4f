"""Verdicts: every setting of a study at its margin, in the words inside, outside and not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cytopress.results.curves import Point, setting_text
from cytopress.results.dataset_summary import SettingRow
from cytopress.results.recommendation.answers import Answer, answers
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.study.results import Results, ScoreFacts
from cytopress.study.trial import Trial


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdicts:
    """The answers of a study at its margin, the noise margin unless it states another.

    Parameters
    ----------
    answers : sequence of Answer
        One for each task and dataset; none for a task without a margin.
    judged : mapping
        By dataset, column of the score, and setting (see `setting_text`) with its options.
    """

    answers: Sequence[Answer]
    judged: Mapping[tuple[str, str, str, str], JudgedSetting]

    def of(self, point: Point, score: ScoreFacts | None) -> JudgedSetting | None:
        """Return a setting as it was judged; None of a lossless one, and where there is none."""
        return self.judged.get(_place(point.trials[0], score.column)) if score else None

    def word(self, row: SettingRow) -> str:
        """Return a verdict in a word or two; "pixels only" where no task was run."""
        if row.point.lossless:
            return "lossless"
        if row.score is None:
            return "pixels only"
        found = self.of(row.point, row.score)
        return found.verdict if found is not None else "not shown"

    def columns(self, trials: Sequence[Trial]) -> dict[str, list[float | str | None]]:
        """Return columns for a table of trials: the margin, the bound and the verdict of each.

        They are those of a trial's setting, on all fields; None where it was not judged: in
        lossless settings, and with models that were not trained on originals.
        """
        columns: dict[str, list[float | str | None]] = {}
        for answer in self.answers:
            found = answer.recommendation
            if found is None:
                continue
            name = found.score.column
            own = [columns.setdefault(f"{name}/{what}", [None] * len(trials)) for what in COLUMNS]
            for number, trial in enumerate(trials):
                setting = self.judged.get(_place(trial, name)) if trial.regime == "raw" else None
                if setting is not None and trial.dataset == answer.facts.name:
                    values = (found.margin, setting.bound, setting.verdict)
                    for column, value in zip(own, values, strict=True):
                        column[number] = value
        return columns


# Of each judged score, in an exported table.
COLUMNS = ("margin", "bound", "verdict")


def verdicts(results: Results, answered: Sequence[Answer] | None = None) -> Verdicts:
    """Return the verdicts of given answers, or of those at the study's own margin.

    Where several answers are about one score, the first counts.
    """
    found = answers(results, ()) if answered is None else answered
    judged: dict[tuple[str, str, str, str], JudgedSetting] = {}
    for answer in found:
        for setting in answer.recommendation.settings if answer.recommendation else ():
            column = answer.recommendation.score.column if answer.recommendation else ""
            judged.setdefault(_place(setting.point.trials[0], column), setting)
    return Verdicts(answers=found, judged=judged)


def _place(trial: Trial, column: str) -> tuple[str, str, str, str]:
    return trial.dataset, column, setting_text(trial), trial.options
