"""Trained models of a study: found by seed and training data, or trained where missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cytopress.callbacks import Progress
from cytopress.codecs.targets.request import CodecRequest
from cytopress.datasets.catalogue import dataset as open_known
from cytopress.digests import digest_json, digest_paths
from cytopress.errors import NotAvailableError, UnknownNameError, UsageError
from cytopress.models.model_package import SUFFIX
from cytopress.models.search import find_package
from cytopress.settings import Settings
from cytopress.tasks.protocol import Task
from cytopress.tasks.registry import task as open_task
from cytopress.training.config import TaskTraining

FOLDER = "models"
# In a package's list of codecs: the image that was not coded.
ORIGINAL = "original"
DIGITS = 12


@dataclass(frozen=True)
class Trainer:
    """Finds the model of a task by its seed and its training data, or trains it.

    A model's name holds a digest of everything that decides its weights: the training images, the
    codecs with their options, and the config. So the name alone identifies a model.

    Parameters
    ----------
    out : Path
        Folder of the study; models are trained in its ``models``.
    settings : Settings
        Folders of datasets and packages.
    retrain : bool
        Whether to use only models that were trained in ``out``.
    progress : callable
        Called with the steps done, all steps, and a text that names the model.
    """

    out: Path
    settings: Settings
    retrain: bool
    progress: Progress
    _digests: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def model(self, base: Task, seed: int, codecs: Sequence[CodecRequest | None]) -> Task:
        """Return the model of a seed that was trained on images decoded by codecs.

        Parameters
        ----------
        base : Task
            The task, with a model that cytopress trained.
        seed : int
            Training seed.
        codecs : sequence of CodecRequest or None
            What the training images are coded with, None for not at all; empty for what
            ``base`` was trained on.

        Raises
        ------
        NotAvailableError
            The model must be trained, and the extra learn is not installed.
        """
        config = config_of(base)
        if config is None:
            raise UsageError(f"{base.name} was not trained here: it has no seeds and no regimes.")
        if seed == config.seed and not codecs and not self.retrain:
            return base
        specs = tuple(ORIGINAL if request is None else request.spec for request in codecs)
        # Another seed of a model that was trained on decoded images is trained on them, too.
        specs = specs or config.codecs
        plain = self._with_start(config, seed, codecs).model_copy(
            update={"seed": seed, "variant": "", "codecs": specs}
        )
        facts = {"config": plain.recorded(), "data": self._data(config)}
        # The name of a learned codec alone may mean another model elsewhere.
        packages = sorted({p.sha256 for request in codecs if request for p in request.packages})
        digest = digest_json({**facts, "packages": packages} if packages else facts)
        wanted = plain.model_copy(update={"variant": f"seed{seed}-{digest[:DIGITS]}"})
        return self._find(wanted) or self._train(wanted)

    def _with_start(
        self, config: TaskTraining, seed: int, codecs: Sequence[CodecRequest | None]
    ) -> TaskTraining:
        """Start a training that continues another model from that model's own variant."""
        if config.adversarial is None or config.adversarial.start is None:
            return config
        start = open_task(config.adversarial.start, self.settings)
        if config_of(start) is None:
            return config
        package = getattr(self.model(start, seed, codecs), "package", None)
        assert package is not None
        adversarial = config.adversarial.model_copy(update={"start": package.name})
        return config.model_copy(update={"adversarial": adversarial})

    def _data(self, config: TaskTraining) -> str:
        """Return the digest of a dataset's training images, read once for all its models."""
        if config.dataset not in self._digests:
            dataset = open_known(config.dataset, self.settings)
            fields = [*dataset.part("train"), *dataset.part("validation")]
            paths = [path for one in fields for path in (one.input, one.target, one.labels) if path]
            self._digests[config.dataset] = digest_paths(paths)
        return self._digests[config.dataset]

    def _path(self, wanted: TaskTraining) -> Path:
        return self.out / FOLDER / wanted.file_stem / f"{wanted.file_stem}{SUFFIX}"

    def _find(self, wanted: TaskTraining) -> Task | None:
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

    def _train(self, wanted: TaskTraining) -> Task:
        try:
            from cytopress.training.task import train_task
        except ImportError as error:
            raise NotAvailableError(
                f"{wanted.package_name} must be trained, which needs {error.name}; install the"
                " extra: pip install 'cytopress[learn]', or say with --models where the model is."
            ) from error
        trained_on = " + ".join(wanted.codecs) or "originals"
        what = f"training {wanted.name}, seed {wanted.seed}, on {trained_on}"
        # Models that this study has trained, each in a folder of its own.
        folders = sorted(path.parent for path in (self.out / FOLDER).glob(f"*/*{SUFFIX}"))
        path = train_task(
            wanted,
            self._path(wanted).parent,
            settings=self.settings.with_models(*folders),
            progress=lambda done, of, line: self.progress(done, of, f"{what}: {line}"),
        )
        return open_task(path, self.settings)


def config_of(task: Task) -> TaskTraining | None:
    """Return the training config of a task's model; None if cytopress did not train it."""
    manifest: Any = getattr(getattr(task, "package", None), "manifest", {})
    try:
        return TaskTraining.model_validate(manifest.get("training"))
    except ValidationError:
        return None
