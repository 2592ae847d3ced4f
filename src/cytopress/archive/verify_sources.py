"""Verification against sources: which file belongs to which image, and metadata that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from cytopress.archive.plan import ImagePlan, Plan
from cytopress.archive.sources import Source, checked, find_sources, opened
from cytopress.archive.stores import Store
from cytopress.errors import CytopressError
from cytopress.formats.scene import Scene

COMPARED = "sizes, pixel type, pixel size, channel names"
MICROMETER = "micrometer"


@dataclass
class Matched:
    """Sources by image; images without one; images of the folder that are not in the archive."""

    sources: dict[str, Source] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def match(store: Store, plan: Plan, against: Sequence[Path]) -> Matched:
    """Match images with sources: files of the same name, and of as many same folders as there are.

    So the originals may have been moved since they were archived, but not renamed.

    Raises
    ------
    UsageError
        There are no sources.
    """
    found, notes = find_sources(against, Path(str(store)), plan.layout)
    result = Matched(notes=notes)
    by_path = {source.path.resolve(): source for source in found}
    for image in plan.images:
        planned = Path(image.source)
        same = {path: _common(path, planned) for path in by_path if path.name == planned.name}
        best = max(same.values(), default=0)
        chosen = [path for path, common in same.items() if common == best]
        if len(chosen) == 1:
            result.sources[image.name] = by_path[chosen[0]]
        elif chosen:
            result.failures[image.name] = f"could be of {chosen[0]} or of {chosen[1]}"
        else:
            named = ", ".join(map(str, against))
            result.failures[image.name] = f"has no source {planned.name} in {named}"
    used = set(result.sources.values())
    result.left_out = [str(path) for path, one in by_path.items() if one not in used]
    return result


def differences(
    store: Store, plan: Plan, sources: Mapping[str, Source]
) -> Iterator[tuple[str, str]]:
    """Yield images whose metadata in the archive are not those of their source, and how."""
    for image in plan.images:
        if image.name not in sources:
            continue
        try:
            with opened(sources[image.name], image.axes) as scenes:
                scene = checked(scenes[image.scene])
                wrong = [*_different(store, image, scene)]
        except (CytopressError, IndexError) as error:
            wrong = [f"its source cannot be read: {error}"]
        # What is damaged fails in zarr's ways.
        except Exception as error:  # noqa: BLE001
            wrong = [f"its metadata cannot be read: {error}"]
        if wrong:
            yield image.name, "; ".join(wrong)


def _different(store: Store, image: ImagePlan, scene: Scene) -> Iterator[str]:
    group = zarr.open_group(store.zarr(image.name), mode="r")
    array: Any = group["0"]
    ome: Any = group.attrs["ome"]
    shape = tuple(scene.length(letter) for letter in "TCZYX")
    if tuple(array.shape) != shape:
        yield f"it has the sizes {tuple(array.shape)} along TCZYX, its source {shape}"
    if array.dtype != scene.dtype.newbyteorder("="):
        yield f"it has pixels of {array.dtype}, its source of {scene.dtype}"
    labels = [one.get("label") or "" for one in ome.get("omero", {}).get("channels", ())]
    names = [name.strip() for name in scene.channels]
    pairs = zip(names, labels, strict=False)
    if len(names) == len(labels) and any(name and name != label for name, label in pairs):
        yield f"its channels are {labels}, its source's {names}"
    for letter, here in _spacing(ome).items():
        there = scene.spacing_um.get(letter)
        if (here is None) != (there is None) or not np.isclose(here or 0.0, there or 0.0):
            yield f"its pixel size along {letter} is {here} µm, its source's {there} µm"


def _spacing(ome: Any) -> dict[str, float | None]:
    """Return micrometers along Z, Y and X as OME-Zarr metadata say; None where they do not."""
    scales = ome["multiscales"][0]
    transformations = scales["datasets"][0]["coordinateTransformations"]
    scale = next(one["scale"] for one in transformations if one["type"] == "scale")
    return {
        axis["name"].upper(): step if axis.get("unit") == MICROMETER else None
        for axis, step in zip(scales["axes"], scale, strict=True)
        if axis["name"] in "zyx"
    }


def _common(path: Path, other: Path) -> int:
    """Return how many names two paths have in common, from their ends."""
    count = 0
    for one, another in zip(reversed(path.parts), reversed(other.parts), strict=False):
        if one != another:
            break
        count += 1
    return count
