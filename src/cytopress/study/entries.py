"""Tables of a study file: a dataset with its tasks, a codec with its target; frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from cytopress.codecs.spec import codec, family_of
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.target import TARGET_KINDS
from cytopress.datasets.image_folder import FolderOptions
from cytopress.errors import UnknownNameError, UsageError
from cytopress.settings import Settings
from cytopress.toml_table import TomlTable

Name = Annotated[str, Field(min_length=1)]
Names = tuple[Name, ...]
# How the names of learned codecs begin.
LEARNED = ("learned/", "compressai/")
# Keys of a codec that are no target.
OWN_KEYS = ("spec", "training", "optional", "datasets")
# Keys of a dataset that only a folder of images has.
OF_IMAGES = ("channels", "groups", "only", "axes", "bits", "pixel_size_um", "skip_unreadable")


class DatasetEntry(TomlTable):
    """A dataset, the part of it to use, and the tasks that predict from it.

    Exactly one of ``name`` (a known dataset), ``folder`` (one with ``dataset.toml``) and ``images``
    (any folder of images) is given; folders are relative to the study file. Each channel of
    ``images`` is a dataset, and the keys from ``channels`` on are for them alone: see
    `cytopress.datasets.image_folder.FolderOptions`.
    ``channel`` is the image of a field to compress: its input, or its target. ``fields`` are the
    names of the fields to use, ``limit`` their largest number in each group; by default all fields
    of the split. ``previews`` are the fields whose pictures are kept; by default the first of each
    group. An ``optional`` folder that is not there is left out, and the study says so.
    """

    name: Name | None = None
    folder: Path | None = None
    images: Path | None = None
    channel: Literal["input", "target"] = "input"
    split: Literal["test", "validation", "train"] = "test"
    tasks: Names = ()
    fields: Names | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    previews: Names | None = None
    optional: bool = False
    channels: Name | None = None
    groups: Name | None = None
    only: Names | None = None
    axes: Annotated[str, Field(pattern="^[TCZYX]+$")] | None = None
    bits: Annotated[int, Field(ge=1, le=32)] | None = None
    pixel_size_um: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    skip_unreadable: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> DatasetEntry:
        if [self.name, self.folder, self.images].count(None) != 2:
            raise UsageError("give a dataset one of name, folder and images.")
        if self.images is None:
            given = [key for key in OF_IMAGES if key in self.model_fields_set]
            if given:
                raise UsageError(f"{given[0]} goes with images only.")
        elif self.channel == "target" or self.split != "test":
            raise UsageError(
                "images have no targets and no split: give only = [...] for the channels to use."
            )
        return self

    @property
    def folder_options(self) -> FolderOptions:
        """How the folder ``images`` is read."""
        return FolderOptions(
            channels=self.channels,
            groups=self.groups,
            only=self.only,
            axes=self.axes,
            bits=self.bits,
            pixel_size_um=self.pixel_size_um,
            limit=self.limit,
            skip_unreadable=self.skip_unreadable,
        )

    @property
    def source(self) -> str | Path:
        """Name or folder, as `cytopress.datasets.catalogue.dataset` takes it."""
        return self.folder if self.folder is not None else str(self.name)


class CodecEntry(TomlTable):
    """A codec and the values of one target; without a target it is lossless.

    In the file the target is a key of its own: ``ratio = [10, 20]``, or any of ``psnr``, ``sigma``,
    ``max_error`` or the codec's own quality parameter. ``requests`` is the codec at each value, in
    the order of the file, parsed when the file is read. ``training`` is the training file of a
    learned codec, relative to the study file: where its package is missing, a run trains it first.
    An ``optional`` codec is left out, and the study says so, where the pretrained weights that it
    names are not on this machine. ``datasets`` are the names of those it is to code; by default
    all, since a codec of volumes alone does not suit planes.
    """

    spec: Name
    datasets: Names | None = None
    training: Name | None = None
    optional: bool = False
    target: str = ""
    values: tuple[float, ...] = ()

    _requests: tuple[CodecRequest, ...] = PrivateAttr(())

    @model_validator(mode="before")
    @classmethod
    def _target_of(cls, table: object, info: ValidationInfo) -> object:
        if not isinstance(table, dict) or not isinstance(table.get("spec"), str):
            return table
        own = {key: table[key] for key in OWN_KEYS if key in table}
        if "training" in own and not table["spec"].startswith(LEARNED):
            raise UsageError(f"{table['spec']}: only a learned codec has a training.")
        keys = [key for key in table if key not in own]
        known = _targets(table["spec"], info.context)
        for key in keys:
            if key not in known:
                raise UnknownNameError(f"target of {table['spec']}", key, known)
        if len(keys) > 1:
            raise UsageError(f"{table['spec']}: give one of {' and '.join(keys)}, not both.")
        if not keys:
            return table
        values = table[keys[0]]
        values = values if isinstance(values, list) else [values]
        if not values:
            raise UsageError(f"{table['spec']}: {keys[0]} needs at least one value.")
        return {**own, "target": keys[0], "values": values}

    @model_validator(mode="after")
    def _parsed(self, info: ValidationInfo) -> CodecEntry:
        joint = "," if ":" in self.spec else ":"
        specs = [f"{self.spec}{joint}{self.target}={value:.17g}" for value in self.values]
        requests = tuple(codec(spec, info.context) for spec in specs or [self.spec])
        found = [request.spec for request in requests]
        for spec in found:
            if found.count(spec) > 1:
                raise UsageError(f"{spec} is given twice.")
        self._requests = requests
        return self

    @property
    def requests(self) -> tuple[CodecRequest, ...]:
        """The codec at each value of the target."""
        return self._requests


def _targets(spec: str, settings: Settings | None) -> list[str]:
    parameter = family_of(spec, settings).traits.parameter
    return [*TARGET_KINDS, *([parameter.name] if parameter is not None else [])]
