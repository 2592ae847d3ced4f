"""Catalogue of the datasets known by name, and their folders on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cytopress.atomic import atomic_folder, resumable_folder
from cytopress.callbacks import Progress
from cytopress.datasets import simulated
from cytopress.datasets.build_progress import display
from cytopress.datasets.dataset import Dataset, open_dataset
from cytopress.datasets.embedded import cut_nuclei_3d, cut_scratch_assay
from cytopress.datasets.hipsc import HIPSC_DATASETS
from cytopress.errors import DatasetError, UnknownNameError
from cytopress.settings import Settings, from_environment

Origin = Literal["embedded", "simulated", "download"]


@dataclass(frozen=True)
class KnownDataset:
    """A dataset known by name, and how it is built.

    ``cut`` writes an embedded dataset into an empty folder; ``simulate`` writes a simulated one
    into a folder that may hold the part that an earlier call wrote; all others are downloaded.
    """

    name: str
    title: str
    axes: str
    origin: Origin
    cut: Callable[[Path], None] | None = None
    simulate: Callable[[Path, Progress], None] | None = None


KNOWN_DATASETS: dict[str, KnownDataset] = {
    known.name: known
    for known in (
        KnownDataset(
            "scratch-assay",
            "Mammalian cells closing a scratch, oblique light and Hoechst, with labels",
            "YX",
            "embedded",
            cut_scratch_assay,
        ),
        KnownDataset(
            "nuclei-3d",
            "Fluorescent nuclei in three dimensions, with labels",
            "ZYX",
            "embedded",
            cut_nuclei_3d,
        ),
        KnownDataset(
            simulated.NAME,
            simulated.TITLE,
            "ZYX",
            "simulated",
            simulate=simulated.simulate_phantom_3d,
        ),
        KnownDataset(
            "ecoli-phase", "E. coli, phase contrast and YFP fluorescence", "YX", "download"
        ),
        KnownDataset(
            "nuclei-brightfield",
            "Mammalian cells, bright-field and nuclear fluorescence",
            "YX",
            "download",
        ),
        *(
            KnownDataset(hipsc.name, hipsc.title, "ZYX" if hipsc.stacks else "YX", "download")
            for hipsc in HIPSC_DATASETS.values()
        ),
        KnownDataset("hipsc", "The same as hipsc-fbl", "YX", "download"),
    )
}
# The cell line and form that the reference study (Zhou et al. 2024) released.
ALIASES = {"hipsc": "hipsc-fbl"}


def cached_folder(name: str, settings: Settings) -> Path:
    """Return the folder of a built or downloaded dataset in the cache."""
    return settings.cache / "datasets" / ALIASES.get(name, name)


def find_folder(name: str, settings: Settings) -> Path | None:
    """Return the folder of a dataset on this machine, or None.

    ``CYTOPRESS_DATA`` comes before the cache.
    """
    folders = [cached_folder(name, settings)]
    if settings.data is not None:
        folders.insert(0, settings.data / ALIASES.get(name, name))
    return next((folder for folder in folders if (folder / "dataset.toml").is_file()), None)


def dataset(name: str | Path, settings: Settings | None = None) -> Dataset:
    """Open a dataset by its name, or a dataset folder by its path.

    A known name takes precedence over a folder of the same name; write ``./NAME`` for the folder.
    At first use an embedded dataset is cut into the cache, in a second, and a simulated one is
    simulated there, in minutes; an interrupted simulation resumes.

    Parameters
    ----------
    name : str or Path
        A known name, a folder's name inside ``CYTOPRESS_DATA``, or a path.
    settings : Settings, optional
        Folders of this machine; read from the environment unless given.

    Raises
    ------
    UnknownNameError
        The name is neither known nor a folder.
    DatasetError
        The dataset is damaged, or not on this machine (the message says how to get it).
    NotAvailableError
        The package that it is embedded in, or simulated by, is not installed.

    Examples
    --------
    >>> import cytopress
    >>> cells = cytopress.dataset("scratch-assay")  # in the extra demo
    >>> field = cells.part("test")[0]
    >>> cells.read_input(field).axes, cells.read_target(field).axes
    ('YX', 'YX')
    """
    settings = settings or from_environment()
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    if isinstance(name, Path) or Path(name).name != name:
        return open_dataset(Path(name))
    folder = find_folder(name, settings)
    if folder is None and name in KNOWN_DATASETS:
        folder = make(KNOWN_DATASETS[name], settings)
    if folder is not None:
        found = open_dataset(folder)
        if found.name != name:
            raise DatasetError(
                f"{folder / 'dataset.toml'}: the name must be that of the folder, {name!r},"
                f" not {found.name!r}."
            )
        return found
    if Path(name).is_dir():
        return open_dataset(Path(name))
    raise UnknownNameError("dataset", name, sorted(KNOWN_DATASETS))


def make(known: KnownDataset, settings: Settings, progress: Progress | None = None) -> Path:
    """Cut or simulate a dataset into the cache, and return its folder.

    Raises
    ------
    DatasetError
        The dataset must be downloaded, or the disk refused.
    NotAvailableError
        The package that it comes from is not installed.
    """
    folder = cached_folder(known.name, settings)
    if known.simulate is not None:
        simulate = known.simulate

        def fill(unfinished: Path) -> None:
            if progress is not None:
                simulate(unfinished, progress)
                return
            with display.get()(f"Simulating {known.name}") as report:
                simulate(unfinished, report)

        return resumable_folder(folder, fill, lambda: find_folder(known.name, settings))
    if known.cut is None:
        raise DatasetError(
            f"The dataset {known.name} is not on this machine; run"
            f" `cytopress datasets fetch {known.name}`, or set CYTOPRESS_DATA to a folder that"
            " holds it."
        )
    with atomic_folder(folder) as temporary:
        known.cut(temporary)
    return folder
