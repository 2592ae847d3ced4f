"""What cells need, read and made once a field and not once a cell: images and baselines."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace

from cytopress.datasets.dataset import Dataset, Field
from cytopress.digests import digest_image, digest_labels
from cytopress.errors import DatasetError
from cytopress.settings import Settings
from cytopress.study.run_trial import Material, TrialResult, run
from cytopress.study.scoring import OriginalScores, score_original
from cytopress.study.trial_spec import TrialSpec
from cytopress.tasks.objects import measure_objects
from cytopress.tasks.protocol import Prediction, Task

# A field of a stack takes hundreds of megabytes with its predictions.
KEPT = 2


@dataclass(frozen=True)
class FieldJob:
    """A cell and where its material comes from; all of it travels to whoever does it.

    ``dataset`` holds the facts that reading needs, its list of fields left out. ``variants`` are
    the tasks of each variant of the trial spec.
    """

    trial_spec: TrialSpec
    dataset: Dataset
    field: Field
    variants: tuple[tuple[Task, ...], ...]
    settings: Settings | None = None


class FieldInputs:
    """One field: its original, its truths, and what each model made of the original."""

    def __init__(self, job: FieldJob) -> None:
        self.original = job.dataset.read_input(job.field)
        self.truth = job.dataset.read_target(job.field)
        self._labels = None if job.field.labels is None else job.dataset.read_labels(job.field)
        labels = "" if self._labels is None else digest_labels(self._labels)
        found = (digest_image(self.original), digest_image(self.truth), labels)
        if found != (job.trial_spec.original, job.trial_spec.target, job.trial_spec.labels):
            raise DatasetError(
                f"{job.field.input}: the images of {job.field.name!r} are not those that the study"
                " was planned on; leave them alone while it runs, and run the same command again."
            )
        self._baselines: dict[tuple[str, str], OriginalScores] = {}

    def of(self, variants: Sequence[Sequence[Task]]) -> Material:
        """Return what the cells with these arms need."""
        baselines = tuple(tuple(map(self._baseline, tasks)) for tasks in variants)
        return Material(self.original, self.truth, baselines)

    def _baseline(self, task: Task) -> OriginalScores:
        key = (task.name, task.weights)
        if key not in self._baselines:
            self._baselines[key] = score_original(task, self.original, self._truth_of(task))
        return self._baselines[key]

    def _truth_of(self, task: Task) -> Prediction | None:
        if task.truth == "target":
            return self.truth
        if task.truth == "labels" and self._labels is not None:
            return measure_objects(self._labels, self.original)
        return None


class Materials:
    """The materials of the fields that were used last. Safe for several threads of a worker."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._fields: OrderedDict[tuple[str, ...], FieldInputs] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, job: FieldJob) -> Material:
        """Return a job's material.

        Raises
        ------
        DatasetError
            The images are no longer those that the study was planned on.
        """
        key = (job.trial_spec.original, job.trial_spec.target, job.trial_spec.labels)
        with self._lock:
            if key not in self._fields:
                # First out, then in: two stacks at once are enough.
                while len(self._fields) >= self._kept:
                    self._fields.popitem(last=False)
                self._fields[key] = FieldInputs(job)
            self._fields.move_to_end(key)
            return self._fields[key].of(job.variants)


_OF_THIS_PROCESS = Materials()


def run_job(job: FieldJob, field_inputs: Materials = _OF_THIS_PROCESS) -> TrialResult:
    """Do one cell with material read here; a fault says which cell it was."""
    try:
        return run(job.trial_spec, field_inputs.of(job), job.settings)
    except Exception as error:
        error.add_note(
            f"while doing {job.trial_spec.spec} on {job.field.name} of {job.dataset.name}"
        )
        raise


def pinned(tasks: Sequence[Task], threads: int) -> tuple[Task, ...]:
    """Return tasks that keep to so many threads, where they can be told."""
    return tuple(
        replace(task, threads=threads)
        if is_dataclass(task) and any(option.name == "threads" for option in fields(task))
        else task
        for task in tasks
    )
