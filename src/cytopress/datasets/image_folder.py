"""Datasets of a folder of images without pairs: a dataset a channel, metadata from the files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cytopress.datasets.dataset import Dataset, Field, FileMetadata
from cytopress.datasets.folder_files import image_files
from cytopress.datasets.folder_images import FolderImage, images_of
from cytopress.datasets.image_names import NameParts, groups_of, split_names
from cytopress.errors import CytopressError, DatasetError, UnknownNameError, UsageError
from cytopress.figures import count_text
from cytopress.image import Spacing

MOST_NAMED = 6


@dataclass(frozen=True, kw_only=True)
class FolderOptions:
    """How a folder of images is read; what is None is guessed, or taken from the files.

    Parameters
    ----------
    channels, groups : str, optional
        Patterns of the names (see `cytopress.datasets.name_patterns.compile_pattern`).
    only : tuple of str, optional
        The channels to use, by the names found.
    axes : str, optional
        Axes of files whose metadata lack them, such as ZYX.
    bits : int, optional
        Significant bits.
    pixel_size_um : float, optional
        Distance of the pixels along Y and X.
    limit : int, optional
        Largest number of fields of each group.
    skip_unreadable : bool
        Leave out files that cannot be read; otherwise they are an error.
    """

    channels: str | None = None
    groups: str | None = None
    only: tuple[str, ...] | None = None
    axes: str | None = None
    bits: int | None = None
    pixel_size_um: float | None = None
    limit: int | None = None
    skip_unreadable: bool = False


@dataclass(frozen=True)
class ImageFolder:
    """The datasets of a folder, one for each channel, and notes on what was guessed."""

    datasets: tuple[Dataset, ...]
    notes: tuple[str, ...] = field(default=())


def open_image_folder(folder: Path, options: FolderOptions | None = None) -> ImageFolder:
    """Find the images of a folder and its subfolders; reads metadata, and no pixels.

    Channels come from the files or from their names; a time point, a scene (position) and each
    file with another name is a field.

    Parameters
    ----------
    folder : Path
        Any folder with images.
    options : FolderOptions, optional
        What is not to be guessed.

    Raises
    ------
    UsageError
        There is no such folder, a pattern does not fit, or there is no such channel.
    DatasetError
        There is no image, files cannot be read (a line for each), or images of one channel have
        different axes or pixel types.
    """
    options = options or FolderOptions()
    files, notes = image_files(folder)
    names = [name for name, _ in files]
    parts = split_names(names, options.channels)
    notes += _channel_notes(names, parts, options)
    images = _images(folder, files, parts, options, notes)
    images, group_note = _grouped(images, options, folder)
    channels = _by_channel(images, options)
    datasets = [_dataset(folder, channel, found, options) for channel, found in channels.items()]
    notes += [group_note, *_count_notes(channels), *_metadata_notes(datasets, options)]
    return ImageFolder(tuple(datasets), tuple(notes))


def _images(
    folder: Path,
    files: Sequence[tuple[str, Path]],
    parts: Sequence[NameParts] | None,
    options: FolderOptions,
    notes: list[str],
) -> list[FolderImage]:
    found: list[FolderImage] = []
    faults = []
    for number, (name, path) in enumerate(files):
        part = NameParts(name, "") if parts is None else parts[number]
        try:
            found += images_of(path, name, part, axes=options.axes, whole=options.skip_unreadable)
        except CytopressError as error:
            faults.append(str(error))
    if faults and not options.skip_unreadable:
        raise DatasetError(unreadable(folder, faults, len(files)))
    notes += [f"left out: {fault.rstrip('.')}" for fault in faults]
    if not found:
        raise DatasetError(f"{folder}: none of its {count_text(len(files), 'file')} can be read.")
    return found


def unreadable(folder: Path, faults: Sequence[str], total: int) -> str:
    """Return an error of files that cannot be read, with a line for each."""
    lines = "\n  ".join(faults)
    return (
        f"{folder}: {len(faults)} of {count_text(total, 'image')} cannot be read:\n"
        f"  {lines}\nNothing was run."
        " Mend or remove these files, or go on without them by --skip-unreadable."
    )


def _grouped(
    images: Sequence[FolderImage], options: FolderOptions, folder: Path
) -> tuple[list[FolderImage], str]:
    """Return the images with their groups, and what the groups are."""
    if options.groups is not None:
        found = groups_of([image.name for image in images], options.groups)
    else:
        found = groups_of([image.stem for image in images])
        files, places = {image.path for image in images}, {image.place for image in images}
        if found is None and len(places) > len(files) > 1:
            found = [image.stem for image in images], "the files"
        elif found is None and len({image.scene for image in images}) > 1:
            found = [f"S={image.scene}" for image in images], "the positions in the file"
    if found is None:
        name = folder.resolve().name
        note = (
            "all fields are one group, since there are no subfolders and no wells in the names;"
            " give --groups '{group}_*' where the names say what belongs together"
        )
        return [replace(image, group=name) for image in images], note
    groups, what = found
    note = f"{count_text(len(set(groups)), 'group')}: {what} ({_some(dict.fromkeys(groups))})"
    return [replace(i, group=group) for i, group in zip(images, groups, strict=True)], note


def _by_channel(
    images: Sequence[FolderImage], options: FolderOptions
) -> dict[str, list[FolderImage]]:
    channels: dict[str, list[FolderImage]] = {}
    for image in images:
        channels.setdefault(image.channel, []).append(image)
    channels = {name: channels[name] for name in sorted(channels, key=natural)}
    for name in options.only or ():
        if name not in channels:
            raise UnknownNameError("channel of these images", name, list(channels))
    if options.only is not None:
        channels = {name: channels[name] for name in dict.fromkeys(options.only)}
    return {name: _checked(name, found, options) for name, found in channels.items()}


def _checked(
    channel: str, images: Sequence[FolderImage], options: FolderOptions
) -> list[FolderImage]:
    """Return the images to use of a channel, which must be of one form and differ in name."""
    what = f"channel {channel}" if channel else "the images"
    first = images[0]
    for image in images:
        if (image.axes, image.dtype) != (first.axes, first.dtype):
            raise DatasetError(
                f"{first.path.name} is {first.axes} of {first.dtype}, but {image.path.name} is"
                f" {image.axes} of {image.dtype}, and both are of {what}; put them into folders of"
                " their own, or say which part of the names is the channel with --channels."
            )
    named: dict[str, FolderImage] = {}
    for image in images:
        other = named.setdefault(image.field, image)
        if other is not image:
            raise UsageError(
                f"{other.path} and {image.path} are both field {image.field} of {what}; say which"
                " part of the names is the channel with --channels, such as '*_{channel}'."
            )
    counts: Counter[str] = Counter()
    kept = []
    for image in sorted(images, key=lambda one: natural(one.field)):
        counts[image.group] += 1
        if options.limit is None or counts[image.group] <= options.limit:
            kept.append(image)
    return kept


def _dataset(
    folder: Path, channel: str, images: Sequence[FolderImage], options: FolderOptions
) -> Dataset:
    name = folder.resolve().name or "images"
    spacings = [_spacing(image, options.pixel_size_um) for image in images]
    sizes = {None if spacing is None else spacing[-1] for spacing in spacings}
    fields = tuple(
        Field(
            image.field,
            image.group,
            "test",
            image.path,
            input_select=image.select,
            metadata=FileMetadata(
                dtype=image.dtype,
                axes=options.axes,
                bits=image.bits if options.bits is None else None,
                spacing_um=spacing,
            ),
        )
        for image, spacing in zip(images, spacings, strict=True)
    )
    return Dataset(
        name=f"{name}/{channel}" if channel else name,
        title=f"{channel} of {name}" if channel else name,
        input=channel or "images",
        target="",
        axes=images[0].axes,
        bits=options.bits or max(image.bits for image in images),
        pixel_size_um=sizes.pop() if len(sizes) == 1 else None,
        licence="",
        attribution="",
        notes="",
        folder=folder,
        fields=fields,
    )


def _spacing(image: FolderImage, size: float | None) -> Spacing | None:
    """Return the spacing of an image, with the given pixel size in place of the file's."""
    if size is None:
        return image.spacing_um
    depth = image.spacing_um or (None,) * len(image.axes)
    return (*depth[:-2], size, size)


