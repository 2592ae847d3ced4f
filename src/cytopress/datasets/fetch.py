"""Fetch a known dataset into the cache of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from cytopress.atomic import resumable_folder
from cytopress.callbacks import Progress, no_progress
from cytopress.datasets import hipsc
from cytopress.datasets.catalogue import (
    ALIASES,
    KNOWN_DATASETS,
    cached_folder,
    find_folder,
    make,
)
from cytopress.datasets.download import download, join_url
from cytopress.datasets.published import PUBLISHED, PublishedDataset, PublishedImage
from cytopress.errors import DatasetError, UnknownNameError, UsageError
from cytopress.formats.images import write
from cytopress.settings import Settings


def fetch(
    name: str,
    *,
    settings: Settings,
    mirror: str | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fetch a dataset into the cache; an interrupted call is resumed.

    A dataset that is already on this machine is left as it is. Two processes may fetch at once:
    the second waits for the first.

    Parameters
    ----------
    name : str
        A known dataset.
    settings : Settings
        Their cache gets the dataset.
    mirror : str, optional
        An http or https address under which ``NAME/...`` is the dataset's folder; for hipsc, the
        address of the bucket. The authors' own server unless given.
    limit : int, optional
        The largest number of fields to fetch, for hipsc only.
    progress : callable, optional
        Called with (done, total, the file being fetched).

    Returns
    -------
    Path
        The dataset's folder.

    Raises
    ------
    UnknownNameError
        No dataset has this name.
    UsageError
        ``mirror`` is not an address, or the dataset takes no ``limit``.
    DatasetError
        The server fails, or its files are not the expected ones.
    """
    name = ALIASES.get(name, name)
    if name not in KNOWN_DATASETS:
        raise UnknownNameError("dataset", name, sorted(KNOWN_DATASETS))
    if limit is not None and name not in hipsc.HIPSC_DATASETS:
        raise UsageError(f"--limit is for hipsc only; {name} has few fields.")
    if KNOWN_DATASETS[name].origin != "download":
        return find_folder(name, settings) or make(KNOWN_DATASETS[name], settings, progress)

    report = progress or no_progress

    def fill(folder: Path) -> None:
        if name in hipsc.HIPSC_DATASETS:
            hipsc.fetch(
                hipsc.HIPSC_DATASETS[name], folder, base=mirror, limit=limit, progress=report
            )
        else:
            _fetch_published(PUBLISHED[name], folder, mirror, report)

    return resumable_folder(
        cached_folder(name, settings), fill, lambda: find_folder(name, settings)
    )


def _fetch_published(
    dataset: PublishedDataset, folder: Path, mirror: str | None, report: Progress
) -> None:
    files = dataset.files()
    for done, file in enumerate(files):
        report(done, len(files), file.path)
        path = folder / file.path
        path.parent.mkdir(exist_ok=True)
        if path.exists():
            continue
        if mirror is None:
            _fetch_original(dataset, file, path)
        else:
            url = join_url(mirror, f"{dataset.name}/{file.path}")
            download(url, path, sha256=file.sha256)
    for form in ("dataset.toml", "pairs.csv"):
        shutil.copyfile(dataset.folder / form, folder / form)
    report(len(files), len(files), "")


def _fetch_original(dataset: PublishedDataset, file: PublishedImage, path: Path) -> None:
    original = path.with_name(f".original-{path.stem}{Path(file.source).suffix}")
    try:
        download(join_url(dataset.base, file.source), original)
    except DatasetError as error:
        raise DatasetError(
            f"{error} Without the authors' server, fetch from a mirror (--mirror URL) or set"
            f" CYTOPRESS_DATA to a folder that holds {dataset.name}."
        ) from error
    try:
        write(path, [dataset.image(original, file)])
    finally:
        original.unlink(missing_ok=True)
