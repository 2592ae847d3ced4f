"""Training files: TOML read into a checked, frozen value; the first fault told in one sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cytopress.errors import UsageError


class Table(BaseModel):
    """A table of a training file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Training = TypeVar("Training", bound=Table)


def read_training(path: Path, form: type[Training], what: str) -> Training:
    """Read and check a training file; ``what`` is what a fault calls it.

    Raises
    ------
    UsageError
        No such file, not TOML, an unknown key, a missing one or a value out of range.
    """
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not valid TOML ({error}).") from error
    try:
        return form.model_validate(table)
    except ValidationError as error:
        raise UsageError(f"{path}: {_first_fault(error, what)}.") from error


def _first_fault(error: ValidationError, what: str) -> str:
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"there is no key {key!r} in {what}; remove or correct it"
    if fault["type"] == "missing":
        return f"the key {key!r} must be given"
    message = fault["msg"].removeprefix("Value error, ")
    if not key or fault["type"] == "value_error":
        return message
    return f"{key} = {fault['input']!r} is not allowed: {message[:1].lower()}{message[1:]}"
