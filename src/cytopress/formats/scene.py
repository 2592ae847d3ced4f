"""Scenes of a file: their axes and metadata, known before any pixel is loaded.

Axes have the letters of OME: T (time), C (channel), Z, Y, X. Each combination of T and C is one
Image, in each scene (S: one of several pictures in a file). A dimension of length 1 without a name
is dropped.
"""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cytopress.errors import CytopressError, CytopressWarning, ImageError
from cytopress.image import DTYPES, MEASURED, Image, Pixels, dtype_names

LETTERS = "TCZYX"
Index = tuple[int | slice, ...]


@dataclass(frozen=True)
class SourceMetadata:
    """The OME-XML that describes a scene.

    Parameters
    ----------
    text : str
        The document: that of the file, or one made from what is known.
    image : int
        The number of the ``Image`` in it that describes the scene.
    lost : sequence of str
        What the file holds beyond, which OME-XML cannot say.
    """

    text: str
    image: int = 0
    lost: Sequence[str] = ()


@dataclass(frozen=True)
class Scene:
    """One scene of a file.

    Parameters
    ----------
    path : str
        The file, for messages.
    shape : tuple of int
        Length of each dimension, in the file's order.
    axes : str
        A letter for each dimension, from the file's metadata; "S" is samples of color, "." a
        dropped dimension, and any letter other than TCZYX an unknown one.
    dtype : numpy dtype
        Of the stored pixels.
    load : callable
        Takes an index (an integer or a slice without a step for each dimension), and returns
        pixels; loads no more than needed.
    spacing_um : mapping
        Micrometers between samples along each axis that the metadata give.
    channels : sequence of str
        Names along C; empty where there are none.
    bits : int
        Significant bits; 0 where the metadata lack them.
    notes : sequence of str
        Why metadata that are there cannot be used.
    zero_is_white : bool
        Whether the stored values count from white; ``load`` returns them from black.
    color : bool
        Whether the pixels are stored as color, which may turn out to be gray.
    fault : CytopressError, optional
        Why the scene cannot be read, though others of the file may.
    check_planes : callable
        Takes an index as ``load`` does, and the axes; raises an ImageError where a whole plane has
        no data.
    count_missing : callable, optional
        Returns how many chunks are missing, which are read as a constant, and of how many.
    metadata : callable, optional
        Returns the OME-XML, or None where there is none beyond this description.
    """

    path: str
    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    load: Callable[[Index], Pixels]
    spacing_um: Mapping[str, float] = field(default_factory=dict)
    channels: Sequence[str] = ()
    bits: int = 0
    notes: Sequence[str] = ()
    zero_is_white: bool = False
    color: bool = False
    fault: CytopressError | None = None
    check_planes: Callable[[Index, str], None] | None = None
    count_missing: Callable[[], tuple[int, int]] | None = None
    metadata: Callable[[], SourceMetadata | None] | None = None

    def length(self, letter: str) -> int:
        """Return the length of an axis; 1 for an axis that the scene lacks."""
        return self.shape[self.axes.index(letter)] if letter in self.axes else 1

    def channel_name(self, index: int) -> str:
        """Return a channel's name where a selection can use it, else its number.

        A name of digits, such as 488, is usable where it is no channel's number.
        """
        return self._selecting[index] if self._selecting else str(index)

    @functools.cached_property
    def _selecting(self) -> list[str]:
        """The name of each channel that a selection uses; empty where there are none."""
        names, length = [name.strip() for name in self.channels], self.length("C")
        if len(names) != length:
            return []
        counts = Counter(names)
        return [
            name
            if name
            and counts[name] == 1
            and not is_number(name, length)
            and not set(name) & set("=,")
            else str(index)
            for index, name in enumerate(names)
        ]


def is_number(text: str, length: int) -> bool:
    """Return whether a text is a position along an axis of this length."""
    return text.isdecimal() and int(text) < length


def check_dtype(scene: Scene, *, of_dataset: bool = False) -> None:
    """Refuse pixel types that an Image cannot hold unaltered, before any pixel is loaded.

    A dataset's images are measured, so those of other types than `MEASURED` are refused too.
    """
    taken = MEASURED if of_dataset else DTYPES
    if scene.dtype.newbyteorder("=") not in taken:
        raise ImageError(
            f"{scene.path}: pixels must be {dtype_names(taken)}, not {scene.dtype.name}; convert"
            " the file as suits your data."
        )


