"""Search for model packages in folders, by the name that their manifest gives.

A damaged package is skipped with a warning, unless it is the one that is asked for.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from cytopress.errors import CytopressWarning, PackageError, UnknownNameError, UsageError
from cytopress.models.model_package import SUFFIX, Package, open_package

DIGEST = re.compile(r"[0-9a-f]{4,64}")
# Digits of a digest in messages.
SHOWN = 8


def all_packages(folders: Sequence[Path]) -> Iterator[Package]:
    """Yield every package in ``folders``, also several with one name."""
    for path in _files(folders):
        try:
            package = open_package(path)
        except PackageError as error:
            warn_of_skipped(error)
        else:
            yield package


def find_packages(folders: Sequence[Path], kind: str) -> Iterator[Package]:
    """Yield the packages of a kind in ``folders``; of two with one name, the first found."""
    seen: set[str] = set()
    for package in all_packages(folders):
        if package.manifest["kind"] == kind and package.name not in seen:
            seen.add(package.name)
            yield package


def find_package(folders: Sequence[Path], kind: str, name: str) -> Package:
    """Return the package called ``name``, or the one at the path ``name``.

    ``NAME@DIGEST`` is the package of that name whose sha256 begins with DIGEST (4 hexadecimal
    digits or more), such as an earlier one that a newer package has taken the name of.

    Raises
    ------
    UnknownNameError
        No folder holds it; the message says what is there.
    UsageError
        What stands behind the @ is no digest.
    PackageError
        The file at the path is damaged, or one with this name as packages are exported; a package
        of the same name in a later folder does not take its place.
    """
    if name.endswith(SUFFIX):
        return open_package(Path(name))
    plain, at, digest = name.partition("@")
    if at and not DIGEST.fullmatch(digest):
        raise UsageError(f"{name}: behind the @ stand 4 to 64 hexadecimal digits of a sha256.")
    file = f"{plain.replace('/', '-')}{SUFFIX}"
    known: dict[str, None] = {}
    for path in _files(folders):
        try:
            package = open_package(path)
        except PackageError as error:
            if path.name == file and not at:
                raise
            warn_of_skipped(error)
            continue
        if package.manifest["kind"] != kind:
            continue
        if package.name == plain and package.sha256.startswith(digest):
            return package
        known[f"{package.name}@{package.sha256[:SHOWN]}" if at else package.name] = None
    place = f" in {', '.join(str(folder) for folder in folders)}"
    raise UnknownNameError(f"{kind} package", name, list(known), place)


def warn_of_skipped(error: PackageError) -> None:
    """Warn of a package that a list or a search leaves out."""
    warnings.warn(f"{error} The package is skipped.", CytopressWarning, stacklevel=1)


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.glob(f"*{SUFFIX}"))
