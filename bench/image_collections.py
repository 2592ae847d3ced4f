"""Collections of images at hand: datasets by group, and folders of images to train codecs on.

A group is one experiment, and so one camera. Which images validate is what a dataset's split says,
and for `codec-training` its README, which `VALIDATING` repeats. Images of unknown origin count as
test images, so that none is scored by accident.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cytopress.datasets.catalogue import dataset
from cytopress.datasets.splits import Part
from cytopress.formats.images import read_one, read_shape
from cytopress.image import Image
from cytopress.settings import from_environment

UNPAIRED = "codec-training"
SUFFIXES = {".png", ".tif", ".tiff"}
# Of each folder: how names tell experiments (the first group), and which of them validate.
EXPERIMENTS = {
    "aisegcell-more": r"([0-9]{6}[A-Z]{2}[0-9]{2})",
    "cellprofiler": r"([A-Za-z0-9]+)[-_]",
    "cytodataframe": r".*-(ch[0-9]+)",
    "dsb2018": r"([0-9]+x[0-9]+)_",
}
VALIDATING = {
    "aisegcell-more": r"190905WW12|181024TK20",
    "pie-yeast": r".*xy0012",
    "cytodataframe": r".*",
    "dsb2018": r"603x1272",
    # Planes of its only stack.
    "cellfinder-3d": r".* Z=(1[6-9]|20)",
}
TRAINING = {*VALIDATING, "mbl_pboc-more", "cellprofiler"}


@dataclass(frozen=True)
class Field:
    """One plane of a collection, read when it is asked for."""

    collection: str
    name: str
    part: Part
    image: Callable[[], Image]


def collections_root() -> Path:
    """Return the folder of the data, or end the benchmark with a sentence."""
    root = from_environment().data
    if root is None:
        sys.exit("CYTOPRESS_DATA names no folder: set it to the folder that holds the collections.")
    return root


def fields_under(root: Path) -> Iterator[Field]:
    """Yield every field of the datasets and the folders of images under a folder."""
    for form in sorted(root.glob("*/dataset.toml")):
        yield from _of_dataset(form.parent)
    for folder in sorted(path for path in (root / UNPAIRED).glob("*") if path.is_dir()):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in SUFFIXES:
                yield from _of_file(folder.name, path)


def _of_dataset(folder: Path) -> Iterator[Field]:
    found = dataset(folder.name if _is_known(folder) else folder)
    for field in found.fields:
        name = f"{found.name} {field.group}"
        yield Field(name, field.name, field.part, partial(found.read_input, field))


def _is_known(folder: Path) -> bool:
    return dataset(folder.name).folder.resolve() == folder.resolve()


def _of_file(folder: str, path: Path) -> Iterator[Field]:
    experiment = re.match(EXPERIMENTS.get(folder, ""), path.name)
    named = experiment[1] if experiment and experiment.groups() else ""
    collection = f"{folder} {named}".strip()
    shape = read_shape(path)
    for z in range(shape[0]) if len(shape) == 3 else [None]:
        name = path.stem if z is None else f"{path.stem} Z={z}"
        yield Field(collection, name, _part(folder, name), partial(_plane, path, z))


def _part(folder: str, name: str) -> Part:
    if folder not in TRAINING:
        return "test"
    return "validation" if re.match(VALIDATING.get(folder, r"$^"), name) else "train"


def _plane(path: Path, z: int | None) -> Image:
    image = read_one(path)
    return image if z is None else Image(image.pixels[z], bits=image.bits)
