"""What a codec is trained on: planes of datasets, folders and archives, in the used range.

No field of a dataset's test part is ever read here.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from cytopress.errors import CytopressError, CytopressWarning, DatasetError, UsageError
from cytopress.image import Image, Pixels
from cytopress.io import archives
from cytopress.io.dataset import Dataset
from cytopress.io.datasets import dataset
from cytopress.io.images import read
from cytopress.metrics.data_range import data_range
from cytopress.metrics.noise import NoiseModel, fit_noise
from cytopress.settings import Settings

Part = Literal["train", "validation"]
USED_RANGE = (0.1, 99.9)  # percentiles of a plane that become 0 and 1
SUFFIXES = (".tif", ".tiff", ".png", ".zarr")
HELD_OUT_EVERY = 10
NOISE_PLANES = 24  # enough to fit a noise model to; more would only take longer


class SourceOptions(Protocol):
    """One ``[[sources]]`` of a training file: one of dataset, folder and archive is given."""

    @property
    def dataset(self) -> str | None: ...
    @property
    def folder(self) -> str | None: ...
    @property
    def archive(self) -> str | None: ...
    @property
    def images(self) -> Sequence[str]: ...
    @property
    def weight(self) -> float: ...


@dataclass(frozen=True)
class Source:
    """Where planes are from. ``weight`` is its share of the crops, relative to the others."""

    name: str
    title: str
    licence: str
    attribution: str
    weight: float


@dataclass(frozen=True, eq=False)
class Plane:
    """One plane to train on.

    ``pixels`` is (Y, X) float32 with the plane's own 0.1 and 99.9 percentile at 0 and 1; values
    outside stay outside. ``low`` and ``high`` are those percentiles in counts, ``data_range`` is
    what PSNR refers to, in counts, and ``noise`` the noise model of the source's images of this
    ``kind`` (input, target or a channel) where it was asked for.
    """

    pixels: npt.NDArray[np.float32]
    low: float
    high: float
    data_range: float
    noise: NoiseModel | None
    name: str
    group: str
    kind: str
    source: Source


@dataclass(frozen=True)
class _Raw:
    """A plane in counts."""

    pixels: Pixels
    name: str
    group: str
    kind: str


def load_planes(
    sources: Sequence[SourceOptions],
    settings: Settings,
    part: Part,
    *,
    crop: int,
    noise: bool = False,
) -> list[Plane]:
    """Read the planes of one part of the split from every source.

    Datasets give their training groups (the images asked for) or, for validation, the inputs of
    their validation part; stacks plane by plane. Archives are for training only, and so are
    folders, unless no dataset has a validation part: then every tenth file of each folder is held
    out. Validation may have none.

    Raises
    ------
    UsageError
        There is no source, or another part is asked for.
    UnknownNameError
        No dataset or archive bears a source's name.
    DatasetError
        A file cannot be read, holds NaN or infinity, or no plane is left to train on.
    """
    if part not in ("train", "validation"):
        raise UsageError(f"a codec is trained on train and validation, never on {part!r}.")
    if not sources:
        raise UsageError("a training needs at least one [[sources]], not none.")
    hold_out = not any(
        dataset(options.dataset, settings).part("validation")
        for options in sources
        if options.dataset
    )
    planes: list[Plane] = []
    for options in sources:
        planes += _load(options, settings, part, crop=crop, noise=noise, hold_out=hold_out)
    if part == "train" and not planes:
        names = ", ".join(str(o.dataset or o.folder or o.archive) for o in sources)
        raise DatasetError(
            f"No image of {names} can be trained on with crops of {crop} x {crop} pixels; choose"
            " a smaller crop or other images."
        )
    return planes


def sources_used(planes: Sequence[Plane]) -> list[dict[str, object]]:
    """Return for each source its name, title, licence, attribution, weight and what was used.

    ``groups`` is a list of names; ``fields``, ``planes`` and ``pixels`` are counts.
    """
    facts = []
    for source in dict.fromkeys(plane.source for plane in planes):
        own = [plane for plane in planes if plane.source == source]
        facts.append(
            {
                "name": source.name,
                "title": source.title,
                "licence": source.licence,
                "attribution": source.attribution,
                "weight": source.weight,
                "groups": sorted({plane.group for plane in own}),
                "fields": len({plane.name.partition(" Z=")[0] for plane in own}),
                "planes": len(own),
                "pixels": sum(plane.pixels.size for plane in own),
            }
        )
    return facts


def _load(
    options: SourceOptions,
    settings: Settings,
    part: Part,
    *,
    crop: int,
    noise: bool,
    hold_out: bool,
) -> list[Plane]:
    ranges: dict[str, float] = {}
    if options.dataset:
        opened = dataset(options.dataset, settings)
        source = Source(
            opened.name, opened.title, opened.licence, opened.attribution, options.weight
        )
        kinds = tuple(options.images) if part == "train" else ("input",)
        trained = list(_dataset_planes(opened, "train", kinds))
        raw = trained if part == "train" else list(_dataset_planes(opened, part, kinds))
        ranges = {
            kind: data_range([plane.pixels for plane in trained if plane.kind == kind])
            for kind in kinds
            if any(plane.kind == kind for plane in trained)
        }
    elif options.archive:
        known = archives.archive(options.archive)
        source = Source(known.name, known.title, known.licence, known.attribution, options.weight)
        if part != "train":
            return []
        raw = trained = list(_archive_planes(options.archive, settings))
    elif options.folder:
        folder = Path(options.folder)
        source = Source(options.folder, folder.name, "unknown", "unknown", options.weight)
        trained = list(_folder_planes(folder, "train", hold_out=hold_out))
        raw = trained if part == "train" else list(_folder_planes(folder, part, hold_out=hold_out))
    else:
        raise UsageError("a source needs a dataset, a folder or an archive, not none of them.")
    usable = list(_normalized(raw, source, ranges, crop))
    if not noise:
        return usable
    models = _noise_models(trained)
    return [replace(plane, noise=models.get(plane.kind)) for plane in usable]


def _dataset_planes(opened: Dataset, part: Part, kinds: Sequence[str]) -> Iterator[_Raw]:
    for field in opened.part(part):
        # The one promise that every result rests on.
        assert field.part == part != "test"
        for kind in kinds:
            image = opened.read_input(field) if kind == "input" else opened.read_target(field)
            yield from _cut(image, field.name, field.group, kind)


def _archive_planes(name: str, settings: Settings) -> Iterator[_Raw]:
    for image in archives.archive_images(name, settings):
        channel, _, inner = image.name.partition(":")
        yield from _cut(image, inner, inner.partition(" ")[0], channel)


def _folder_planes(folder: Path, part: Part, *, hold_out: bool) -> Iterator[_Raw]:
    files = _image_files(folder)
    held = set(files[::HELD_OUT_EVERY]) if hold_out and len(files) > 1 else set()
    if held and part == "train":
        warnings.warn(
            f"{folder}: {len(held)} of {len(files)} files are held out for validation, since no"
            " dataset of this training has a validation part.",
            CytopressWarning,
            stacklevel=2,
        )
    for path in files:
        if (path in held) != (part == "validation"):
            continue
        try:
            images = read(path)
        except CytopressError as error:
            where = "" if str(path) in str(error) else f"{path}: "
            raise DatasetError(f"{where}{error}") from error
        for image in images:
            name = str(path.relative_to(folder))
            named = f"{name} {image.name}" if len(images) > 1 else name
            yield from _cut(image, named, name, "image")


def _image_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder of images.")
    near = [folder, *folder.resolve().parents][:3]
    marks = [p / "dataset.toml" for p in near if (p / "dataset.toml").is_file()]
    marks += folder.rglob("dataset.toml")
    if marks:
        # Its test fields would be among the files.
        raise UsageError(
            f"{folder}: holds or is part of the dataset {marks[0].parent}; name it with"
            " `dataset = ` instead, so that its test groups stay unseen."
        )
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    # What is inside an OME-Zarr is no image of its own.
    return [p for p in files if not any(up.suffix.lower() == ".zarr" for up in p.parents)]


def _cut(image: Image, name: str, group: str, kind: str) -> Iterator[_Raw]:
    if image.pixels.ndim == 2:
        yield _Raw(image.pixels, name, group, kind)
        return
    for z, plane in enumerate(image.pixels):
        yield _Raw(plane, f"{name} Z={z}", group, kind)


def _normalized(
    raw: Sequence[_Raw], source: Source, ranges: dict[str, float], crop: int
) -> Iterator[Plane]:
    for plane in raw:
        label = f"{source.name}: the image {plane.name!r} ({plane.kind})"
        if not np.isfinite(plane.pixels).all():
            raise DatasetError(f"{label} holds NaN or infinity; replace them before training.")
        low, high = (float(v) for v in np.percentile(plane.pixels, USED_RANGE))
        fault = ""
        if min(plane.pixels.shape) < crop:
            height, width = plane.pixels.shape
            fault = f"its {height} x {width} pixels are smaller than the crop of {crop} x {crop}"
        elif not high > low:
            fault = "it is constant, or nearly"
        if fault:
            warnings.warn(f"{label} is left out: {fault}.", CytopressWarning, stacklevel=2)
            continue
        pixels = (plane.pixels.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        yield Plane(
            pixels,
            low,
            high,
            ranges.get(plane.kind, high - low),
            None,
            plane.name,
            plane.group,
            plane.kind,
            source,
        )


def _noise_models(raw: Sequence[_Raw]) -> dict[str, NoiseModel]:
    models = {}
    for kind in dict.fromkeys(plane.kind for plane in raw):
        own = [plane.pixels for plane in raw if plane.kind == kind]
        step = -(-len(own) // NOISE_PLANES)
        models[kind] = fit_noise([Image(pixels) for pixels in own[::step]]).model
    return models
