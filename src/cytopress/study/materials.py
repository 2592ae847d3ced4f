"""What cells need, read and made once a field and not once a cell: images and baselines."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace

from cytopress.errors import DatasetError
from cytopress.io.dataset import Dataset, Field
from cytopress.settings import Settings
from cytopress.study.cell import Cell, digest_image
from cytopress.study.run import Material, Outcome, baseline, run
from cytopress.tasks.protocol import Task

# A field of a stack takes hundreds of megabytes with its predictions.
KEPT = 2


@dataclass(frozen=True)
class Job:
    """A cell and where its material comes from; all of it travels to whoever does it.

    ``dataset`` holds the facts that reading needs, its list of fields left out.
    """

    cell: Cell
    dataset: Dataset
    field: Field
    tasks: tuple[Task, ...]
    settings: Settings | None = None


class Materials:
    """The materials of the fields that were used last. Safe for several threads of a worker."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._materials: OrderedDict[tuple[object, ...], Material] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, job: Job) -> Material:
        """Return a job's material.

        Raises
        ------
        DatasetError
            The images are no longer those that the study was planned on.
        """
        key = (job.cell.original, job.cell.target, job.cell.tasks)
        with self._lock:
            if key not in self._materials:
                # First out, then in: two stacks at once are enough.
                while len(self._materials) >= self._kept:
                    self._materials.popitem(last=False)
                self._materials[key] = _make(job)
            self._materials.move_to_end(key)
            return self._materials[key]


_OF_THIS_PROCESS = Materials()


def run_job(job: Job, materials: Materials = _OF_THIS_PROCESS) -> Outcome:
    """Do one cell with material read here; a fault says which cell it was."""
    try:
        return run(job.cell, materials.of(job), job.settings)
    except Exception as error:
        error.add_note(f"while doing {job.cell.spec} on {job.field.name} of {job.dataset.name}")
        raise


def pinned(tasks: Sequence[Task], threads: int) -> tuple[Task, ...]:
    """Return tasks that keep to so many threads, where they can be told."""
    return tuple(
        replace(task, threads=threads)
        if is_dataclass(task) and any(option.name == "threads" for option in fields(task))
        else task
        for task in tasks
    )


def _make(job: Job) -> Material:
    original, truth = job.dataset.read_input(job.field), job.dataset.read_target(job.field)
    found = (digest_image(original), digest_image(truth))
    if found != (job.cell.original, job.cell.target):
        raise DatasetError(
            f"{job.field.input}: the images of {job.field.name!r} are not those that the study was"
            " planned on; leave them alone while it runs, and run the same command again."
        )
    return Material(original, truth, tuple(baseline(task, original, truth) for task in job.tasks))
