"""Packages of learned codecs with something changed in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cytopress.models.model_package import Package, write_package


def remade(
    package: Package,
    folder: Path,
    *,
    manifest: dict[str, Any] | None = None,
    arrays: dict[str, Any] | None = None,
    drop: str = "",
) -> Package:
    """Return a copy of a package with something else in it, and something not."""
    names = [name for name in package.names() if name != drop]
    stored = {name[:-4]: package.array(name[:-4]) for name in names if name.endswith(".npy")}
    graphs = {name[:-5]: package.read(name) for name in names if name.endswith(".onnx")}
    return write_package(
        folder / "other.cytomodel",
        {**package.manifest, **(manifest or {})},
        graphs=graphs,
        arrays=stored | (arrays or {}),
    )
