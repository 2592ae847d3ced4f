"""The tables of a study file: a dataset with its tasks, a codec with its target; frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, model_validator

from cytopress.codecs.spec import codec, family_of
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.target import TARGET_KINDS
from cytopress.errors import UnknownNameError, UsageError
from cytopress.settings import Settings
from cytopress.toml_table import TomlTable

Name = Annotated[str, Field(min_length=1)]
Names = tuple[Name, ...]


class DatasetEntry(TomlTable):
    """A dataset, the part of it that is used, and the tasks that predict from it.

    Exactly one of ``name`` (a known dataset) and ``folder`` (relative to the study file) is given.
    ``channel`` says which image of a field is compressed: its input, or the target itself.
    ``fields`` names the fields to use, ``limit`` the most of each group; all of the split's unless
    given. ``previews`` names the fields whose pictures are kept; one of each group unless given.
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
            raise UsageError("give a dataset either name or folder, and not both.")
        return self

    @property
    def source(self) -> str | Path:
        """What `cytopress.datasets.catalogue.dataset` opens."""
        return self.folder if self.folder is not None else str(self.name)


class CodecEntry(TomlTable):
    """A codec and the values of one target; no target at all is lossless.

    In the file the target is a key of its own: ``ratio = [10, 20]``, or any of ``psnr``, ``sigma``,
    ``max_error`` or the codec's own quality parameter.
    """

    spec: Name
    target: str = ""
    values: tuple[float, ...] = ()

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
    def _can_be_made(self, info: ValidationInfo) -> CodecEntry:
        specs = [request.spec for request in self.requests(info.context)]
        for spec in specs:
            if specs.count(spec) > 1:
                raise UsageError(f"{spec} is given twice.")
        return self

    def requests(self, settings: Settings | None = None) -> tuple[CodecRequest, ...]:
        """Return the codec at each value, coarse or fine in the order of the file."""
        if not self.target:
            return (codec(self.spec, settings),)
        joint = "," if ":" in self.spec else ":"
        return tuple(
            codec(f"{self.spec}{joint}{self.target}={value:.17g}", settings)
            for value in self.values
        )


def _targets(spec: str, settings: Settings | None) -> list[str]:
    parameter = family_of(spec, settings).traits.parameter
    return [*TARGET_KINDS, *([parameter.name] if parameter is not None else [])]
