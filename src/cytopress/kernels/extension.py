"""The native extension, if it was compiled."""

from __future__ import annotations

import functools
import importlib
from typing import Any

NAME = "cytopress.kernels._native"


@functools.cache
def native() -> Any | None:
    """Return the extension module; None where it was not compiled or cannot be loaded."""
    try:
        return importlib.import_module(NAME)
    except ImportError:
        return None


def loaded() -> Any:
    """Return the extension module, which is there."""
    found = native()
    assert found is not None
    return found
