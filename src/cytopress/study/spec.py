"""A study file: what is compared, on which images, by which numbers: from TOML, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import NotAvailableError, UnknownNameError, UsageError
from cytopress.metrics import METRICS, available, metric_names
from cytopress.settings import Settings
from cytopress.study.entries import CodecEntry, DatasetEntry, Name, Names
from cytopress.tasks.foreign.declared import declared_name, declared_task
from cytopress.tasks.protocol import Task
from cytopress.toml_table import TomlTable, parse_toml, read_text


class Study(TomlTable):
    """What a study file says.

    ``metrics`` are all that this machine can compute unless given. ``seeds`` are the training seeds
    of every model that was trained here, ``regimes`` what models are trained on; ``trained_on``
    names the codec settings of the study that the regimes beside ``raw`` train on, all lossy ones
    unless given. ``noise_draws`` is how often the camera's noise is drawn again, for the yardstick
    of a margin. ``preview_size`` is the edge of the pictures kept for the gallery, in pixels.
    ``speed`` adds the one-thread pass at the end. ``tasks`` declares other people's models and
    programs, by name.
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
    speed: bool = True
    tasks: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    datasets: Annotated[tuple[DatasetEntry, ...], Field(min_length=1)]
    codecs: Annotated[tuple[CodecEntry, ...], Field(min_length=1)]

    _source: str = PrivateAttr("")
    _folder: Path = PrivateAttr(Path())

    @model_validator(mode="after")
    def _sensible(self, info: ValidationInfo) -> Study:
        for name in self.metrics:
            if name not in METRICS:
                raise UnknownNameError("metric", name, metric_names())
            if not available(name):
                raise NotAvailableError(f"The metric {name} cannot be computed on this machine.")
        seen: set[str] = set()
        for entry in self.codecs:
            for request in entry.requests(info.context):
                if request.spec in seen:
                    raise UsageError(f"{request.spec} is given twice.")
                seen.add(request.spec)
        for spec in self.trained_on or ():
            if spec not in seen:
                raise UnknownNameError("codec setting of the study to train on", spec, [*seen])
        return self

    @model_validator(mode="after")
    def _comparable(self) -> Study:
        if "raw" not in self.regimes:
            raise UsageError("regimes must hold raw: the others are compared with it.")
        if self.noise_draws == 1:
            raise UsageError("noise_draws = 1 has no spread; give 0 for none, or at least 2.")
        return self

    def training_settings(self, settings: Settings | None = None) -> tuple[CodecRequest, ...]:
        """Return the codec settings that models are trained on, in the order of the file."""
        if self.regimes == ("raw",):
            return ()
        requests = [request for entry in self.codecs for request in entry.requests(settings)]
        if self.trained_on is not None:
            return tuple(request for request in requests if request.spec in self.trained_on)
        return tuple(c for c in requests if c.asked is not None or c.native is not None)

    def declared_task(self, name: str) -> Task | None:
        """Return the task that ``[tasks.NAME]`` declares under this full name; None without one.

        Raises
        ------
        UsageError
            The table is wrong.
        PackageError, TaskError
            What it points at cannot be used.
        """
        for key, table in self.tasks.items():
            if declared_name(key, table) == name:
                return declared_task(key, table, folder=self._folder)
        return None

    @property
    def toml(self) -> str:
        """The study file, word for word."""
        return self._source


def load_study(path: Path, settings: Settings | None = None) -> Study:
    """Read a study file; ``settings`` says where the packages of codecs are.

    Raises
    ------
    UsageError
        It is not there, is not TOML, holds an unknown key, or asks for what cannot be; the message
        names the file, the key and what is known.
    """
    text = read_text(path)
    return parse_study(text, folder=path.parent, label=str(path), settings=settings)


def parse_study(text: str, *, folder: Path, label: str, settings: Settings | None = None) -> Study:
    """Read the text of a study file; ``folder`` is what its relative paths start from."""
    study = parse_toml(text, Study, label, context=settings)
    datasets = tuple(
        entry.model_copy(update={"folder": (folder / entry.folder).resolve()})
        if entry.folder is not None
        else entry
        for entry in study.datasets
    )
    study = study.model_copy(update={"datasets": datasets})
    study._source, study._folder = text, folder.resolve()  # noqa: SLF001
    return study
