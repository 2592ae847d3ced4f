"""Search for model packages in folders, by the name that their manifest gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cytopress.errors import UnknownNameError
from cytopress.models.model_package import SUFFIX, Package, open_package


def find_packages(folders: Sequence[Path], kind: str) -> Iterator[Package]:
    """Yield the packages of a kind in ``folders``; of two with one name, the first found."""
    seen: set[str] = set()
    for folder in folders:
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            package = open_package(path)
            if package.manifest["kind"] == kind and package.name not in seen:
                seen.add(package.name)
                yield package


def find_package(folders: Sequence[Path], kind: str, name: str) -> Package:
    """Return the package called ``name``, or the one at the path ``name``.

    Raises
    ------
    UnknownNameError
        No folder holds it; the message says what is there.
    PackageError
        A package in the way is damaged.
    """
    if name.endswith(SUFFIX):
        return open_package(Path(name))
    known = []
    for package in find_packages(folders, kind):
        if package.name == name:
            return package
        known.append(package.name)
    place = f" in {', '.join(str(folder) for folder in folders)}"
    raise UnknownNameError(f"{kind} package", name, known, place)
