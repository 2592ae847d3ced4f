"""Inspection of sources: the images that they become, their channels, and what is left out."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from cytopress.archive.carried import carry
from cytopress.archive.history import earlier_loss
from cytopress.archive.masks import is_named_mask, looks_like_labels
from cytopress.archive.plan import ImagePlan, Shape
from cytopress.archive.pyramid import depth_factors
from cytopress.archive.sources import ENDING, Source, checked, load, opened, reason
from cytopress.digests import digest_path
from cytopress.errors import CytopressError, CytopressWarning, UsageError
from cytopress.figures import count_text
from cytopress.formats.scene import Scene
from cytopress.image import DTYPES

# Planes of a chunk of a codec of volumes.
DEEP = 32
# Resolutions are added until an image is no longer than this.
SMALL = 1024
# Edge of the part of a plane that is looked at for labels, and files of one kind that are looked
# at until one is not empty.
LOOKED_AT, TRIES = 1024, 4
NUMBERS = re.compile(r"\d+")
# Integers of so many bytes are numbers of objects, not counts.
WIDE = 4
LEAVE_OUT = "Or leave out sources that cannot be archived: --skip-unreadable."


@dataclass(frozen=True)
class ChannelKey:
    """What channels of a data set have in common that share a setting."""

    name: str
    dtype: str
    bits: int
    labels: bool = False
    plain: bool = False


@dataclass(frozen=True, kw_only=True)
class Form:
    """What of the options decides on the form of images.

    Parameters
    ----------
    chunk : int
        Edge of a chunk in pixels.
    axes : str, optional
        Axes of sources that do not say theirs.
    is_deep : callable
        Takes channel names; whether their codecs code volumes alone.
    shard_bytes : callable
        Takes channel names and the shape of a chunk; most bytes of a shard before coding.
    named : collection of str
        Channels that are given a codec by name, and so are coded as asked.
    hash : bool
        Whether the SHA-256 of every source is computed.
    """

    chunk: int
    axes: str | None
    is_deep: Callable[[Sequence[str]], bool]
    shard_bytes: Callable[[Sequence[str], Shape], int]
    named: frozenset[str]
    hash: bool = False


@dataclass
class Inspection:
    """The images and channels of sources, and sentences on what is left out.

    ``channels`` holds for each setting the places where it is used: images and channels.
    """

    form: Form
    images: list[ImagePlan] = field(default_factory=list)
    channels: dict[ChannelKey, list[tuple[int, int]]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    _notes: dict[str, list[str]] = field(default_factory=dict)
    _kinds: dict[str, bool] = field(default_factory=dict)
    _tries: dict[str, int] = field(default_factory=dict)
    _fields: dict[str, int] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """One sentence for each thing that cannot be carried over, or is done in another way."""
        found = list(self.left_out)
        for text, names in self._notes.items():
            several = f" and {count_text(len(names) - 1, 'other')}" if len(names) > 1 else ""
            found.append(f"{names[0]}{several}: {text}.")
        return found

    def add(self, source: Source, *, skip_unreadable: bool, several: bool = True) -> None:
        """Inspect a source, which is the only one or one of several.

        Raises
        ------
        CytopressError
            It cannot be read, or is of a kind that cannot be archived.
        """
        if source.labels and not self._has_parent(source):
            return
        try:
            images = list(self._images(source))
        except CytopressError as error:
            if not skip_unreadable and several:
                raise type(error)(f"{error} {LEAVE_OUT}") from error
            if not skip_unreadable:
                raise
            why = reason(error, source.path)
            self.left_out.append(f"{source.path} is left out: {why}")
            return
        names = {image.name.casefold(): image.source for image in self.images}
        for image, keys in images:
            if image.name.casefold() in names:
                raise UsageError(
                    f"{names[image.name.casefold()]} and {source.path} would both be {image.name}"
                    " in the archive; rename one."
                )
            for at, key in enumerate(keys):
                self.channels.setdefault(key, []).append((len(self.images), at))
            places = tuple(list(self.channels).index(key) for key in keys)
            self.images.append(replace(image, codings=places))

    def _has_parent(self, source: Source) -> bool:
        parent = source.name.rpartition("/labels/")[0]
        return any(image.name == parent for image in self.images)

    def _images(self, source: Source) -> list[tuple[ImagePlan, list[ChannelKey]]]:
        with (
            warnings.catch_warnings(record=True) as said,
            opened(source, self.form.axes) as scenes,
        ):
            warnings.simplefilter("always", CytopressWarning)
            found = [
                self._image(source, checked(scene), place, len(scenes))
                for place, scene in enumerate(scenes)
            ]
        for one in said:
            # Those of plugins have several lines.
            text = " ".join(str(one.message).split())
            self._note(source, text.removeprefix(f"{source.path}: ").rstrip("."))
        return found

    def _image(
        self, source: Source, scene: Scene, place: int, count: int
    ) -> tuple[ImagePlan, list[ChannelKey]]:
        dtype = scene.dtype.newbyteorder("=")
        if dtype.kind not in "buif":
            raise UsageError(f"{source.path}: pixels of {dtype.name} cannot be archived.")
        self._check_pixels(source, scene)
        carried, lost = carry(scene, source.path)
        for one in lost:
            self._note(source, f"not carried over: {one}")
        names = self._channel_names(source, scene)
        keys = [self._key(source, scene, at, name) for at, name in enumerate(names)]
        plain = source.labels or all(key.plain for key in keys)
        t, c, z, y, x = (scene.length(letter) for letter in "TCZYX")
        deep = min(z, DEEP) if not plain and self.form.is_deep(names) else 1
        chunk: Shape = (1, 1, deep, min(self.form.chunk, y), min(self.form.chunk, x))
        spacing = (scene.spacing_um.get("Z"), scene.spacing_um.get("Y"), scene.spacing_um.get("X"))
        levels = 1 + max(0, math.ceil(math.log2(max(y, x) / SMALL)))
        depths = depth_factors(levels, spacing)
        return ImagePlan(
            name=self._name(source, place, count),
            source=str(source.path.resolve()),
            source_name=source.name,
            parts=tuple(str(one.resolve()) for one in source.parts),
            axes=self.form.axes,
            scene=place,
            identity=source.identity,
            shape=(t, c, z, y, x),
            spacing_um=spacing,
            channels=tuple(names),
            codings=(),
            dtype=dtype.name,
            levels=levels,
            depths=depths if max(depths) > 1 else (),
            chunk=chunk,
            shard=shard_of(chunk, (z, y, x), dtype.itemsize, self.form.shard_bytes(names, chunk)),
            history=tuple(earlier_loss(source.path)),
            plain=plain,
            carried=carried,
            sha256=digest_path(source.path) if self.form.hash else None,
        ), keys

    def _name(self, source: Source, place: int, count: int) -> str:
        if source.well:
            number = self._fields.get(source.well, 0)
            self._fields[source.well] = number + 1
            return f"{source.well}/{number}"
        if source.within:
            return source.name
        return source.name + (f"_{place}" if count > 1 else "") + ENDING

    def _check_pixels(self, source: Source, scene: Scene) -> None:
        """Refuse what would fail while the archive is written, as far as metadata tell."""
        whole = tuple(slice(None) if one in "TCZYX" else 0 for one in scene.axes)
        if scene.check_planes is not None:
            scene.check_planes(whole, scene.axes)
        if scene.count_missing is not None and (missing := scene.count_missing())[0]:
            text = "{} of {} chunks are missing and are archived as the fill value".format(*missing)
            self._note(source, text)
        if scene.color:
            load(scene, 0, 0, range(1))
            self._note(source, "is stored as color, with equal channels, and is archived as gray")
        if scene.zero_is_white:
            self._note(source, "0 means white in it (MINISWHITE), and black in the archive")

    def _channel_names(self, source: Source, scene: Scene) -> list[str]:
        """Return a name for each channel; "" for the only one, numbers where there are none."""
        count = scene.length("C")
        names = [name.strip() for name in scene.channels]
        if len(names) != count:
            return [""] if count == 1 else list(map(str, range(count)))
        if count > 1:
            names = [name or str(at) for at, name in enumerate(names)]
        seen: dict[str, int] = {}
        for at, name in enumerate(names):
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                names[at] = f"{name} ({seen[name]})"
                text = f"has several channels named {name!r}: the next is called {names[at]!r} here"
                self._note(source, text)
        return names

    def _key(self, source: Source, scene: Scene, at: int, name: str) -> ChannelKey:
        dtype = scene.dtype.newbyteorder("=")
        name = source.name.rpartition("/")[2] if source.labels and not name else name
        plain = source.labels or dtype not in DTYPES
        numbers = dtype.kind == "b" or (dtype.kind in "ui" and dtype.itemsize >= WIDE)
        labels = source.labels or numbers
        if not labels and dtype.kind != "f" and name not in self.form.named:
            labels = self._is_mask(source, scene, at, name)
            if labels:
                text = f"channel {name!r}" if name else "the image"
                self._note(source, f"{text} looks like a mask or labels and is kept losslessly")
        elif not source.labels and (numbers or plain):
            plain = plain or name not in self.form.named
            if plain:
                self._note(source, f"pixels of {dtype.name} are kept losslessly")
        single = scene.length("C") == 1
        return ChannelKey(name, dtype.name, scene.bits, labels, plain or (labels and single))

    def _is_mask(self, source: Source, scene: Scene, at: int, name: str) -> bool:
        """Look at the middle of a plane; files whose names differ by numbers are of one kind."""
        kind = f"{NUMBERS.sub('#', source.name)}\n{at}\n{name}\n{scene.dtype}"
        if kind in self._kinds:
            return self._kinds[kind]
        named = is_named_mask(source.name) or is_named_mask(name)
        if self._tries.get(kind, 0) >= TRIES:
            return named
        self._tries[kind] = self._tries.get(kind, 0) + 1
        rows, columns = (_middle(scene.length(letter)) for letter in "YX")
        z = scene.length("Z") // 2
        plane = load(scene, 0, at, range(z, z + 1), rows, columns)[0]
        found = looks_like_labels(plane)
        if found is None:
            return named
        self._kinds[kind] = found
        return found

    def _note(self, source: Source, text: str) -> None:
        names = self._notes.setdefault(text, [])
        if str(source.path) not in names:
            names.append(str(source.path))


def shard_of(chunk: Shape, lengths: tuple[int, int, int], itemsize: int, most: int) -> Shape:
    """Return a shard of whole planes, as many as fit into so many bytes; of parts if one is more.

    It has one chunk at least. Planes are parted into bands of rows first, as strips of TIFF are.
    """
    z, y, x = lengths
    _, _, cz, cy, cx = chunk
    rows, columns = -(-y // cy), -(-x // cx)
    while rows * columns * cy * cx * cz * itemsize > most and max(rows, columns) > 1:
        rows, columns = (-(-rows // 2), columns) if rows > 1 else (rows, -(-columns // 2))
    planes = max(1, most // (rows * columns * cy * cx * cz * itemsize))
    return (1, 1, cz * min(planes, -(-z // cz)), rows * cy, columns * cx)


def _middle(length: int) -> slice:
    start = max(0, (length - LOOKED_AT) // 2)
    return slice(start, min(start + LOOKED_AT, length))
