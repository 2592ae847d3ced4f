"""The one table of tasks: families made from packages, found by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cytopress.errors import PackageError
from cytopress.package import Package, find_package, find_packages
from cytopress.settings import Settings, from_environment
from cytopress.tasks.labelfree import LabelFree
from cytopress.tasks.protocol import Task

# The part of a task's name before the slash, and what makes the task from its package.
FAMILIES: Mapping[str, Callable[[Package], Task]] = {
    "labelfree": LabelFree,
    "labelfree-pix2pix": LabelFree,
}


def task(name: str | Path, settings: Settings | None = None) -> Task:
    """Return the task of this name, or of the package at this path.

    Parameters
    ----------
    name : str or Path
        Such as ``labelfree/ecoli-phase``, or the path of a ``.cytomodel`` file.
    settings : Settings, optional
        Says where packages are; read from the environment unless given.

    Raises
    ------
    UnknownNameError
        No package of a task bears this name.
    PackageError
        The package is damaged, or not of a task.
    """
    settings = settings or from_environment()
    return from_package(find_package(settings.model_folders, "task", str(name)))


def tasks(settings: Settings | None = None) -> list[Task]:
    """Return every task that is there, in the order of their names."""
    settings = settings or from_environment()
    packages = find_packages(settings.model_folders, "task")
    return sorted((from_package(package) for package in packages), key=lambda found: found.name)


def from_package(package: Package) -> Task:
    """Make the task that a package holds.

    Raises
    ------
    PackageError
        It is of another kind, or of a family that this version does not know.
    """
    family = package.name.partition("/")[0]
    if package.manifest["kind"] != "task" or family not in FAMILIES:
        raise PackageError(
            f"{package.path}: {package.name!r} is not a task of a known family"
            f" ({', '.join(FAMILIES)})."
        )
    return FAMILIES[family](package)
