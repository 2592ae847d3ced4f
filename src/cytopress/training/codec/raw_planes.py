"""Raw planes of a dataset, a folder or an archive for the training of a codec, in counts.

No field of a dataset's test part is ever read here.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal, Protocol

from cytopress.datasets import training_archives as archives
from cytopress.datasets.catalogue import dataset
from cytopress.datasets.dataset import Dataset
from cytopress.errors import CytopressError, CytopressWarning, DatasetError, UsageError
from cytopress.figures import count_text
from cytopress.formats.images import read
from cytopress.formats.opening import IMAGE_SUFFIXES
from cytopress.image import Image, Pixels
from cytopress.settings import Settings

Part = Literal["train", "validation"]
HELD_OUT_EVERY = 10


class SourceOptions(Protocol):
    """One ``[[sources]]`` of a training file: one of dataset, folder and archive is given."""

    @property
    def dataset(self) -> str | None:
        """A dataset's name or folder."""

    @property
    def folder(self) -> str | None:
        """A folder of images."""

    @property
    def archive(self) -> str | None:
        """A key of ``io.archives.ARCHIVES``."""

    @property
    def images(self) -> Sequence[str]:
        """Which images of a dataset: input, target or both."""

    @property
    def weight(self) -> float:
        """Its share of the crops, relative to the other sources."""

    @property
    def files(self) -> Sequence[str]:
        """Patterns of a folder's files that are used; all files unless given."""

    @property
    def validation(self) -> Sequence[str]:
        """Patterns of a folder's files that are held out."""

    @property
    def planes(self) -> tuple[int, int] | None:
        """First and last plane of a folder's stacks that is trained on."""

    @property
    def title(self) -> str:
        """Title of a folder."""

    @property
    def licence(self) -> str:
        """Licence of a folder's images."""

    @property
    def attribution(self) -> str:
        """Whom a folder's images are from."""


@dataclass(frozen=True, eq=False)
class Source:
    """The origin of planes; one for each ``[[sources]]``, so two may be of one dataset.

    ``weight`` is its share of the crops, relative to the others.
    """

    name: str
    title: str
    licence: str
    attribution: str
    weight: float


@dataclass(frozen=True)
class Raw:
    """A plane, or a volume, in counts, as it is stored."""

    pixels: Pixels
    name: str
    group: str
    kind: str


# An image, its name, its group and its kind.
_Named = tuple[Image, str, str, str]


def open_source(options: SourceOptions, settings: Settings) -> Dataset | None:
    """Return the dataset that a source names, by name or as a folder, or None."""
    if options.dataset:
        return dataset(options.dataset, settings)
    if options.folder and (Path(options.folder) / "dataset.toml").is_file():
        return dataset(Path(options.folder), settings)
    return None


def read_raw(
    options: SourceOptions,
    found: Dataset | None,
    settings: Settings,
    part: Part,
    *,
    hold_out: bool,
    volumes: bool = False,
) -> tuple[Source, list[Raw], list[Raw]]:
    """Return the source, its planes of the part, and those of its training part.

    With ``volumes``, stacks stay whole.

    Raises
    ------
    UsageError
        There is no such folder, or it holds the fields of a dataset.
    DatasetError
        A file cannot be read.
    """
    weight = options.weight

    def cut(images: Iterable[_Named]) -> list[Raw]:
        return [raw for named in images for raw in _cut(*named, volumes=volumes)]

    if found is not None:
        source = Source(found.name, found.title, found.licence, found.attribution, weight)
        if part == "train":
            trained = cut(_dataset_images(found, part, tuple(options.images)))
            return source, trained, trained
        # Data ranges and noise models are of the training part, whatever is measured with them.
        trained = cut(_dataset_images(found, "train", ("input",)))
        return source, cut(_dataset_images(found, part, ("input",))), trained
    if options.archive:
        known = archives.archive(options.archive)
        source = Source(known.name, known.title, known.licence, known.attribution, weight)
        raw = cut(_archive_images(options.archive, settings)) if part == "train" else []
        return source, raw, raw
    if options.folder:
        folder = Path(options.folder)
        # Its name alone: a package must not hold a path.
        name = folder.resolve().name
        source = Source(
            name,
            options.title or name,
            options.licence or "unknown",
            options.attribution or "unknown",
            weight,
        )
        files = _split(folder, options, hold_out=hold_out)

        def read_part(part: Part) -> list[Raw]:
            named = _folder_images(folder, files[part])
            return cut(_of_planes(named, options.planes, part))

        trained = read_part("train")
        if part == "train":
            if hold_out and not options.validation:
                _tell_held_out(folder, files)
            return source, trained, trained
        return source, read_part(part), trained
    raise UsageError("a source needs a dataset, a folder or an archive, not none of them.")


