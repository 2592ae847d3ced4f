"""The survey: read what a study rests on, and refuse what cannot work, before any codec runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cytopress.errors import DatasetError, UnknownNameError
from cytopress.io.dataset import Dataset, Field
from cytopress.io.datasets import dataset as open_known
from cytopress.io.splits import PARTS
from cytopress.settings import Settings
from cytopress.study.cell import digest_image
from cytopress.study.plan import Specimen, Subject
from cytopress.study.results import DatasetFacts
from cytopress.study.spec import DatasetEntry
from cytopress.study.yardsticks import Yardsticks
from cytopress.tasks.protocol import Task
from cytopress.tasks.registry import task


@dataclass(frozen=True)
class Surveyed:
    """A subject, and the opened dataset and tasks that it stands for."""

    subject: Subject
    dataset: Dataset
    tasks: tuple[Task, ...]


def survey(
    entry: DatasetEntry,
    *,
    settings: Settings,
    yardsticks: Callable[[Dataset], Yardsticks],
    step: Callable[[str], None],
) -> Surveyed:
    """Open a dataset and its tasks, read every field that is used, and check it.

    Parameters
    ----------
    entry : DatasetEntry
        Which dataset, which of its fields, which tasks.
    settings : Settings
        Where datasets and packages are.
    yardsticks : callable
        Gives the yardsticks of a dataset: measured, or stored from before.
    step : callable
        Called with the name of each field before it is read.

    Raises
    ------
    UsageError
        A dataset, field or task that is not there.
    DatasetError
        A field that is damaged, holds NaN, or whose images differ in shape; no field at all.
    """
    dataset = open_known(entry.source, settings)
    tasks = tuple(task(name, settings) for name in entry.tasks)
    fields = _chosen(dataset, entry)
    previewed = _previewed(fields, entry)
    specimens = []
    for field in fields:
        step(field.name)
        specimens.append(_specimen(dataset, field, preview=field.name in previewed))
    subject = Subject(
        facts=_facts(dataset, yardsticks(dataset)),
        specimens=tuple(specimens),
        tasks=tuple((found.name, found.weights) for found in tasks),
    )
    return Surveyed(subject, dataset, tasks)


def _specimen(dataset: Dataset, field: Field, *, preview: bool) -> Specimen:
    original, target = dataset.read_input(field), dataset.read_target(field)
    return Specimen(
        name=field.name,
        group=field.group,
        split=field.part,
        original=digest_image(original),
        target=digest_image(target),
        bits=original.bits,
        raw_bytes=original.raw_bytes,
        preview=preview,
    )


def _chosen(dataset: Dataset, entry: DatasetEntry) -> tuple[Field, ...]:
    fields = dataset.part(entry.split)
    if entry.fields is not None:
        known = {field.name: field for field in fields}
        for name in entry.fields:
            if name not in known:
                raise UnknownNameError(f"{entry.split} field of {dataset.name}", name, list(known))
        fields = tuple(known[name] for name in dict.fromkeys(entry.fields))
    if entry.limit is not None:
        seen: dict[str, int] = {}
        kept = []
        for field in fields:
            seen[field.group] = seen.get(field.group, 0) + 1
            if seen[field.group] <= entry.limit:
                kept.append(field)
        fields = tuple(kept)
    if not fields:
        raise DatasetError(
            f"{dataset.name}: there is no field in its {entry.split} part; choose another split, or"
            " correct [split] in its dataset.toml."
        )
    return fields


def _previewed(fields: Sequence[Field], entry: DatasetEntry) -> set[str]:
    if entry.previews is None:
        first: dict[str, str] = {}
        for field in fields:
            first.setdefault(field.group, field.name)
        return set(first.values())
    known = [field.name for field in fields]
    for name in entry.previews:
        if name not in known:
            raise UnknownNameError("field of the study to preview", name, known)
    return set(entry.previews)


def _facts(dataset: Dataset, measured: Yardsticks) -> DatasetFacts:
    return DatasetFacts(
        name=dataset.name,
        title=dataset.title,
        input=dataset.input,
        target=dataset.target,
        axes=dataset.axes,
        bits=dataset.bits,
        pixel_size_um=dataset.pixel_size_um,
        licence=dataset.licence,
        attribution=dataset.attribution,
        notes=dataset.notes,
        data_range=measured.data_range,
        noise=measured.noise,
        split=_split(dataset),
        yardstick_source=measured.source,
    )


def _split(dataset: Dataset) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    split: dict[str, dict[str, tuple[str, ...]]] = {}
    for part in PARTS:
        groups: dict[str, tuple[str, ...]] = {}
        for field in dataset.part(part):
            groups[field.group] = (*groups.get(field.group, ()), field.name)
        split[part] = groups
    return split
