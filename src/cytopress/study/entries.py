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
from cytopress.errors import UnknownNameError, UsageError
from cytopress.settings import Settings
from cytopress.toml_table import TomlTable

Name = Annotated[str, Field(min_length=1)]
Names = tuple[Name, ...]


class DatasetEntry(TomlTable):
    """A dataset, the part of it to use, and the tasks that predict from it.

    Exactly one of ``name`` (a known dataset) and ``folder`` (relative to the study file) is given.
    ``channel`` is the image of a field to compress: its input, or its target. ``fields`` are the
    names of the fields to use, ``limit`` their largest number in each group; by default all fields
    of the split. ``previews`` are the fields whose pictures are kept; by default the first of each
    group.
    """

    name: Name | None = None
    folder: Path | None = None
    channel: Literal["input", "target"] = "input"
    split: Literal["test", "validation", "train"] = "test"
    tasks: Names = ()
    fields: Names | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    previews: Names | None = None

    @model_validator(mode="after")
    def _one_source(self) -> DatasetEntry:
        if (self.name is None) == (self.folder is None):
            raise UsageError("give a dataset either name or folder, not both.")
        return self

    @property
    def source(self) -> str | Path:
        """Name or folder, as `cytopress.datasets.catalogue.dataset` takes it."""
        return self.folder if self.folder is not None else str(self.name)


class CodecEntry(TomlTable):
    """A codec and the values of one target; without a target it is lossless.

    In the file the target is a key of its own: ``ratio = [10, 20]``, or any of ``psnr``, ``sigma``,
    ``max_error`` or the codec's own quality parameter. ``requests`` is the codec at each value, in
    the order of the file, parsed when the file is read.
    """

    spec: Name
    target: str = ""
    values: tuple[float, ...] = ()

    _requests: tuple[CodecRequest, ...] = PrivateAttr(())

    @model_validator(mode="before")
    @classmethod
    def _target_of(cls, table: object, info: ValidationInfo) -> object:
        if not isinstance(table, dict) or not isinstance(table.get("spec"), str):
            return table
        keys = [key for key in table if key != "spec"]
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
        return {"spec": table["spec"], "target": keys[0], "values": values}

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