def _channel_notes(
    names: Sequence[str], parts: Sequence[NameParts] | None, options: FolderOptions
) -> list[str]:
    if parts is None or options.channels is not None:
        return []
    channels = sorted({part.channel for part in parts}, key=natural)
    if len(channels) < 2:
        return []
    guessed = f"{len(channels)} channels guessed from the names: {_some(channels)}"
    example = f"as {parts[0].channel} in {names[0]}"
    return [f"{guessed} ({example}); where that is wrong, give --channels '*_{{channel}}'"]


def _count_notes(channels: dict[str, list[FolderImage]]) -> list[str]:
    """Return notes on fields that some channels have and others lack."""
    fields = {name: {image.field for image in found} for name, found in channels.items()}
    everything = set().union(*fields.values())
    return [
        f"channel {name} has {len(found)} of {count_text(len(everything), 'field')} (not"
        f" {_some(sorted(everything - found, key=natural))})"
        for name, found in fields.items()
        if found != everything
    ]


def _metadata_notes(datasets: Sequence[Dataset], options: FolderOptions) -> list[str]:
    notes = []
    unknown = [found for found in datasets if found.pixel_size_um is None]
    if unknown and options.pixel_size_um is None:
        notes.append(
            "the files do not say one pixel size, so results are in pixels; give --pixel-size UM"
        )
    wide = [found for found in datasets if found.bits == 16]
    if wide and options.bits is None:
        notes.append(
            "taken as 16-bit, since the files say nothing else; for a 12-bit camera give --bits 12"
        )
    return notes


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return the key that sorts numbers inside texts by their value."""
    parts = re.split(r"(\d+)", text)
    return [(1, int(p), p) if p.isdecimal() else (0, 0, p.lower()) for p in parts]


def _some(names: Iterable[str]) -> str:
    names = list(names)
    left = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {left} more" if left > 0 else "")
