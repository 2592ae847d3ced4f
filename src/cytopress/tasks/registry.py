"""Registry of tasks by name: built-in ones, and families of tasks from model packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cytopress.errors import PackageError, UnknownNameError
from cytopress.models.model_package import Package
from cytopress.models.search import find_package, find_packages, warn_of_skipped
from cytopress.settings import Settings, from_environment
from cytopress.tasks.builtin.labelfree import LabelFree
from cytopress.tasks.builtin.measurement import Measurement
from cytopress.tasks.builtin.segmentation import Segmentation
from cytopress.tasks.protocol import Task

# The part of a task's name before the slash, and the class of such tasks.
FAMILIES: Mapping[str, Callable[[Package], Task]] = {
    "labelfree": LabelFree,
    "labelfree-pix2pix": LabelFree,
    "segmentation": Segmentation,
}
# Tasks that need no package.
BUILT_IN: Mapping[str, Callable[[], Task]] = {Measurement.name: Measurement}


def task(name: str | Path, settings: Settings | None = None) -> Task:
    """Return the task of a name, or of the package at a path.

    Parameters
    ----------
    name : str or Path
        Such as ``labelfree/ecoli-phase`` or ``measurement``, or the path of a ``.cytomodel`` file.
    settings : Settings, optional
        Folders of packages; read from the environment unless given.

    Raises
    ------
    UnknownNameError
        No built-in task and no task package has this name.
    PackageError
        The package is damaged, or not a task's.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> pixels = np.full((48, 48), 100, np.uint16)
    >>> pixels[8:20, 8:20] = pixels[28:40, 30:40] = 900
    >>> measurement = cytopress.task("measurement")
    >>> measurement.predict(cytopress.Image(pixels)).count
    2
    """
    built_in = BUILT_IN.get(str(name))
    if built_in is not None:
        return built_in()
    folders = (settings or from_environment()).model_folders
    try:
        package = find_package(folders, "task", str(name))
    except UnknownNameError:
        known = [*BUILT_IN, *(package.name for package in find_packages(folders, "task"))]
        place = f" built in or in {', '.join(str(folder) for folder in folders)}"
        raise UnknownNameError("task", str(name), known, place) from None
    return from_package(package)


def tasks(settings: Settings | None = None) -> list[Task]:
    """Return all tasks of this machine, sorted by name.

    Warns of packages that cannot be used, and leaves them out.
    """
    settings = settings or from_environment()
    found = [make() for make in BUILT_IN.values()]
    for package in find_packages(settings.model_folders, "task"):
        try:
            found.append(from_package(package))
        except PackageError as error:
            warn_of_skipped(error)
    return sorted(found, key=lambda task: task.name)


def from_package(package: Package) -> Task:
    """Create the task of a package.

    Raises
    ------
    PackageError
        The package is of another kind, or of an unknown family.
    """
    family = package.name.partition("/")[0]
    if package.manifest["kind"] != "task" or family not in FAMILIES:
        raise PackageError(
            f"{package.path}: {package.name!r} is not a task of a known family"
            f" ({', '.join(FAMILIES)})."
        )
    return FAMILIES[family](package)
