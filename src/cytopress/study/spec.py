"""Study file: data sets, codecs, tasks and metrics to compare; read from TOML, frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import NotAvailableError, UnknownNameError, UsageError
from cytopress.metrics import METRICS, available, metric_names
from cytopress.settings import Settings
from cytopress.statistics.margin import parse_margin
from cytopress.study.entries import CodecEntry, DatasetEntry, Name, Names
from cytopress.tasks.foreign.declared import declared_name, declared_task
from cytopress.tasks.protocol import Task
from cytopress.toml_table import TomlTable, parse_toml, read_text


class Study(TomlTable):
    """A study file.

    Parameters
    ----------
    name, title : str
        Name of the study, and the title of its report.
    seed : int
        Seed of the noise replicates.
    metrics : tuple of str
        Pixel metrics; by default all that this machine can compute.
    seeds : tuple of int
        Training seeds of every model that cytopress trained; without any, the models as found.
    regimes : tuple of str
        Training regimes of the models:

        - ``raw``: trained on originals;
        - ``matched``: on images decoded from the codec setting that is tested;
        - ``cross``: on images decoded from another codec setting;
        - ``mixed``: on originals and on images decoded from all these codec settings.
    trained_on : tuple of str, optional
        Codec settings of the study that regimes other than ``raw`` train on; by default all lossy
        ones.
    noise_draws : int
        Number of noise replicates of each field, from which the noise margin follows; 0 for none.
    preview_size : int
        Edge of the pictures kept for the gallery, in pixels.
    margin : float or str, optional
        The largest allowed loss of the main score of each task: in its unit, in percent (``"2%"``),
        or ``"noise"``, the spread over noise replicates, which it is unless given. It changes what
        is said of the trials, never the trials.
    speed : bool
        Whether the speed pass times each codec.
    claims : str, optional
        A publication whose claims the page goes through one by one: ``zhou2024``.
    tasks : mapping
        Tables that declare external models and programs, by name.
    datasets, codecs : tuple of DatasetEntry, tuple of CodecEntry
        What is compressed, and by what.
    """

    name: Name
    title: str = ""
    seed: Annotated[int, Field(ge=0)] = 0
    metrics: Names = Field(default_factory=lambda: tuple(filter(available, metric_names())))
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = ()
    regimes: Annotated[
        tuple[Literal["raw", "matched", "cross", "mixed"], ...], Field(min_length=1)
    ] = ("raw",)
    trained_on: Names | None = None
    noise_draws: Annotated[int, Field(ge=0)] = 10
    preview_size: Annotated[int, Field(ge=16, le=1024)] = 192
    margin: Annotated[float | str, AfterValidator(parse_margin)] | None = None
    speed: bool = True
    claims: Literal["zhou2024"] | None = None
    tasks: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    datasets: Annotated[tuple[DatasetEntry, ...], Field(min_length=1)]
    codecs: Annotated[tuple[CodecEntry, ...], Field(min_length=1)]

    _source: str = PrivateAttr("")
    _folder: Path = PrivateAttr(Path())
    _left_out: frozenset[str] = PrivateAttr(frozenset())

    @model_validator(mode="after")
    def _sensible(self) -> Study:
        for name in self.metrics:
            if name not in METRICS:
                raise UnknownNameError("metric", name, metric_names())
            if not available(name):
                raise NotAvailableError(f"The metric {name} cannot be computed on this machine.")
        specs = [request.spec for request in self.requests]
        for spec in specs:
            if specs.count(spec) > 1:
                raise UsageError(f"{spec} is given twice.")
        for spec in self.trained_on or ():
            if not any(request.is_named(spec) for request in self.requests):
                raise UnknownNameError("codec setting of the study to train on", spec, specs)
        return self

    @model_validator(mode="after")
    def _comparable(self) -> Study:
        if "raw" not in self.regimes:
            raise UsageError(
                "regimes must hold raw: the other training regimes are compared with it."
            )
        if self.noise_draws == 1:
            raise UsageError("noise_draws = 1 has no spread; give 0 for none, or at least 2.")
        return self

    @property
    def requests(self) -> tuple[CodecRequest, ...]:
        """All codecs at each value of their targets, in the order of the file."""
        return tuple(
            request
            for entry in self.codecs
            for request in entry.requests
            if request.spec not in self._left_out
        )

    def requests_for(self, dataset: str) -> tuple[CodecRequest, ...]:
        """Return the codec settings for the dataset of this name, in the order of the file."""
        wanted = {
            request.spec
            for entry in self.codecs
            if entry.datasets is None or dataset in entry.datasets
            for request in entry.requests
        }
        return tuple(request for request in self.requests if request.spec in wanted)

    def without(self, specs: Iterable[str]) -> Study:
        """Return the study without the codec settings of these spec strings."""
        study = self.model_copy()
        study._left_out = self._left_out.union(specs)  # noqa: SLF001 - its own kind
        return study

    @property
    def training_requests(self) -> tuple[CodecRequest, ...]:
        """The codec settings that models are trained on, in the order of the file."""
        if self.regimes == ("raw",):
            return ()
        if self.trained_on is not None:
            return tuple(one for one in self.requests if any(map(one.is_named, self.trained_on)))
        return tuple(
            one for one in self.requests if one.asked is not None or one.native is not None
        )

    def declared_task(self, name: str) -> Task | None:
        """Return the task that a table ``[tasks.NAME]`` declares under this full name, or None.

        Raises
        ------
        UsageError
            The table is wrong.
        PackageError, TaskError
            The model or program that it names cannot be used.
        """
        for key, table in self.tasks.items():
            if declared_name(key, table) == name:
                return declared_task(key, table, folder=self._folder)
        return None

    @property
    def toml(self) -> str:
        """Text of the study file."""
        return self._source


def load_study(path: Path, settings: Settings | None = None) -> Study:
    """Read a study file; ``settings`` holds the folders of the codecs' packages.

    Raises
    ------
    UsageError
        It is missing, not TOML, or has an unknown key or an invalid value; the message names the
        file, the key and what is known.
    """
    text = read_text(path)
    return parse_study(text, folder=path.parent, label=str(path), settings=settings)


def parse_study(text: str, *, folder: Path, label: str, settings: Settings | None = None) -> Study:
    """Read the text of a study file; its relative paths start from ``folder``."""
    study = parse_toml(text, Study, label, context=settings)
    datasets = tuple(_placed(entry, folder) for entry in study.datasets)
    study = study.model_copy(update={"datasets": datasets})
    study._source, study._folder = text, folder.resolve()  # noqa: SLF001
    return study


def _placed(entry: DatasetEntry, folder: Path) -> DatasetEntry:
    """Return the entry of a dataset with absolute paths."""
    paths = {"folder": entry.folder, "images": entry.images}
    return entry.model_copy(
        update={key: (folder / path).resolve() for key, path in paths.items() if path is not None}
    )
