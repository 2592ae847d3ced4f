"""Models that travel with an archive, added to those of this machine."""

from __future__ import annotations

import warnings
from pathlib import Path

from cytopress.archive.store_keys import FOLDER
from cytopress.atomic import atomic_file
from cytopress.digests import digest_bytes
from cytopress.errors import CytopressWarning, PackageError, UsageError
from cytopress.models.model_package import SUFFIX, Package, open_package, read_file
from cytopress.models.search import all_packages, others_of_name
from cytopress.settings import Settings, from_environment


def add_models(source: Path, settings: Settings | None = None) -> list[str]:
    """Copy model packages into the user's folder of models; return their names.

    Parameters
    ----------
    source : Path
        An archive or an image in it, a folder of model packages, or one package.
    settings : Settings, optional
        Folders of this machine; those of the environment unless given.

    Raises
    ------
    UsageError
        It holds no model package.
    PackageError
        A package is damaged, or not the one that its name says. None is added.
    """
    settings = settings or from_environment()
    carried = _carried(source)
    folder = carried or source
    paths = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else [folder]
    if not source.exists():
        raise UsageError(f"{source}: there is no such file or folder.")
    if not paths:
        raise UsageError(f"{source}: holds no model package (*{SUFFIX}).")
    packages = [open_package(path) for path in paths]
    for package in packages:
        if carried and digest_bytes(read_file(package.path)) != package.path.stem:
            raise PackageError(f"{package.path}: is damaged: its sha256 is not that of its name.")
    return [_add(package, settings) for package in packages]


def _carried(source: Path) -> Path | None:
    """Return the folder of models of the archive that this is, or is part of."""
    inside = (source / "zarr.json").is_file()
    around = source.absolute().parents if inside else ()
    folders = (one / FOLDER / "models" for one in (source, *around))
    return next((folder for folder in folders if folder.is_dir()), None)


def _add(package: Package, settings: Settings) -> str:
    others = others_of_name(settings.model_folders, package)
    known = {one.sha256 for one in all_packages(settings.model_folders)}
    target = settings.user_data / "models" / f"{package.sha256}{SUFFIX}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as temporary:
        temporary.write_bytes(read_file(package.path))
    if others and package.sha256 not in known:
        warnings.warn(
            f"There is another model of the name {package.name}; both decode what they coded, and"
            f" encoding may take the added one. Remove {target} to undo this.",
            CytopressWarning,
            stacklevel=3,
        )
    return package.name
