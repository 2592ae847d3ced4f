"""Models that travel with an archive, added to those of this machine."""

from __future__ import annotations

from pathlib import Path

from cytopress.archive.store_keys import FOLDER
from cytopress.atomic import atomic_file
from cytopress.digests import digest_file
from cytopress.errors import PackageError, UsageError
from cytopress.models.model_package import SUFFIX, open_package
from cytopress.settings import Settings


def add_models(source: Path, settings: Settings) -> list[str]:
    """Copy model packages into the user's folder of models; return their names.

    Parameters
    ----------
    source : Path
        An archive, a folder of model packages, or one package.

    Raises
    ------
    UsageError
        It holds no model package.
    PackageError
        A package is damaged, or not the one that its name says.
    """
    carried = source / FOLDER / "models"
    folder = carried if carried.is_dir() else source
    paths = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else [folder]
    if not paths or not paths[0].is_file():
        raise UsageError(f"{source}: holds no model package (*{SUFFIX}).")
    names = []
    for path in paths:
        package = open_package(path)
        if folder == carried and digest_file(path) != path.name.removesuffix(SUFFIX):
            raise PackageError(f"{path}: is damaged: its sha256 is not that of its name.")
        target = settings.user_data / "models" / f"{package.sha256}{SUFFIX}"
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as temporary:
            temporary.write_bytes(path.read_bytes())
        names.append(package.name)
    return names
