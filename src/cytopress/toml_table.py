"""TOML tables as frozen, checked values; the first fault becomes one sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from cytopress.errors import CytopressError, UsageError


class TomlTable(BaseModel):
    """Base of all tables: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Checked = TypeVar("Checked", bound=TomlTable)


def read_text(path: Path) -> str:
    """Return the text of a TOML file.

    Raises
    ------
    UsageError
        The file cannot be read, or is not UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text ({error}).") from error


def parse_toml(text: str, form: type[Checked], label: str, *, context: Any = None) -> Checked:
    """Parse and check the text of a TOML file.

    Parameters
    ----------
    text : str
        The whole file.
    form : type
        The table that the file must be.
    label : str
        What messages call the file.
    context : object, optional
        Handed to the validators of ``form``.

    Raises
    ------
    UsageError
        The text is not TOML, or not what ``form`` allows.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{label}: is not valid TOML ({error}).") from error
    return check_table(table, form, label, context=context)


def check_table(
    table: Mapping[str, object], form: type[Checked], label: str, *, context: Any = None
) -> Checked:
    """Check a table that is already parsed; see `parse_toml`.

    Raises
    ------
    UsageError
        An unknown key, a missing key, or a value that is not allowed.
    """
    try:
        return form.model_validate(dict(table), context=context)
    except ValidationError as error:
        raise UsageError(f"{label}: {_sentence(error, form)}") from error
    except CytopressError as error:
        raise UsageError(f"{label}: {error}") from error


def _sentence(error: ValidationError, form: type[TomlTable]) -> str:
    faults = error.errors()
    # A misspelled key is also a missing one, and the misspelling is the better hint.
    fault = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
    place = [str(part) for part in fault["loc"]]
    inside = f" in {'.'.join(place[:-1])}" if place[:-1] else ""
    if fault["type"] == "extra_forbidden":
        return f"unknown key {place[-1]!r}{inside}; known: {', '.join(_keys(form, place[:-1]))}."
    if fault["type"] == "missing":
        return f"{place[-1]!r} must be given{inside}."
    if cause := fault.get("ctx", {}).get("error"):
        sentence = f"{'.'.join(place)}: {cause}" if place else str(cause)
    else:
        reason = f"{fault['msg'][:1].lower()}{fault['msg'][1:]}"
        sentence = f"{'.'.join(place)} = {fault['input']!r} is not allowed: {reason}"
    return sentence if sentence.endswith(".") else f"{sentence}."


def _keys(form: type[TomlTable], place: list[str]) -> list[str]:
    """Return the keys of the table at ``place``, as a file writes them."""
    for part in place:
        if part in form.model_fields:  # Else a number: the place in an array of tables.
            kind = form.model_fields[part].annotation
            form = next(one for one in (kind, *get_args(kind)) if _is_table(one))
    return [field.alias or name for name, field in form.model_fields.items()]


def _is_table(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, TomlTable)
