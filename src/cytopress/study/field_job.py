"""Field job: one field of view and the trials to run on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace

from cytopress.datasets.dataset import Dataset, Field
from cytopress.settings import Settings
from cytopress.study.inspect_datasets import InspectedDataset
from cytopress.study.plan import TrialPlan
from cytopress.tasks.protocol import Task


@dataclass(frozen=True, kw_only=True)
class FieldJob:
    """One field of view and its trials: its images are read once, its originals predicted once.

    Parameters
    ----------
    dataset : Dataset
        What reading the field needs; its list of fields is left out, since jobs are sent about.
    field : Field
        The field of view.
    plans : tuple of TrialPlan
        The trials, at least one.
    tasks : mapping
        The tasks of all model variants, by name and weights.
    settings : Settings, optional
        Folders of model packages, for decoding.
    """

    dataset: Dataset
    field: Field
    plans: tuple[TrialPlan, ...]
    tasks: Mapping[tuple[str, str], Task]
    settings: Settings | None = None

    def single_trials(self) -> Iterator[FieldJob]:
        """Yield a job of each trial alone."""
        for plan in self.plans:
            needed = [key for variant in plan.spec.variants for key in variant.tasks]
            yield replace(self, plans=(plan,), tasks={key: self.tasks[key] for key in needed})


def field_jobs(
    plans: Sequence[TrialPlan],
    inspected: Sequence[InspectedDataset],
    settings: Settings,
    *,
    done: set[str],
    threads: int,
) -> tuple[FieldJob, ...]:
    """Return the trials that are left to run, each once, by field.

    ``done`` holds the keys of finished trials; ``threads`` is what `with_threads` takes.
    """
    left: dict[tuple[str, str], dict[str, TrialPlan]] = {}
    planned = set(done)
    for plan in plans:
        if plan.spec.key not in planned:
            planned.add(plan.spec.key)
            left.setdefault((plan.dataset, plan.field), {})[plan.spec.key] = plan
    jobs = []
    for found in inspected:
        dataset = replace(found.dataset, fields=())
        tasks = {key: with_threads(task, threads) for key, task in found.models.items()}
        for one in found.fields:
            wanted = left.get((found.facts.name, one.field.name), {})
            if wanted:
                jobs.append(
                    FieldJob(
                        dataset=dataset,
                        field=one.field,
                        plans=tuple(wanted.values()),
                        tasks=tasks,
                        settings=settings,
                    )
                )
    return tuple(jobs)


def with_threads(task: Task, threads: int) -> Task:
    """Return a task limited to so many threads, 0 for its own choice, if it can be limited."""
    if is_dataclass(task) and any(option.name == "threads" for option in fields(task)):
        return replace(task, threads=threads)
    return task