def take(
    scene: Scene, at: Mapping[str, int], *, keep_z: bool, name: str, of_dataset: bool = False
) -> Image:
    """Load one image.

    A stack of one plane is a plane, unless ``keep_z``. For ``of_dataset``, see `read_one`.
    """
    pixels = take_pixels(scene, at, keep_z=keep_z, whole=of_dataset)
    letters = "ZYX"[-pixels.ndim :]
    spacing = tuple(scene.spacing_um.get(letter) for letter in letters)
    notes = [] if of_dataset else _unused(scene, letters)
    # A dataset states all but the distance of planes.
    if not of_dataset or "Z" in letters:
        notes = [*scene.notes, *notes]
    if notes:
        warnings.warn(f"{scene.path}: {'; '.join(notes)}.", CytopressWarning, stacklevel=2)
    return Image(
        pixels,
        bits=0 if of_dataset else _bits(scene, pixels),
        spacing_um=spacing,
        name=name,
    )


def _unused(scene: Scene, letters: str) -> list[str]:
    """Return what spacing and names that are there cannot say of the image, and why."""
    notes = []
    known = [letter for letter in letters if letter in scene.spacing_um]
    if known and len(known) < len(letters):
        lacking = " and ".join(letter for letter in letters if letter not in known)
        notes.append(
            f"the distance of samples is known along {' and '.join(known)} but not {lacking}, so"
            " it is kept along those alone"
        )
    if scene.channels and len(scene.channels) != scene.length("C"):
        notes.append(
            f"the number of channel names, {len(scene.channels)}, is not that of the channels,"
            f" {scene.length('C')}, so they are not used"
        )
    elif len(scene.channels) > 1:
        names = [name.strip() for name in scene.channels]
        selecting = [scene.channel_name(i) for i in range(len(names))]
        lost = [name for i, name in enumerate(names) if name and name != selecting[i]]
        if lost:
            notes.append(
                f"channels named {', '.join(map(repr, lost))} are selected by their number, since"
                " such a name is another channel's too, or its number, or holds = or a comma"
            )
    return notes


def take_pixels(
    scene: Scene, at: Mapping[str, int], *, keep_z: bool, whole: bool = False
) -> Pixels:
    """Load the pixels of one image, of any dtype, in the order ZYX or YX.

    With ``whole``, a plane without data is an error.
    """
    flat = _is_flat(scene, at, keep_z=keep_z)
    index: list[int | slice] = []
    left = ""
    for letter in scene.axes:
        if letter in "YX" or (letter == "Z" and not flat):
            index.append(slice(None))
            left += letter
        else:
            index.append(at.get(letter, 0))
    if whole and scene.check_planes is not None:
        scene.check_planes(tuple(index), scene.axes)
    pixels = scene.load(tuple(index))
    axes = "YX" if flat else "ZYX"
    if "Z" in axes and "Z" not in left:
        pixels, left = pixels[None], f"Z{left}"
    return pixels.transpose([left.index(letter) for letter in axes])


def taken_shape(scene: Scene, at: Mapping[str, int], *, keep_z: bool) -> tuple[int, ...]:
    """Return the shape of what `take_pixels` would return, without loading it."""
    axes = "YX" if _is_flat(scene, at, keep_z=keep_z) else "ZYX"
    return tuple(scene.length(letter) for letter in axes)


def _is_flat(scene: Scene, at: Mapping[str, int], *, keep_z: bool) -> bool:
    return "Z" in at or (scene.length("Z") == 1 and not keep_z)


def _bits(scene: Scene, pixels: Pixels) -> int:
    if pixels.dtype.kind != "u" or not 0 < scene.bits < pixels.dtype.itemsize * 8:
        return 0
    if pixels.size and int(pixels.max()) >> scene.bits:
        warnings.warn(
            f"{scene.path}: the metadata say {scene.bits} significant bits, but a pixel is"
            f" {pixels.max()}; read as {pixels.dtype.itemsize * 8} bits.",
            CytopressWarning,
            stacklevel=2,
        )
        return 0
    return scene.bits
