"""Image files of a folder and its subfolders, by their suffixes; what is left out is noted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from cytopress.datasets.image_names import is_derived
from cytopress.errors import DatasetError, UsageError
from cytopress.figures import count_text
from cytopress.formats import png, tiff

# Formats that bioio has plugins for, of microscopes alone: others may be previews.
MICROSCOPES = (".nd2", ".czi", ".lif", ".dv", ".r3d", ".oib", ".oif", ".vsi", ".ims", ".stk")
SUFFIXES = (*tiff.SUFFIXES, *png.SUFFIXES, *MICROSCOPES)
# A study's folder, whose pictures are results.
STORE = "study.sqlite"
NO_IMAGES = {"Thumbs.db", "dataset.toml", "pairs.csv"}
MOST_SUFFIXES = 4


def image_files(folder: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """Return the image files with their names, and notes on files that are left out.

    A name is the path relative to the folder, with slashes and without suffix. Hidden files,
    results of studies, and what a name calls labels, an overlay or a thumbnail are left out.

    Raises
    ------
    UsageError
        There is no such folder.
    DatasetError
        There is no image in it.
    """
    if not folder.is_dir():
        reason = "is a file" if folder.exists() else "there is no such folder"
        raise UsageError(f"{folder}: {reason}; --images takes a folder of images.")
    found, derived, others = [], [], Counter[str]()
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        suffix = next((s for s in (".ome.zarr", ".zarr") if name.lower().endswith(s)), "")
        suffix = suffix or path.suffix.lower()
        stem = name[: len(name) - len(suffix)] if suffix else name
        stem = stem[:-4] if stem.lower().endswith(".ome") else stem
        if suffix not in (*SUFFIXES, ".zarr", ".ome.zarr"):
            others[suffix or path.name] += path.name not in NO_IMAGES
        elif is_derived(stem):
            derived.append(name)
        else:
            found.append((stem, path))
    if not found:
        raise DatasetError(f"{folder}: there is no image ({', '.join(SUFFIXES)}, .zarr) in it.")
    notes = []
    if derived:
        count = count_text(len(derived), "file")
        notes.append(f"left out {count} of labels, overlays or thumbnails, such as {derived[0]}")
    if +others:
        named = ", ".join(kind for kind, _ in others.most_common(MOST_SUFFIXES))
        notes.append(f"left out {count_text(others.total(), 'file')} of other kinds ({named})")
    return found, notes


def _walk(folder: Path) -> list[Path]:
    """Return all files and Zarr folders in a folder, in the order of their names."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file() or path.suffix.lower() == ".zarr":
            found.append(path)
        elif path.is_dir() and not (path / STORE).exists():
            found += _walk(path)
    return found
