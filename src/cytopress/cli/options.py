"""Options that several commands share, and their parsing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cytopress.errors import UsageError
from cytopress.settings import Settings, from_environment

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Models = Annotated[
    list[Path] | None,
    typer.Option("--models", help="A folder of model packages, searched first.", metavar="DIR"),
]


def settings_with(models: list[Path] | None) -> Settings:
    """Return the settings of this environment with ``--models`` in front.

    Raises
    ------
    UsageError
        A folder is not there.
    """
    for folder in models or ():
        if not folder.is_dir():
            raise UsageError(f"--models {folder}: there is no such folder.")
    return from_environment().with_models(*(models or ()))


def parse_selection(text: str | None) -> dict[str, int]:
    """Parse ``C=1,T=0``.

    Raises
    ------
    UsageError
        It is not of that form.
    """
    selection: dict[str, int] = {}
    for part in (text or "").split(","):
        if not part:
            continue
        axis, equals, index = (piece.strip() for piece in part.partition("="))
        if not (axis.isalpha() and equals and index.isdecimal()) or axis.upper() in selection:
            raise UsageError(
                f"--select {text}: write it as C=1,T=0, each axis once, counted from 0."
            )
        selection[axis.upper()] = int(index)
    return selection
