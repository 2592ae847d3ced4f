"""Inspection of the data sets of a study: digests, facts, checks, before any codec runs."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cytopress.datasets.catalogue import dataset as open_known
from cytopress.datasets.dataset import Dataset, Field
from cytopress.datasets.image_folder import open_image_folder
from cytopress.datasets.image_names import is_transmitted_light
from cytopress.datasets.splits import PARTS
from cytopress.digests import digest_image, digest_labels
from cytopress.errors import CytopressWarning, DatasetError, UnknownNameError, UsageError
from cytopress.image import Image, Labels
from cytopress.settings import Settings
from cytopress.study.entries import DatasetEntry
from cytopress.study.label_checks import census_of, check_labels
from cytopress.study.read_fields import read_fields
from cytopress.study.reference_scales import ReferenceScales
from cytopress.study.results import DatasetFacts
from cytopress.study.spec import Study
from cytopress.study.trial_spec import ModelVariant
from cytopress.tasks.builtin.measurement import Measurement
from cytopress.tasks.protocol import Task
from cytopress.tasks.registry import task


@dataclass(frozen=True)
class OpenedDataset:
    """A dataset of a study with its tasks and the fields to use; no image is read yet."""

    name: str
    dataset: Dataset
    tasks: tuple[Task, ...]
    fields: tuple[Field, ...]
    previewed: frozenset[str]
    previews_chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class InspectedField:
    """A field of view of a study: the digests of its images, and what its trials need to know.

    ``target`` and ``labels`` are "" for a field without; ``bits`` are the significant bits of the
    original.
    """

    field: Field
    original: str
    target: str
    labels: str = ""
    bits: int
    raw_bytes: int
    preview: bool


@dataclass(frozen=True, kw_only=True)
class InspectedDataset:
    """A dataset of a study, inspected: its facts, the fields to use, and what predicts from them.

    ``tasks`` are those that the study names. ``variants`` are the model variants, those of one
    codec as ``matched``; ``models`` holds all their tasks by name and weights.
    ``previews_chosen`` is whether the study names the fields to show.
    """

    facts: DatasetFacts
    dataset: Dataset
    fields: tuple[InspectedField, ...]
    tasks: tuple[Task, ...] = ()
    variants: tuple[ModelVariant, ...] = (ModelVariant(),)
    models: Mapping[tuple[str, str], Task] = dataclasses.field(default_factory=dict)
    previews_chosen: bool = False


def open_entry(entry: DatasetEntry, study: Study, settings: Settings) -> tuple[OpenedDataset, ...]:
    """Open a dataset of a study and its tasks and choose the fields; reads no pixels.

    Each channel of a folder of images is a dataset.

    Raises
    ------
    UsageError
        A dataset, field or task that is not there, or a task of the dataset's other channel.
    DatasetError
        The dataset is damaged, or none of its fields is left.
    """
    datasets = _datasets(entry, settings)
    tasks = tuple(study.declared_task(name) or task(name, settings) for name in entry.tasks)
    return tuple(_opened(dataset, tasks, entry) for dataset in datasets)


def _datasets(entry: DatasetEntry, settings: Settings) -> tuple[Dataset, ...]:
    if entry.images is None:
        return (open_known(entry.source, settings),)
    opened = open_image_folder(entry.images, entry.folder_options)
    for note in opened.notes:
        warnings.warn(f"{entry.images.name}: {note}.", CytopressWarning, stacklevel=2)
    return opened.datasets


def _opened(dataset: Dataset, tasks: tuple[Task, ...], entry: DatasetEntry) -> OpenedDataset:
    for found in tasks:
        _check_channel(found, dataset, entry.channel)
    if entry.images is not None and is_transmitted_light(dataset.input):
        _warn_of_light(dataset, tasks)
    name = dataset.name
    if entry.channel == "target":
        dataset, name = dataset.target_channel(), f"{name}/target"
    fields = _chosen(dataset, entry)
    previewed = _previewed(fields, entry)
    return OpenedDataset(name, dataset, tasks, fields, previewed, entry.previews is not None)


def _check_channel(found: Task, dataset: Dataset, channel: str) -> None:
    """Refuse a model of one channel on the images of the other."""
    manifest = getattr(getattr(found, "package", None), "manifest", {})
    if manifest.get("trained_on", {}).get("dataset") != dataset.name:
        return
    read = manifest.get("input", {}).get("channel", "input")
    if read != channel:
        raise UsageError(
            f"{found.name} reads the {read} of {dataset.name}, not its {channel}; give the dataset"
            f' channel = "{read}" for this task.'
        )


def _warn_of_light(dataset: Dataset, tasks: Sequence[Task]) -> None:
    """Warn of transmitted light where a task looks for bright objects."""
    if any(found.name == Measurement.name for found in tasks):
        warnings.warn(
            f"{dataset.name}: {Measurement.name} looks for bright objects on a dark background, and"
            " says little of transmitted light; choose the other channels with --only.",
            CytopressWarning,
            stacklevel=3,
        )


def inspect_dataset(
    opened: OpenedDataset, scales: ReferenceScales, *, step: Callable[[str], None]
) -> InspectedDataset:
    """Read every field to use, and check it.

    ``step`` is called with the name of each field before it is read.

    Raises
    ------
    DatasetError
        A field that is damaged, holds NaN, or whose images differ in shape; labels that a task
        cannot be scored against (see `check_labels`).
    """
    inspected, spacing, censuses = [], None, []
    checked = any(task.truth == "labels" for task in opened.tasks)
    for one, original in read_fields(opened.dataset, opened.fields, step=step):
        preview = one.name in opened.previewed
        labels = None if one.labels is None else opened.dataset.read_labels(one)
        inspected.append(_inspect_field(opened.dataset, one, original, labels, preview=preview))
        if checked and labels is not None:
            censuses.append(census_of(one.name, labels))
        if original.axes == "ZYX" and original.spacing_um is not None:
            spacing = original.spacing_um[0]
    _warn_of_copies(opened.name, inspected)
    unlabeled = [one.name for one in opened.fields if one.labels is None]
    check_labels(opened.name, opened.tasks, censuses, unlabeled)
    return InspectedDataset(
        facts=_facts(opened, scales, plane_spacing_um=spacing),
        dataset=opened.dataset,
        fields=tuple(inspected),
        tasks=opened.tasks,
        previews_chosen=opened.previews_chosen,
    )


def _warn_of_copies(name: str, fields: Sequence[InspectedField]) -> None:
    """Warn of files with the same pixels, which would count as independent fields."""
    named: dict[str, list[str]] = {}
    for one in fields:
        # Whoever lists fields in a table knows them.
        if one.field.metadata is not None:
            named.setdefault(one.original, []).append(one.field.name)
    copies = [names for names in named.values() if len(names) > 1]
    if copies:
        warnings.warn(
            f"{name}: {sum(map(len, copies))} fields are copies of one another, such as"
            f" {' and '.join(copies[0][:2])}, and count as if they were not; leave one of each.",
            CytopressWarning,
            stacklevel=3,
        )


def _inspect_field(
    dataset: Dataset, one: Field, original: Image, labels: Labels | None, *, preview: bool
) -> InspectedField:
    target = "" if one.target is None else digest_image(dataset.read_target(one))
    return InspectedField(
        field=one,
        original=digest_image(original),
        target=target,
        labels="" if labels is None else digest_labels(labels),
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


def _previewed(fields: Sequence[Field], entry: DatasetEntry) -> frozenset[str]:
    if entry.previews is None:
        first: dict[str, str] = {}
        for field in fields:
            first.setdefault(field.group, field.name)
        return frozenset(first.values())
    known = [field.name for field in fields]
    for name in entry.previews:
        if name not in known:
            raise UnknownNameError("field of the study to preview", name, known)
    return frozenset(entry.previews)


def _facts(
    opened: OpenedDataset, measured: ReferenceScales, *, plane_spacing_um: float | None
) -> DatasetFacts:
    dataset = opened.dataset
    return DatasetFacts(
        name=opened.name,
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
        scales_source=measured.source,
        plane_spacing_um=plane_spacing_um,
    )


def _split(dataset: Dataset) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    split: dict[str, dict[str, tuple[str, ...]]] = {}
    for part in PARTS:
        groups: dict[str, tuple[str, ...]] = {}
        for field in dataset.part(part):
            groups[field.group] = (*groups.get(field.group, ()), field.name)
        split[part] = groups
    return split
