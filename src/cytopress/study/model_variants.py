"""The arms of a study: which models predict, by regime and seed; what is missing is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.datasets.catalogue import dataset as open_known
from cytopress.digests import digest_json, digest_paths
from cytopress.errors import NotAvailableError, UnknownNameError, UsageError
from cytopress.models.model_package import SUFFIX
from cytopress.models.search import find_package
from cytopress.settings import Settings
from cytopress.study.inspect_datasets import InspectedDataset
from cytopress.study.spec import Study
from cytopress.study.trial_spec import ModelVariant
from cytopress.tasks.protocol import Task
from cytopress.tasks.registry import task as open_task
from cytopress.training.config import TaskTraining

Progress = Callable[[int, int, str], None]
FOLDER = "models"
# In a package's list of codecs: the image as it is.
ORIGINAL = "original"
DIGITS = 12


@dataclass(frozen=True)
class Trainer:
    """Finds the model of a task by seed and by what it was trained on, or trains it.

    A model's name bears a digest of everything that decides its weights: the training images, the
    codecs with their options, and the config. So whatever bears the name is the model.

    Parameters
    ----------
    out : Path
        Folder of the study; models are trained in its ``models``.
    settings : Settings
        Where datasets and packages are.
    retrain : bool
        Whether to use only what was trained in ``out``.
    progress : callable
        Called with steps done, all steps and what is being trained.
    """

    out: Path
    settings: Settings
    retrain: bool
    progress: Progress
    _digests: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def model(self, base: Task, seed: int, codecs: Sequence[str]) -> Task:
        """Return the task with the model of a seed, trained on what codecs give back.

        Raises
        ------
        NotAvailableError
            It must be trained, and the extra learn is not installed.
        """
        config = config_of(base)
        if config is None:
            raise UsageError(f"{base.name} was not trained here: it has no seeds and no regimes.")
        if seed == config.seed and not codecs and not self.retrain:
            return base
        plain = self._begun(config, seed, codecs).model_copy(
            update={"seed": seed, "variant": "", "codecs": tuple(codecs)}
        )
        facts = {"config": plain.recorded(), "data": self._data(config)}
        packages = self._packages(codecs)
        digest = digest_json({**facts, "packages": packages} if packages else facts)
        wanted = plain.model_copy(update={"variant": f"seed{seed}-{digest[:DIGITS]}"})
        return self._found(wanted) or self._trained(wanted)

    def _begun(self, config: TaskTraining, seed: int, codecs: Sequence[str]) -> TaskTraining:
        """Let a training that begins from another model begin from that model's own sibling."""
        if config.adversarial is None or config.adversarial.start is None:
            return config
        start = open_task(config.adversarial.start, self.settings)
        if config_of(start) is None:
            return config
        sibling = getattr(self.model(start, seed, codecs), "package", None)
        assert sibling is not None
        begun = config.adversarial.model_copy(update={"start": sibling.name})
        return config.model_copy(update={"adversarial": begun})

    def _data(self, config: TaskTraining) -> str:
        """Return the digest of a dataset's training images, read once for all its models."""
        if config.dataset not in self._digests:
            self._digests[config.dataset] = self._digest(config)
        return self._digests[config.dataset]

    def _digest(self, config: TaskTraining) -> str:
        dataset = open_known(config.dataset, self.settings)
        fields = [*dataset.part("train"), *dataset.part("validation")]
        paths = [path for one in fields for path in (one.input, one.target, one.labels) if path]
        return digest_paths(paths)

    def _packages(self, codecs: Sequence[str]) -> list[str]:
        """Return the digests of the packages of learned codecs: a name alone may mean another."""
        specs = [spec for spec in codecs if spec != ORIGINAL]
        return sorted({p.sha256 for spec in specs for p in codec(spec, self.settings).packages})

    def _path(self, wanted: TaskTraining) -> Path:
        return self.out / FOLDER / wanted.file_stem / f"{wanted.file_stem}{SUFFIX}"

    def _found(self, wanted: TaskTraining) -> Task | None:
        path = self._path(wanted)
        if path.exists():
            return open_task(path, self.settings)
        if self.retrain:
            return None
        try:
            package = find_package(self.settings.model_folders, "task", wanted.package_name)
        except UnknownNameError:
            return None
        return open_task(package.path, self.settings)

    def _folders(self) -> list[Path]:
        """Where this study's models lie, each in a folder of its own."""
        return sorted(path.parent for path in (self.out / FOLDER).glob(f"*/*{SUFFIX}"))

    def _trained(self, wanted: TaskTraining) -> Task:
        try:
            from cytopress.training.task import train_task
        except ImportError as error:
            raise NotAvailableError(
                f"{wanted.package_name} must be trained, which needs {error.name}; install the"
                " extra: pip install 'cytopress[learn]', or say with --models where the model is."
            ) from error
        trained_on = " + ".join(wanted.codecs) or "originals"
        what = f"training {wanted.name}, seed {wanted.seed}, on {trained_on}"
        folder = self._path(wanted).parent
        path = train_task(
            wanted,
            folder,
            settings=self.settings.with_models(*self._folders()),
            progress=lambda done, of, line: self.progress(done, of, f"{what}: {line}"),
        )
        return open_task(path, self.settings)


