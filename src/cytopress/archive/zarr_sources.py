"""OME-Zarr as a source: its images, the fields of its plates, its labels, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cytopress.formats.remote import zarr_place

# Keys of OME-Zarr 0.4, which stood among those of others; 0.5 has them under one of its own.
OME_KEYS = frozenset(
    {
        "bioformats2raw.layout", "image-label", "labels", "multiscales", "omero", "plate", "series",
        "version", "well",
    }
)  # fmt: skip
# What this package writes by itself.
OWN_KEYS = frozenset({"cytopress", "zarr_conventions"})
LABELS = "labels"


@dataclass(frozen=True)
class Attributes:
    """Attributes of a group: those of OME-Zarr, and all others."""

    ome: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ZarrImage:
    """An image of a store: its path within, and whether it is a label image of another one."""

    inside: str
    labels: bool = False


def attributes_of(path: Path) -> Attributes:
    """Return the attributes of a group, or of an array; empty ones where there is none.

    Raises
    ------
    Exception
        The metadata are damaged; each kind of damage has its own.
    """
    import zarr

    if not path.is_dir():
        return Attributes()
    found: dict[str, Any] = zarr.open(zarr_place(path), mode="r").attrs.asdict()
    inner = found.get("ome")
    if isinstance(inner, Mapping):
        others = {key: value for key, value in found.items() if key not in ("ome", *OWN_KEYS)}
        return Attributes(dict(inner), others)
    return Attributes(
        {key: value for key, value in found.items() if key in OME_KEYS},
        {key: value for key, value in found.items() if key not in OME_KEYS | OWN_KEYS},
    )


def images_of(path: Path) -> Iterator[ZarrImage]:
    """Yield the images of an OME-Zarr folder, each followed by its label images.

    Raises
    ------
    Exception
        The metadata are damaged.
    """
    for inside in _pictures(path, attributes_of(path).ome):
        yield ZarrImage(inside)
        for name in _labels(path / inside / LABELS):
            yield ZarrImage(f"{inside}/{LABELS}/{name}".lstrip("/"), labels=True)


def _pictures(path: Path, ome: Mapping[str, Any]) -> Iterator[str]:
    if "plate" in ome:
        for well in ome["plate"]["wells"]:
            found = attributes_of(path / well["path"]).ome.get("well", {})
            yield from (f"{well['path']}/{one['path']}" for one in found.get("images", ()))
        return
    numbered = [one.name for one in path.iterdir() if one.name.isdecimal()]
    scenes = [
        name
        for name in sorted(numbered, key=int)
        if "multiscales" not in ome and "multiscales" in attributes_of(path / name).ome
    ]
    yield from scenes or [""]


def _labels(path: Path) -> list[str]:
    """Return the names of an image's label images: those listed, or all that are there."""
    if not path.is_dir():
        return []
    listed = attributes_of(path).ome.get("labels")
    if isinstance(listed, list):
        return list(map(str, listed))
    return sorted(one.name for one in path.iterdir() if "multiscales" in attributes_of(one).ome)
