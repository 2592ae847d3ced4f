"""Summary of a dataset in a few sentences, which claim no more than was measured."""

from __future__ import annotations

from collections.abc import Sequence

from cytopress.results.dataset_summary import DatasetSummary, SettingRow
from cytopress.results.number_format import count_text, label_text, ratio_text
from cytopress.results.tables import CodecVerdict, codec_verdicts, effect_text, psnr_text
from cytopress.statistics import LEAST_UNITS
from cytopress.study.results import DatasetFacts, ScoreFacts

MEANING = (
    "“No loss seen” means that the 95 % interval of the paired difference holds zero: it is not"
    " proof that nothing was lost, and the far end of the interval says how much could be."
)


def progress_text(done: int, planned: int) -> str:
    """Return a note that a study is unfinished; "" for a finished one."""
    if done >= planned:
        return ""
    return (
        f"This study is not finished: {done:,} of {planned:,} trials are done. Everything below is"
        " over those and will change."
    )


def split_text(facts: DatasetFacts) -> str:
    """Describe whether parts of the split share groups: test images must be new to a model."""
    groups = [group for part in facts.split.values() for group in part]
    shared = {group for group in groups if groups.count(group) > 1}
    if not shared:
        return "No group is in two parts of the split."
    seen = sorted(shared.intersection(facts.split.get("test", {})))
    if seen:
        return f"Caution: {', '.join(seen)} of the test part is also in another part of the split."
    return (
        "The test groups are in no other part of the split; training and validation share groups."
    )


def summary_text(summary: DatasetSummary, score: ScoreFacts | None) -> str:
    """Return one paragraph about a dataset and one task (or none)."""
    rows = summary.rows_of(score)
    if not rows:
        return "There is no result on this dataset yet."
    sentences = [_measured(rows), _lossless(summary)]
    if score is None:
        sentences.append(_pixels(rows))
    else:
        sentences += [
            *_lossy(score, summary, codec_verdicts(rows, ())),
            _failed(rows, score),
            _caution(rows),
        ]
    return " ".join(sentence for sentence in sentences if sentence)


def _measured(rows: Sequence[SettingRow]) -> str:
    trials = [trial for row in rows for trial in row.point.trials]
    fields = len({trial.field for trial in trials})
    groups = len({trial.group for trial in trials})
    lossy = len({row.curve for row in rows if not row.curve.lossless})
    return (
        f"{count_text(lossy, 'lossy codec').capitalize()} on {count_text(fields, 'field')}"
        f" from {count_text(groups, 'group')}."
    )


def _lossless(summary: DatasetSummary) -> str:
    best = summary.best_lossless
    if best is None:
        return "No lossless codec was measured on all of them, so nothing says what costs no pixel."
    curve, point = best
    return (
        f"Without losing a pixel, {curve.label} makes the files {ratio_text(point.ratio)} smaller."
    )


def _lossy(
    score: ScoreFacts, summary: DatasetSummary, verdicts: Sequence[CodecVerdict]
) -> list[str]:
    if not verdicts:
        return []
    name = f"the task’s {label_text(score.name)}"
    reached = [verdict.furthest for verdict in verdicts if verdict.furthest is not None]
    lost = [verdict.first_loss for verdict in verdicts if verdict.first_loss is not None]
    if all(row.change is None for row in summary.rows_of(score)):
        return [f"What the codecs do to {name} is not shown: there is no score."]
    if not reached and not lost:
        return [f"What the codecs do to {name} is not shown: there are too few fields to judge by."]
    least = summary.best_lossless[1].ratio if summary.best_lossless else 1.0
    beyond = [row for row in reached if row.point.ratio > least]
    sentences = [
        _furthest(name, beyond, len(verdicts))
        if beyond
        else f"No setting without a loss of {name} seen made smaller files than that."
    ]
    if lost:
        first = min(lost, key=lambda row: row.point.ratio)
        sentences.append(
            f"A loss is seen for {len(lost)} of {count_text(len(verdicts), 'codec')},"
            f" first at {ratio_text(first.point.ratio)} ({first.curve.label})."
        )
    elif all(verdict.judged == verdict.settings for verdict in verdicts):
        sentences.append("No loss is seen at any tested size.")
    settings = sum(verdict.settings for verdict in verdicts)
    unjudged = settings - sum(verdict.judged for verdict in verdicts)
    if unjudged:
        sentences.append(
            f"{count_text(unjudged, 'setting')} of {settings} cannot be judged: not every field has"
            " a result."
        )
    return [*sentences, MEANING]


def _furthest(name: str, reached: Sequence[SettingRow], codecs: int) -> str:
    """Describe the codec with the smallest files, and those within a tenth of its ratio."""
    first = reached[0]
    equal = [row for row in reached if row.point.ratio > 0.9 * first.point.ratio]
    ratio = ratio_text(first.point.ratio)
    if len(equal) == 1:
        return (
            f"The smallest files with no loss of {name} seen come from {first.curve.label}: {ratio}"
            f" smaller at a PSNR of {psnr_text(first.point)} dB, where it changes by"
            f" {effect_text(first.change)}."
        )
    names = ", ".join(row.curve.label for row in equal)
    least = min(equal, key=lambda row: abs(row.change.difference) if row.change else 0.0)
    return (
        f"The smallest files with no loss of {name} seen are about {ratio} smaller, with"
        f" {len(equal)} of {count_text(codecs, 'codec')}: {names}."
        f" The change is least with {least.curve.label}: {effect_text(least.change)}."
    )


def _failed(rows: Sequence[SettingRow], score: ScoreFacts) -> str:
    """Describe fields on which the task gave no score although they were decoded."""
    trials = [trial for row in rows for trial in row.point.trials]
    fields = {trial.field for trial in trials}
    failed = {trial.field for trial in trials if f"{score.column}/harm" not in trial.scores}
    if not failed:
        return ""
    return f"{score.task} gave no score on {len(failed)} of {count_text(len(fields), 'field')}."


def _pixels(rows: Sequence[SettingRow]) -> str:
    lossy = [row for row in rows if not row.curve.lossless]
    if not lossy:
        return ""
    last = max(lossy, key=lambda row: row.point.ratio)
    return (
        f"No task was run, so this report is about pixels only: up to"
        f" {ratio_text(last.point.ratio)} smaller ({last.curve.label}, PSNR"
        f" {psnr_text(last.point)} dB). Whether an analysis survives that, it cannot say."
    )


def _caution(rows: Sequence[SettingRow]) -> str:
    trials = [trial for row in rows for trial in row.point.trials]
    fields, groups = len({t.field for t in trials}), len({t.group for t in trials})
    if fields == 1:
        return "One field has no spread, so no interval is given and no verdict."
    if fields < LEAST_UNITS:
        return (
            f"{count_text(fields, 'field').capitalize()} may agree by chance, so no verdict is"
            f" given: at least {LEAST_UNITS} are needed."
        )
    if groups == 1:
        return (
            "All fields are of one group: the intervals say how fields of this group vary, not how"
            " other experiments would."
        )
    if groups < LEAST_UNITS:
        return (
            f"The fields are of {groups} groups, too few to draw from: the intervals say how fields"
            " of these groups vary, not how other experiments would."
        )
    return ""
