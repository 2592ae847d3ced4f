"""Search for model packages in folders, by the name that their manifest gives.

A damaged package is skipped with a warning, unless it is the one that is asked for. Of several
packages with one name, the first found bears it; one that a later version of cytopress replaced
does so nowhere, in whatever folder it is, as long as there is another.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from cytopress.errors import CytopressWarning, PackageError, UnknownNameError, UsageError
from cytopress.models.model_package import SUFFIX, Package, open_package
from cytopress.settings import EARLIER

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
    """Yield the packages of a kind in ``folders``: of each name, the one that bears it."""
    return (package for package, bears in find_by_name(folders, kind) if bears)


def find_by_name(folders: Sequence[Path], kind: str) -> Iterator[tuple[Package, bool]]:
    """Yield every package of a kind in ``folders`` once, and whether it bears its name.

    Those that bear one come in the order of the folders, and those that were replaced last.
    """
    found = [one for one in all_packages(folders) if one.manifest["kind"] == kind]
    replaced = {one.sha256 for one in found if version_of(one)}
    seen: set[str] = set()
    for package in sorted(found, key=lambda one: one.sha256 in replaced):
        if package.sha256 not in seen:
            yield package, package.name not in seen
        seen |= {package.sha256, package.name}


def version_of(package: Package) -> str:
    """Return the version of cytopress whose package was replaced; "" for any other package."""
    folder = package.path.parent
    return folder.name if folder.parent.name == EARLIER else ""


def others_of_name(folders: Sequence[Path], package: Package) -> list[Package]:
    """Return packages of the same kind and name with another digest, replaced ones left out."""
    found = [one for one in all_packages(folders) if one.name == package.name]
    without = {package.sha256, *(one.sha256 for one in found if version_of(one))}
    kind = package.manifest["kind"]
    return [one for one in found if one.manifest["kind"] == kind and one.sha256 not in without]


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
    replaced = set() if at else _replaced(folders)
    earlier: Package | None = None
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
            if package.sha256 not in replaced:
                return package
            earlier = earlier or package
        known[f"{package.name}@{package.sha256[:SHOWN]}" if at else package.name] = None
    if earlier is not None:
        return earlier
    place = f" in {', '.join(str(folder) for folder in folders)}"
    raise UnknownNameError(f"{kind} package", name, list(known), place)


def warn_of_skipped(error: PackageError) -> None:
    """Warn of a package that a list or a search leaves out."""
    warnings.warn(f"{error} The package is skipped.", CytopressWarning, stacklevel=1)


def _replaced(folders: Sequence[Path]) -> set[str]:
    """Return the digests of packages that a later version of cytopress replaced."""
    earlier = [folder for folder in folders if folder.parent.name == EARLIER]
    return {package.sha256 for package in all_packages(earlier)}


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.glob(f"*{SUFFIX}"))
