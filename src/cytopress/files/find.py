"""Find the files of a folder that hold images, and name what each is coded to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cytopress.errors import UsageError
from cytopress.formats.opening import IMAGE_SUFFIXES, is_zarr
from cytopress.formats.tiff import SUFFIXES as TIFF_SUFFIXES
from cytopress.formats.tiff import files_of_set

CYTO = ".cyto"
# Of a folder of results: its ledger, and the lock that a run holds.
LEDGER, LOCK = "cytopress.jsonl", "cytopress.lock"


@dataclass(frozen=True)
class Found:
    """What is in a folder, by path relative to it, with ``/`` between names.

    Parameters
    ----------
    sources : mapping
        Files, and folders of OME-Zarr images; of an image set in several files the first.
    parts : mapping
        The other files of such a set, by its first file.
    others : tuple of str
        Files of other kinds.
    unreadable : mapping
        Why folders could not be listed.
    """

    sources: Mapping[str, Path]
    parts: Mapping[str, tuple[Path, ...]]
    others: tuple[str, ...]
    unreadable: Mapping[str, str]


def find_images(folder: Path, *, without: Path) -> Found:
    """Find image files and OME-Zarr folders, in folders of any depth, links followed.

    Names that begin with a dot, and ``without``, a folder of results, are left out.
    """
    return _find(folder, without, lambda name: name.lower().endswith(IMAGE_SUFFIXES), zarr=True)


def find_coded(folder: Path, *, without: Path) -> Found:
    """Find ``.cyto`` files; see `find_images`."""
    return _find(folder, without, lambda name: name.lower().endswith(CYTO), zarr=False)


def output_names(keys: Mapping[str, Path], suffix: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return the file that each source is coded to, in the same tree.

    ``sub/a.ome.tif`` becomes ``sub/a`` and the suffix. Where other sources would become the same
    (``a.png``), all keep their own suffix: ``a.png`` and the suffix. Names ``known`` from an
    earlier run stay.

    Raises
    ------
    UsageError
        Two sources would be coded to one file.
    """
    short = {key: stem(key) for key in keys}
    taken = Counter(name.casefold() for name in short.values())
    old = {name.casefold() for name in known.values()}
    names = {}
    for key, name in short.items():
        alone = taken[name.casefold()] == 1 and f"{name}{suffix}".casefold() not in old
        names[key] = known.get(key) or f"{name if alone else key.removesuffix(CYTO)}{suffix}"
    by_name: dict[str, str] = {}
    for key, name in names.items():
        other = by_name.setdefault(name.casefold(), key)
        if other != key:
            raise UsageError(f"{other} and {key} would both be written to {name}; rename one.")
    return names


def stem(key: str) -> str:
    """Return a path without the ending of an image file."""
    path = PurePosixPath(key.removesuffix(CYTO))
    lower = path.name.lower()
    for ending in (".ome.zarr", ".ome.tiff", ".ome.tif", ".zarr", *IMAGE_SUFFIXES):
        if lower.endswith(ending) and len(lower) > len(ending):
            return str(path.with_name(path.name[: -len(ending)]))
    return str(path)


def _find(folder: Path, without: Path, wanted: Callable[[str], bool], *, zarr: bool) -> Found:
    sources: dict[str, Path] = {}
    others: list[str] = []
    unreadable: dict[str, str] = {}
    for path, error in _walk(folder, without.resolve(), frozenset(), zarr=zarr):
        key = path.relative_to(folder).as_posix()
        if error is not None:
            unreadable[key] = error
        elif path.is_dir() or wanted(path.name):
            sources[key] = path
        else:
            others.append(key)
    ordered = dict(sorted(sources.items()))
    parts = _take_sets(ordered) if zarr else {}
    return Found(ordered, parts, tuple(sorted(others)), unreadable)


def _take_sets(sources: dict[str, Path]) -> dict[str, tuple[Path, ...]]:
    """Take the files of a set but the first one out of the sources, and return them."""
    parts: dict[str, tuple[Path, ...]] = {}
    taken: set[Path] = set()
    for key, path in list(sources.items()):
        if path in taken:
            del sources[key]
        elif path.suffix.lower() in TIFF_SUFFIXES and path.is_file():
            names = files_of_set(path) - {path.name}
            found = sorted(one for name in names if (one := path.parent / name).is_file())
            if found:
                parts[key] = tuple(found)
                taken.update(found)
    return parts


def _walk(
    folder: Path, without: Path, inside: frozenset[Path], *, zarr: bool
) -> Iterator[tuple[Path, str | None]]:
    """Yield files, OME-Zarr folders, and folders that cannot be listed with the reason."""
    real = folder.resolve()
    # A link may lead back to a folder that it is in.
    if real == without or real in inside:
        return
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        yield folder, f"cannot be listed ({error.strerror})"
        return
    for path in entries:
        # An object that stands for a folder has no name.
        if not path.name or path.name.startswith(".") or path.name in (LEDGER, LOCK):
            continue
        if not path.is_dir():
            yield path, None
        elif is_zarr(path):
            if zarr:
                yield path, None
        else:
            yield from _walk(path, without, inside | {real}, zarr=zarr)
