"""JSON texts of a store's columns, and back.

Stored are, of each trial, the names in its rows (``PLANNED``), its measurements (``MEASURED``) and,
for each model variant, its names (``VARIANT``), task scores and error; of each timed codec, its
timing; of the study, the facts of datasets, tasks and scores, and the reference scales. The names
in the JSON are a format: old stores hold them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cytopress.study.plan import TrialPlan
from cytopress.study.reference_scales import ReferenceScales
from cytopress.study.results import (
    DatasetFacts,
    NoiseFacts,
    ScoreFacts,
    Speed,
    TaskFacts,
    UnfinishedNetwork,
    UnfinishedTraining,
)
from cytopress.study.run_trial import TrialResult
from cytopress.study.speed import Timing
from cytopress.study.trial import Preview, Trial

NAMED = ("dataset", "field", "codec", "options", "target", "target_value", "raw_bytes")
MEASURED = ("reached", "coded_bytes", "encode_s", "decode_s", "error", "scores")
PLANNED = (
    *("study", "dataset", "field", "group", "split", "codec", "options", "bits"),
    *("target", "target_value", "raw_bytes", "volumetric"),
)
# Fields of DatasetFacts that are stored under another name.
STORED_AS = {"scales_source": "yardstick_source"}
VARIANT = ("regime", "trained_on", "seed")


def dump(value: object) -> str:
    """Return JSON; infinite numbers stay (``Infinity``), as Python reads them back."""
    return json.dumps(value, separators=(",", ":"))


def dump_datasets(datasets: Sequence[DatasetFacts]) -> str:
    """Return the facts of datasets as JSON."""
    return dump(
        [
            {STORED_AS.get(name, name): value for name, value in asdict(facts).items()}
            for facts in datasets
        ]
    )


def dump_names(plan: TrialPlan) -> str:
    """Return the names in the rows of a trial: one row for each model variant."""
    variants = [
        {name: getattr(variant, name) for name in VARIANT} for variant in plan.spec.variants
    ]
    names = {name: getattr(plan, name) for name in PLANNED} | {"arms": variants}
    # Left out where there are none: versions that do not know the key read such rows.
    return dump(names | ({"packages": plan.spec.packages} if plan.spec.packages else {}))


def dump_result(result: TrialResult) -> str:
    """Return a trial's result without its pictures."""
    variants = [{"scores": variant.scores, "error": variant.error} for variant in result.variants]
    return dump({name: getattr(result, name) for name in MEASURED} | {"arms": variants})


def failed(result: str) -> bool:
    """Return whether a stored result has an error, of the trial or of a model variant."""
    found = json.loads(result)
    return bool(found["error"]) or any(one["error"] for one in found["arms"])


def trials_of(key: str, names: str, result: str) -> list[Trial]:
    """Join the names in a trial's rows with its result: a row for each model variant."""
    named, found = json.loads(names), json.loads(result)
    variants, scored = named.pop("arms"), found.pop("arms")
    # Without a decoded image there are no task scores.
    scored = scored or [{"scores": {}, "error": ""}] * len(variants)
    pixels, error = found.pop("scores"), found.pop("error")
    packages = tuple((name, sha256) for name, sha256 in named.pop("packages", ()))
    return [
        Trial(
            key=key,
            **named,
            **variant,
            **found,
            error=error or one["error"],
            scores=pixels | one["scores"],
            packages=packages,
        )
        for variant, one in zip(variants, scored, strict=True)
    ]


def dump_reference_scales(reference_scales: ReferenceScales) -> str:
    """Return reference scales as JSON."""
    table = asdict(reference_scales)
    if not reference_scales.images:
        # As older versions wrote it.
        del table["images"]
    return dump(table)


def reference_scales_of(text: str) -> ReferenceScales:
    """Return reference scales from JSON."""
    table = json.loads(text)
    images = tuple(table.pop("images", ()))
    return ReferenceScales(**{**table, "noise": _noise(table["noise"]), "images": images})


def datasets_of(text: str) -> tuple[DatasetFacts, ...]:
    """Return the facts of datasets from JSON."""
    return tuple(
        DatasetFacts(
            **{
                **{_field(name): value for name, value in table.items()},
                "noise": _noise(table["noise"]),
                "split": {
                    part: {group: tuple(names) for group, names in groups.items()}
                    for part, groups in table["split"].items()
                },
            }
        )
        for table in json.loads(text)
    )


def tasks_of(text: str) -> tuple[TaskFacts, ...]:
    """Return the facts of tasks from JSON."""
    return tuple(TaskFacts(**table) for table in json.loads(text))


def scores_of(text: str) -> tuple[ScoreFacts, ...]:
    """Return the facts of scores from JSON."""
    return tuple(ScoreFacts(**table) for table in json.loads(text))


def unfinished_of(text: str) -> tuple[UnfinishedTraining, ...]:
    """Return how far unfinished trainings are from JSON."""
    found = []
    for table in json.loads(text):
        networks = [
            UnfinishedNetwork(**{**each, "losses": tuple(map(tuple, each["losses"]))})
            for each in table.pop("networks")
        ]
        found.append(UnfinishedTraining(**table, networks=tuple(networks)))
    return tuple(found)


def place_of(preview: Preview) -> tuple[str, str]:
    """Return a preview's section and where the others cut it, as the store's two columns."""
    return preview.section, "" if preview.cross is None else dump(preview.cross)


def cross_of(text: str) -> tuple[int, int] | None:
    """Return where other sections cut a preview."""
    if not text:
        return None
    row, column = json.loads(text)
    return row, column


def dump_timing(timing: Timing) -> str:
    """Return a timing of the speed pass as JSON."""
    return dump(asdict(timing))


def speed_of(names: str, timing: str) -> Speed:
    """Join the names in a trial's rows with the timing of its codec."""
    named = json.loads(names)
    return Speed(**{name: named[name] for name in NAMED}, **json.loads(timing))


def _field(stored_name: str) -> str:
    names = {stored: name for name, stored in STORED_AS.items()}
    return names.get(stored_name, stored_name)


def _noise(table: Mapping[str, Any]) -> NoiseFacts:
    points = {name: tuple(table[name]) for name in ("means", "variances")}
    return NoiseFacts(**{**table, **points})