def config_of(task: Task) -> TaskTraining | None:
    """Return the config that a task's model was trained with; None where it was not made here."""
    manifest: Any = getattr(getattr(task, "package", None), "manifest", {})
    try:
        return TaskTraining.model_validate(manifest.get("training"))
    except ValidationError:
        return None


def with_variants(study: Study, found: InspectedDataset, trainer: Trainer) -> InspectedDataset:
    """Return a surveyed dataset with everything that predicts from it."""
    variants, tasks = [], []
    for variant, predicting in _variants(study, found, trainer):
        named = tuple((task.name, task.weights) for task in predicting)
        variants.append(replace(variant, tasks=named))
        tasks.append(predicting)
    return replace(
        found, subject=replace(found.subject, variants=tuple(variants)), variants=tuple(tasks)
    )


def _variants(
    study: Study, found: InspectedDataset, trainer: Trainer
) -> Iterator[tuple[ModelVariant, tuple[Task, ...]]]:
    trained = {task.name: config for task in found.tasks if (config := config_of(task))}
    seeds = study.seeds or tuple(dict.fromkeys(config.seed for config in trained.values())) or (0,)
    models = [task for task in found.tasks if task.name in trained]
    for place, seed in enumerate(seeds):
        yield (
            ModelVariant(seed=seed),
            tuple(
                _of_seed(study, task, seed, trainer) if task.name in trained else task
                for task in found.tasks
                # What has no seed predicts once.
                if task.name in trained or place == 0
            ),
        )
    if not models:
        return
    for regime, trained_on, codecs in _regimes(study, found, trainer.settings):
        for seed in seeds:
            variant = ModelVariant(regime=regime, trained_on=trained_on, seed=seed)
            yield variant, tuple(trainer.model(task, seed, codecs) for task in models)


def _of_seed(study: Study, task: Task, seed: int, trainer: Trainer) -> Task:
    return trainer.model(task, seed, ()) if study.seeds or trainer.retrain else task


def _regimes(
    study: Study, found: InspectedDataset, settings: Settings
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield regime, what is shown as trained on, and the codecs as they are trained on."""
    requests = study.training_settings(settings)
    full = [_with_yardsticks(request, found).spec for request in requests]
    if {"matched", "cross"} & set(study.regimes):
        for request, spec in zip(requests, full, strict=True):
            yield "matched", request.spec, (spec,)
    if "mixed" in study.regimes:
        shown = " + ".join([ORIGINAL, *(request.spec for request in requests)])
        yield "mixed", shown, (ORIGINAL, *full)


def _with_yardsticks(request: CodecRequest, found: InspectedDataset) -> CodecRequest:
    facts = found.subject.facts
    return request.with_reference_scales(facts.data_range, facts.noise.model)