def _dataset_images(opened: Dataset, part: Part, kinds: Sequence[str]) -> Iterator[_Named]:
    tested = {(field.name, field.input) for field in opened.part("test")}
    for field in opened.part(part):
        # Every result depends on this.
        assert field.part == part
        assert (field.name, field.input) not in tested
        for kind in kinds:
            image = opened.read_input(field) if kind == "input" else opened.read_target(field)
            yield image, field.name, field.group, kind


def _archive_images(name: str, settings: Settings) -> Iterator[_Named]:
    for image in archives.archive_images(name, settings):
        channel, _, inner = image.name.partition(":")
        yield image, inner, inner.partition(" ")[0], channel


def _split(folder: Path, options: SourceOptions, *, hold_out: bool) -> dict[Part, list[Path]]:
    """Return a folder's files to train on, and those for validation.

    A stack of which only some planes are trained on is among both.
    """

    def matched(path: Path, patterns: Sequence[str]) -> bool:
        return any(fnmatch(str(path.relative_to(folder)), pattern) for pattern in patterns)

    files = _image_files(folder)
    if options.files:
        files = [path for path in files if matched(path, options.files)]
        if not files:
            raise UsageError(f"{folder}: no image is named like {', '.join(options.files)}.")
    held = [path for path in files if matched(path, options.validation)]
    if options.validation and not held:
        raise UsageError(f"{folder}: no image is named like {', '.join(options.validation)}.")
    if hold_out and not options.validation and not options.planes and len(files) > 1:
        held = files[::HELD_OUT_EVERY]
    trained = [path for path in files if path not in held]
    return {"train": trained, "validation": trained + held if options.planes else held}


def _folder_images(folder: Path, files: Sequence[Path]) -> Iterator[_Named]:
    for path in files:
        try:
            images = read(path)
        except CytopressError as error:
            where = "" if str(path) in str(error) else f"{path}: "
            raise DatasetError(f"{where}{error}") from error
        for image in images:
            name = str(path.relative_to(folder))
            named = f"{name} {image.name}" if len(images) > 1 else name
            yield image, named, name, "image"


def _of_planes(
    named: Iterable[_Named], planes: tuple[int, int] | None, part: Part
) -> Iterator[_Named]:
    """Yield the images with those planes of a stack that belong to a part."""
    for image, name, group, kind in named:
        if planes is None or image.pixels.ndim == 2:
            yield image, name, group, kind
            continue
        first, last = planes
        runs = (
            [slice(first, last + 1)] if part == "train" else [slice(first), slice(last + 1, None)]
        )
        for run in runs:
            if len(image.pixels[run]):
                yield replace(image, pixels=image.pixels[run]), name, group, kind


def _tell_held_out(folder: Path, files: Mapping[Part, Sequence[Path]]) -> None:
    held, trained = (len(files[part]) for part in ("validation", "train"))
    if held:
        warnings.warn(
            f"{folder}: {held} of {count_text(held + trained, 'file')} are held out for validation,"
            " since no dataset of this training has a validation part.",
            CytopressWarning,
            stacklevel=2,
        )


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
    suffixes = (*IMAGE_SUFFIXES, ".zarr")
    files = sorted(p for p in folder.rglob("*") if p.name.lower().endswith(suffixes))
    # Files inside an OME-Zarr are no images of their own.
    return [p for p in files if not any(up.suffix.lower() == ".zarr" for up in p.parents)]


def _cut(image: Image, name: str, group: str, kind: str, *, volumes: bool) -> Iterator[Raw]:
    if volumes or image.pixels.ndim == 2:
        yield Raw(image.pixels, name, group, kind)
        return
    for z, plane in enumerate(image.pixels):
        yield Raw(plane, f"{name} Z={z}", group, kind)
