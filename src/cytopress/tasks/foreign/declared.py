"""Tasks declared in a study file: models of other people, and programs of any kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cytopress.errors import UnknownNameError, UsageError
from cytopress.tasks.foreign.bioimageio import bioimageio_task
from cytopress.tasks.foreign.external import external_task
from cytopress.tasks.foreign.onnx import onnx_task
from cytopress.tasks.foreign.options import BioimageioModel, OnnxModel, Program
from cytopress.tasks.protocol import Task
from cytopress.toml_table import TomlTable, check_table

# The table of each kind, and the function that creates its task.
TASK_KINDS: Mapping[str, tuple[type[TomlTable], Callable[[str, Any, Path], Task]]] = {
    "onnx": (OnnxModel, onnx_task),
    "bioimageio": (BioimageioModel, bioimageio_task),
    "external": (Program, external_task),
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def declared_name(name: str, table: Mapping[str, object]) -> str:
    """Return the full name of a declared task, such as ``onnx/nuclei``.

    Raises
    ------
    UsageError
        The name or the table's ``kind`` is not allowed.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"[tasks.{name}]: a task's name has letters, digits, dots, dashes and underscores only."
        )
    kind = table.get("kind")
    if not isinstance(kind, str):
        raise UsageError(f"[tasks.{name}]: 'kind' must be given; known: {', '.join(TASK_KINDS)}.")
    if kind not in TASK_KINDS:
        raise UnknownNameError("kind of task", kind, list(TASK_KINDS), f" in [tasks.{name}]")
    return f"{kind}/{name}"


def declared_task(name: str, table: Mapping[str, object], *, folder: Path) -> Task:
    """Create the task that the table ``[tasks.NAME]`` of a study file declares.

    Parameters
    ----------
    name : str
        The table's name: the task is called ``onnx/NAME``, ``bioimageio/NAME`` or
        ``external/NAME``.
    table : mapping
        ``kind`` and its options; see `cytopress.tasks.foreign.options`.
    folder : Path
        Folder of the study file, to which paths are relative.

    Raises
    ------
    UsageError
        An unknown key, a value that is not allowed, or one that does not fit the model.
    PackageError
        The model's file is missing, damaged, or cannot be run here.
    TaskError
        The program does not declare its scores.
    NotAvailableError
        The extra ``bioimageio`` is needed and not installed.
    """
    full = declared_name(name, table)
    form, make = TASK_KINDS[str(table["kind"])]
    return make(full, check_table(table, form, f"[tasks.{name}]"), folder)
