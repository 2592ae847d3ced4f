"""The plan: every trial of a study, in order, from what is known before any codec runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cytopress.codecs.choice import Choice
from cytopress.codecs.target import KINDS
from cytopress.errors import UsageError
from cytopress.metrics import NoiseModel
from cytopress.settings import Settings
from cytopress.study.cell import Cell
from cytopress.study.results import DatasetFacts
from cytopress.study.spec import Study


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """One field of a dataset as a study uses it: names for people, digests for identity."""

    name: str
    group: str
    split: str
    original: str
    target: str
    bits: int
    raw_bytes: int
    preview: bool


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A dataset as a study uses it: what is known of it, its fields, its tasks' weights."""

    facts: DatasetFacts
    specimens: tuple[Specimen, ...]
    tasks: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A cell with the names that its row of the table bears."""

    cell: Cell
    study: str
    dataset: str
    field: str
    group: str
    split: str
    codec: str
    options: str
    bits: int
    target: str
    target_value: float | None
    raw_bytes: int


def plan(
    study: Study, subjects: Sequence[Subject], settings: Settings | None = None
) -> tuple[Planned, ...]:
    """Return what a study has to do, field by field so that what a field needs is made once.

    ``settings`` says where the packages of codecs are.

    Raises
    ------
    UsageError
        Two datasets bear one name.
    """
    names = [subject.facts.name for subject in subjects]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"The dataset {name!r} stands in the study twice.")
    return tuple(
        planned for subject in subjects for planned in _of_subject(study, subject, settings)
    )


def _of_subject(study: Study, subject: Subject, settings: Settings | None) -> Iterator[Planned]:
    facts = subject.facts
    noise = NoiseModel(facts.noise.a, facts.noise.b, facts.noise.offset)
    choices = [
        choice.with_yardsticks(facts.data_range, noise)
        for entry in study.codecs
        for choice in entry.choices(settings)
    ]
    packages = {
        choice.spec: tuple((package.name, package.sha256) for package in choice.packages)
        for choice in choices
    }
    for specimen in subject.specimens:
        for choice in choices:
            cell = Cell(
                original=specimen.original,
                target=specimen.target,
                spec=choice.spec,
                data_range=facts.data_range,
                noise=(noise.a, noise.b, noise.offset),
                metrics=study.metrics,
                tasks=subject.tasks,
                seed=study.seed,
                preview=study.preview_size if specimen.preview else 0,
                packages=packages[choice.spec],
            )
            target, value = asked(choice)
            yield Planned(
                cell=cell,
                study=study.name,
                dataset=facts.name,
                field=specimen.name,
                group=specimen.group,
                split=specimen.split,
                codec=choice.name,
                options=options_of(choice),
                bits=specimen.bits,
                target=target,
                target_value=value,
                raw_bytes=specimen.raw_bytes,
            )


def asked(choice: Choice) -> tuple[str, float | None]:
    """Return the target or native setting of a choice, "" and None for lossless."""
    if choice.asked is not None:
        kind, value = choice.asked
        return kind, float(value)
    knob = choice.family.traits.knob
    if choice.native is not None and knob is not None:
        return knob.name, float(choice.native)
    return "", None


def options_of(choice: Choice) -> str:
    """Return a choice's options as in its spec string, less the target: what names a curve."""
    knob = choice.family.traits.knob
    targets = (*KINDS, knob.name if knob is not None else "")
    _, _, text = choice.spec.partition(":")
    pairs = text.split(",") if text else []
    return ",".join(pair for pair in pairs if pair.partition("=")[0] not in targets)
