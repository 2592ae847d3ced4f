"""Groups of an archive that hold no image of their own: plates, rows, wells, lists of labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cytopress.archive.plan import ImagePlan
from cytopress.archive.wells import natural
from cytopress.archive.zarr_sources import LABELS, Attributes, attributes_of
from cytopress.formats.remote import path_of
from cytopress.formats.zarr_metadata import COLLECTION

VERSION = "0.5"
FIELD = re.compile(
    r"(?P<plate>.*\.ome\.zarr)/(?P<row>[A-Za-z0-9]+)/(?P<column>[A-Za-z0-9]+)/(?P<field>[^/]+)"
)
Groups = dict[str, dict[str, Any]]


def groups_of(images: Iterable[ImagePlan]) -> Groups:
    """Return the attributes of each group, by its path in the archive."""
    groups: Groups = {}
    plates: dict[str, dict[tuple[str, str], list[ImagePlan]]] = {}
    for image in images:
        parent, _, name = image.name.rpartition(f"/{LABELS}/")
        found = FIELD.fullmatch(image.name)
        if parent:
            others = attributes_of(path_of(image.source).parent).others
            group = groups.setdefault(f"{parent}/{LABELS}", _group({LABELS: []}, others))
            group["ome"][LABELS].append(name)
        elif found is not None and not image.name.endswith(".ome.zarr"):
            wells = plates.setdefault(found["plate"], {})
            wells.setdefault((found["row"], found["column"]), []).append(image)
    for plate, wells in plates.items():
        groups |= _plate(plate, wells)
    return groups


def documents_of(images: Iterable[ImagePlan]) -> dict[str, str]:
    """Return for each plate the OME-XML file of the OME-Zarr plate that it was, if there is one."""
    found: dict[str, str] = {}
    for image in images:
        field = FIELD.fullmatch(image.name)
        if field is None or f"/{LABELS}/" in image.name or field["plate"] in found:
            continue
        plate = path_of(image.source).parents[2]
        if (plate / COLLECTION).is_file() and _source(plate, "plate").ome:
            found[field["plate"]] = str(plate / COLLECTION)
    return found


def _plate(name: str, wells: dict[tuple[str, str], list[ImagePlan]]) -> Groups:
    """Return the groups of a plate; what an OME-Zarr source says of it is kept."""
    folders = {well: path_of(images[0].source).parent for well, images in wells.items()}
    source = _source(next(iter(folders.values())).parents[1], "plate")
    known = dict(source.ome.get("plate") or {})
    rows, columns = (
        _named(known.get(key), [well[at] for well in wells])
        for at, key in enumerate(("rows", "columns"))
    )
    most = max(map(len, wells.values()))
    places = [
        {
            "path": f"{row}/{column}",
            "rowIndex": [one["name"] for one in rows].index(row),
            "columnIndex": [one["name"] for one in columns].index(column),
        }
        for row, column in wells
    ]
    definition = {
        "name": Path(name).name.removesuffix(".ome.zarr"),
        **{key: value for key, value in known.items() if key != "version"},
        "field_count": most,
        "rows": rows,
        "columns": columns,
        "wells": places,
    }
    groups: Groups = {name: _group({"plate": definition}, source.others)}
    for (row, column), images in wells.items():
        groups.setdefault(f"{name}/{row}", {})
        well = _source(folders[row, column], "well")
        told = {one.get("path"): one for one in (well.ome.get("well") or {}).get("images", ())}
        paths = [image.name.rpartition("/")[2] for image in images]
        listed = [{**told.get(path, {}), "path": path} for path in paths]
        groups[f"{name}/{row}/{column}"] = _group({"well": {"images": listed}}, well.others)
    return groups


def _source(folder: Path, key: str) -> Attributes:
    """Return what an OME-Zarr source says of a plate or well; nothing of other folders."""
    if not any((folder / name).is_file() for name in ("zarr.json", ".zgroup")):
        return Attributes()
    found = attributes_of(folder)
    return found if key in found.ome else Attributes()


def _named(known: Any, used: list[str]) -> list[dict[str, Any]]:
    """Return rows or columns: those that are known, in their order, and others that are used."""
    names = [dict(one) for one in known or () if isinstance(one, dict) and "name" in one]
    there = {one["name"] for one in names}
    return names + [{"name": one} for one in sorted(set(used) - there, key=natural)]


def _group(ome: dict[str, Any], others: Any) -> dict[str, Any]:
    return {**others, "ome": {"version": VERSION, **ome}}
