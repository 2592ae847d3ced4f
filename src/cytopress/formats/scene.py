"""Scenes of a file: their axes and metadata, known before any pixel is loaded.

Axes have the letters of OME: T (time), C (channel), Z, Y, X. Each combination of T and C is one
Image, in each scene (S: one of several pictures in a file). A dimension of length 1 without a name
is dropped.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cytopress.errors import CytopressWarning, ImageError, UsageError
from cytopress.image import DTYPES, Image, Pixels

LETTERS = "TCZYX"
Index = tuple[int | slice, ...]


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
        Takes an index (an integer or a full slice for each dimension), and returns pixels; loads
        no more than needed.
    spacing_um : mapping
        Micrometers between samples along each axis that the metadata give.
    channels : sequence of str
        Names along C; empty where there are none.
    bits : int
        Significant bits; 0 where the metadata lack them.
    """

    path: str
    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    load: Callable[[Index], Pixels]
    spacing_um: Mapping[str, float] = field(default_factory=dict)
    channels: Sequence[str] = ()
    bits: int = 0

    def length(self, letter: str) -> int:
        """Return the length of an axis; 1 for an axis that the scene lacks."""
        return self.shape[self.axes.index(letter)] if letter in self.axes else 1

    def channel_name(self, index: int) -> str:
        """Return a channel's name where a selection can use it, else its number."""
        names = list(self.channels)
        name = names[index] if index < len(names) else ""
        usable = name and not name.isdigit() and not set(name) & set("=,")
        return name if usable and names.count(name) == 1 else str(index)


def with_axes(scene: Scene, asked: str | None) -> Scene:
    """Return a copy with every dimension named T, C, Z, Y, X or "." (dropped).

    Raises
    ------
    UsageError
        The axes are unknown and not given, or those given do not fit the dimensions.
    ImageError
        The file holds color.
    """
    there = f"{scene.axes} of shape {scene.shape}"
    if asked is not None:
        letters = set(asked)
        if letters - set(LETTERS) or len(letters) < len(asked) or not {"Y", "X"} <= letters:
            raise UsageError(f"axes must be Y, X and any of T, C, Z, each once, not {asked!r}.")
        named = _fit(scene, asked)
        if named is None:
            way = ""
            if "T" not in asked and scene.length("T") > 1:
                way = " It is a time series: write each time point to a file of its own."
            raise UsageError(f"{scene.path}: axes {asked} do not fit the file: {there}.{way}")
        _warn_of_time(scene, named)
        return replace(scene, axes=named)
    named = "".join(
        "." if length == 1 and letter not in LETTERS else letter
        for letter, length in zip(scene.axes, scene.shape, strict=True)
    )
    if "S" in named:
        way = "give its channels as separate grey images"
        if "C" not in named:
            axes = named.replace(".", "").replace("S", "C")
            way = f"read its channels as grey images with --axes {axes}"
        raise ImageError(f"{scene.path}: this is a color image ({there}); {way}.")
    if set(named) - set(LETTERS + ".") or not {"Y", "X"} <= set(named):
        raise UsageError(
            f"{scene.path}: the file does not say what its axes are ({there}); give them with"
            " --axes (axes= in Python), for example ZYX, CYX, TYX or TCZYX."
        )
    return replace(scene, axes=named)


def _warn_of_time(scene: Scene, named: str) -> None:
    """Warn where time is read as depth: programs mix them up, and so do users."""
    if any(old == "T" and new == "Z" for old, new in zip(scene.axes, named, strict=True)):
        warnings.warn(
            f"{scene.path}: the {scene.length('T')} planes are time points (T) by the metadata, and"
            " are read as depth (Z), as --axes says; a time series is no stack.",
            CytopressWarning,
            stacklevel=2,
        )


def _fit(scene: Scene, asked: str) -> str | None:
    """Assign the given letters to the dimensions, or return None."""
    dimensions = range(len(scene.shape))
    kept = list(dimensions)
    if len(asked) != len(kept):
        kept = [d for d in dimensions if scene.shape[d] != 1 or d >= len(scene.shape) - 2]
    if len(asked) != len(kept):
        # The metadata name the axes; given ones that the file lacks have length 1.
        known = "".join(scene.axes[d] for d in kept)
        asked = "".join(letter for letter in asked if letter in known)
        if asked != known:
            return None
    letters = dict(zip(kept, asked, strict=True))
    colors = [d for d in kept if scene.axes[d] == "S" and scene.shape[d] > 1]
    # Many programs tag three or four grey planes before Y and X as color. Samples within a pixel
    # are channels.
    if any(letters[d] != "C" and d == len(scene.shape) - 1 for d in colors):
        return None
    return "".join(letters.get(d, ".") for d in dimensions)


def check_dtype(scene: Scene) -> None:
    """Refuse pixel types that an Image cannot hold unaltered, before any pixel is loaded."""
    if scene.dtype.newbyteorder("=") not in DTYPES:
        raise ImageError(
            f"{scene.path}: pixels must be uint8, uint16 or float32, not {scene.dtype.name};"
            " convert the file as suits your data."
        )


def take(scene: Scene, at: Mapping[str, int], *, keep_z: bool, name: str) -> Image:
    """Load one image.

    A stack of one plane is a plane, unless ``keep_z``.
    """
    pixels = take_pixels(scene, at, keep_z=keep_z)
    spacing = tuple(scene.spacing_um.get(letter, 0.0) for letter in "ZYX"[-pixels.ndim :])
    return Image(
        pixels,
        bits=_bits(scene, pixels),
        spacing_um=spacing if all(spacing) else None,
        name=name,
    )


def take_pixels(scene: Scene, at: Mapping[str, int], *, keep_z: bool) -> Pixels:
    """Load the pixels of one image, of any dtype, in the order ZYX or YX."""
    flat = _is_flat(scene, at, keep_z=keep_z)
    index: list[int | slice] = []
    left = ""
    for letter in scene.axes:
        if letter in "YX" or (letter == "Z" and not flat):
            index.append(slice(None))
            left += letter
        else:
            index.append(at.get(letter, 0))
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
    if pixels.dtype.kind == "f" or not 0 < scene.bits < pixels.dtype.itemsize * 8:
        return 0
    if pixels.size and int(pixels.max()) >> scene.bits:
        warnings.warn(
            f"{scene.path}: the metadata say {scene.bits} significant bits, but a pixel is"
            f" {pixels.max()}; read as {pixels.dtype.itemsize * 8} bits.",
            stacklevel=2,
        )
        return 0
    return scene.bits
