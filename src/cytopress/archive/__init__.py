"""Whole data sets in OME-Zarr: their chunks coded by cytopress, opened by any zarr reader.

The commands of ``cytopress archive`` as functions, for scripts and notebooks:

>>> from cytopress.archive import Wanted, plan_archive, run_archive  # doctest: +SKIP
>>> plan_archive(["plate"], "store", Wanted(codec="jpegls:max_error=4"))  # doctest: +SKIP
>>> run_archive("store", workers=2)  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cytopress.archive.models import add_models
    from cytopress.archive.steps import (
        ArchiveStatus,
        archive_certificate,
        archive_status,
        export_archive,
        plan_archive,
        run_archive,
        verify_archive,
    )
    from cytopress.archive.wanted import Wanted

__all__ = [
    "ArchiveStatus",
    "Wanted",
    "add_models",
    "archive_certificate",
    "archive_status",
    "export_archive",
    "plan_archive",
    "run_archive",
    "verify_archive",
]
_MODULES = {"Wanted": "wanted", "add_models": "models"}


def __getattr__(name: str) -> Any:
    # Nothing is imported before it is used: zarr imports this package to find the codec.
    if name not in __all__:
        raise AttributeError(f"module 'cytopress.archive' has no attribute {name!r}")
    module = _MODULES.get(name, "steps")
    return getattr(importlib.import_module(f"cytopress.archive.{module}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
