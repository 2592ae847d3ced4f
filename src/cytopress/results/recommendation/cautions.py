"""Cautions: what a reader must know before acting on a recommendation."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cytopress.figures import count_text
from cytopress.results.curves import setting_name
from cytopress.results.dataset_summary import DatasetSummary
from cytopress.results.losses import Losses
from cytopress.results.recommendation.amounts import figure_text
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.evidence import Evidence
from cytopress.results.recommendation.margin import share_of_signal, share_text
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.results.unfinished import in_training
from cytopress.statistics import LEAST_UNITS
from cytopress.statistics.margin import NOISE
from cytopress.study.margin_limits import OF_ALL_LIGHT
from cytopress.study.results import Results, ScoreFacts

# How many times the margin it is as a share of the signal, from which on that is said.
SAID_FROM = 1.25
MOST_NAMED = 5


def cautions(
    results: Results,
    summary: DatasetSummary,
    score: ScoreFacts,
    evidence: Evidence,
    *,
    criterion: Criterion,
    margin: float,
    chosen: JudgedSetting | None,
) -> list[str]:
    """Return the warnings of a recommendation."""
    task = next(
        t for t in results.tasks if t.name == score.task and t.dataset == summary.facts.name
    )
    trained = "seed" in task.summary
    said = [*_units(evidence.losses), *_seeds(margin, evidence.seed_spread, trained=trained)]
    if chosen is not None and chosen.point is chosen.curve.points[-1]:
        said.append(
            f"{setting_name(chosen.point)} is the smallest that was tried of its codec: smaller may"
            " be inside too"
        )
    noise = summary.facts.noise
    if criterion.margin == NOISE and not noise.good:
        why = noise.reason.rstrip(".").replace("One sigma", "one sigma")
        said.append(
            f"the noise model fits these images poorly ({why}), so the noise margin is rough: state"
            " a margin of your own"
        )
    if "caution" in task.summary:
        said.append(task.summary["caution"])
    if "ground truth" in task.summary:
        said.append(f"ground truth: {task.summary['ground truth']}")
    if summary.best_lossless is None:
        said.append("no lossless codec was measured on every field to compare with")
    if results.trials_done < results.trials_planned:
        said.append(
            f"the study is not finished: {results.trials_done:,} of {results.trials_planned:,} done"
        )
    return said


def training_cautions(results: Results, named: Iterable[JudgedSetting | None]) -> list[str]:
    """Return the warnings about codecs that a recommendation names and whose training goes on."""
    said = []
    for curve in dict.fromkeys(setting.curve for setting in named if setting is not None):
        training = in_training(results, curve)
        if training is not None:
            steps = sum(network.steps for network in training.networks)
            share = steps / max(sum(network.of for network in training.networks), 1)
            said.append(
                f"the training of {curve.codec} has not ended ({share:.0%} of its steps): these are"
                " results of the model as it was, and those of the finished one will differ; run"
                " the study again with that"
            )
    return said


def floor_cautions(
    criterion: Criterion,
    score: ScoreFacts,
    margin: float,
    evidence: Evidence,
) -> list[str]:
    """Return the warnings about what the score cannot show."""
    said, at_floor, losses = [], evidence.at_floor, evidence.losses
    if at_floor:
        said.append(
            f"{count_text(len(at_floor), 'field')} of {len(at_floor) + len(losses.fields)} left"
            f" out, since nothing was found there that could get lost: {_named(at_floor)}"
        )
    share = share_of_signal(score, margin, evidence.contrasts)
    if criterion.margin != NOISE and score.name == OF_ALL_LIGHT:
        if share is None:
            said.append(
                "how much of the light is signal was not measured, and the margin is a share of all"
                " of it, the camera's offset included: run the study in a new folder"
            )
        elif share > SAID_FROM * margin:
            said.append(
                f"the margin is a share of all of the light, the camera's offset included, and"
                f" {share_text(share)} of the signal above the background"
            )
    if len(losses.fields) > 1 and losses.values.size and not losses.values.any():
        said.append("no setting changed the score on any field: it may be too coarse to judge by")
    return said


def _named(fields: Collection[str]) -> str:
    names = sorted(fields)
    return ", ".join(names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")


def _units(losses: Losses) -> list[str]:
    said = []
    fields, groups = len(losses.fields), len(set(losses.groups))
    if fields == 1:
        said.append("one field has no spread, so no interval is given and nothing is shown inside")
    elif fields < LEAST_UNITS:
        said.append(f"only {fields} fields: from fewer than {LEAST_UNITS} nothing is shown inside")
    if groups < LEAST_UNITS:
        said.append(
            f"only {groups} group{'s' if groups > 1 else ''}: the bound speaks for new fields of"
            f" {'these' if groups > 1 else 'it'}, not for other experiments"
        )
    return said


def _seeds(margin: float, spread: float | None, *, trained: bool) -> list[str]:
    if spread is None:
        return ["one training seed: what another training would say is not known"] * trained
    if margin >= spread:
        return []
    return [
        (
            f"the margin of {figure_text(margin)} is less than the spread over training seeds,"
            f" {figure_text(spread)}: training again would change the score by more"
        )
    ]
