"""Answers of the page: a recommendation for each criterion and dataset, or why there is none."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cytopress.errors import NotAvailableError, UsageError
from cytopress.results.losses import noise_spread
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.recommend import Recommendation, recommend
from cytopress.results.recommendation.text import sentence
from cytopress.study.results import DatasetFacts, Results


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """A criterion on one dataset: the recommendation, or in ``reason`` why there is none."""

    criterion: Criterion
    facts: DatasetFacts
    recommendation: Recommendation | None
    reason: str

    @property
    def command(self) -> str:
        """The commands that code an image as recommended; "" where no setting is."""
        found = self.recommendation
        setting = (found.chosen or found.lossless) if found else None
        if setting is None:
            return ""
        asked = self.criterion
        chosen = [f"--task {shlex.quote(asked.task)}", f"--margin {asked.margin}"]
        if asked.metric:
            chosen.append(f"--metric {asked.metric}")
        return (
            f"cytopress recommend DIR {' '.join(chosen)} --write\n"
            "cytopress encode IMAGE -o FILE.cyto --recommended DIR"
        )


def answer_text(answer: Answer) -> str:
    """Describe an answer for a terminal: the recommendation, or why there is none."""
    name, found = answer.facts.name, answer.recommendation
    if found is None:
        return f"{name}, {answer.criterion.task}: no recommendation: {answer.reason}"
    return f"{name}, {found.score.task}: {sentence(found)}"


def answers(results: Results, criteria: Sequence[Criterion]) -> list[Answer]:
    """Return the answers to criteria, or to the default ones where none are given.

    Where a criterion is invalid for a dataset, the answer is the reason. A dataset that the task
    was not run on has no answer.
    """
    found = []
    for criterion in criteria or default_criteria(results):
        for facts in results.datasets:
            # One dataset at a time: a criterion may be invalid for one and valid for the others.
            part = replace(results, datasets=(facts,))
            try:
                made = recommend(part, criterion)
            except (NotAvailableError, UsageError) as error:
                why = str(error).removeprefix(f"{facts.name}: ")
                found.append(
                    Answer(criterion=criterion, facts=facts, recommendation=None, reason=why)
                )
                continue
            found += [
                Answer(criterion=criterion, facts=facts, recommendation=one, reason="")
                for one in made
            ]
    return found


def default_criteria(results: Results) -> list[Criterion]:
    """Return a criterion for each task: the study's margin, else the spread of noise replicates.

    Without a margin of the study, tasks without noise replicates have none.
    """
    if results.margin is not None:
        names = dict.fromkeys(task.name for task in results.tasks)
        return [Criterion(task=task, margin=results.margin) for task in names]
    drawn = {
        score.task: None
        for score in results.scores
        if score.task
        and score.main
        and any(noise_spread(results, facts.name, score) is not None for facts in results.datasets)
    }
    return [Criterion(task=task) for task in drawn]
