"""What a file holds, known before its pixels are loaded, and how an Image is taken from it.

A file's dimensions get the letters of the field: T (time), C (channel), Z, Y, X. Each combination
of T and C is one Image, and so is each scene (S: one of several pictures in one file). A dimension
of length 1 that nobody named is dropped.
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
class Scan:
    """One scene of a file.

    Parameters
    ----------
    path : str
        The file, for messages.
    shape : tuple of int
        Length of each dimension, in the file's order.
    axes : str
        A letter for each dimension as the file tells; "S" is samples of color, and letters
        other than TCZYX mean that the file does not tell. "." marks a dropped dimension.
    dtype : numpy dtype
        Of the stored pixels.
    load : callable
        From an index (an integer or a whole slice for each dimension) to pixels; loads no more
        than it must.
    spacing_um : mapping
        Micrometers between samples for each of the letters that the file tells.
    channels : sequence of str
        Names along C; empty where there are none.
    bits : int
        Significant bits; 0 where the file does not tell.
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
        """Return how many there are along an axis; an axis that is not there has one."""
        return self.shape[self.axes.index(letter)] if letter in self.axes else 1

    def channel_name(self, index: int) -> str:
        """Return a channel's name where it can stand in a selection, else its number."""
        names = list(self.channels)
        name = names[index] if index < len(names) else ""
        usable = name and not name.isdigit() and not set(name) & set("=,")
        return name if usable and names.count(name) == 1 else str(index)


def with_axes(scan: Scan, asked: str | None) -> Scan:
    """Return the scan with every dimension named T, C, Z, Y, X or "." (dropped).

    Raises
    ------
    UsageError
        The file does not tell its axes and nobody named them, or the names do not fit.
    ImageError
        The file holds color.
    """
    there = f"{scan.axes} of shape {scan.shape}"
    if asked is not None:
        letters = set(asked)
        if letters - set(LETTERS) or len(letters) < len(asked) or not {"Y", "X"} <= letters:
            raise UsageError(f"axes must be Y, X and any of T, C, Z, each once, not {asked!r}.")
        named = _fit(scan, asked)
        if named is None:
            way = ""
            if "T" not in asked and scan.length("T") > 1:
                way = " It is a time series: write each time point to a file of its own."
            raise UsageError(f"{scan.path}: axes {asked} do not fit what is there: {there}.{way}")
        _tell_time(scan, named)
        return replace(scan, axes=named)
    named = "".join(
        "." if length == 1 and letter not in LETTERS else letter
        for letter, length in zip(scan.axes, scan.shape, strict=True)
    )
    if "S" in named:
        way = "give its channels as separate grey images"
        if "C" not in named:
            axes = named.replace(".", "").replace("S", "C")
            way = f"read its channels as grey images with --axes {axes}"
        raise ImageError(f"{scan.path}: this is a color image ({there}); {way}.")
    if set(named) - set(LETTERS + ".") or not {"Y", "X"} <= set(named):
        raise UsageError(
            f"{scan.path}: the file does not tell what its axes are ({there}); name them with"
            " --axes (axes= in Python), for example ZYX, CYX, TYX or TCZYX."
        )
    return replace(scan, axes=named)


def _tell_time(scan: Scan, named: str) -> None:
    """Say that time is taken for depth: some programs write one for the other, some users too."""
    if any(told == "T" and now == "Z" for told, now in zip(scan.axes, named, strict=True)):
        warnings.warn(
            f"{scan.path}: the file calls its {scan.length('T')} planes time points (T), and they"
            " are read as depth (Z), as axes were named; a time series is no stack.",
            CytopressWarning,
            stacklevel=2,
        )


def _fit(scan: Scan, asked: str) -> str | None:
    """Lay the asked letters on the dimensions, or return None."""
    dimensions = range(len(scan.shape))
    kept = list(dimensions)
    if len(asked) != len(kept):
        kept = [d for d in dimensions if scan.shape[d] != 1 or d >= len(scan.shape) - 2]
    if len(asked) != len(kept):
        # The file tells its axes, and those that it lacks have length 1.
        told = "".join(scan.axes[d] for d in kept)
        asked = "".join(letter for letter in asked if letter in told)
        if asked != told:
            return None
    letters = dict(zip(kept, asked, strict=True))
    colors = [d for d in kept if scan.axes[d] == "S" and scan.shape[d] > 1]
    # Three or four grey planes before Y and X are often tagged as color by the program that wrote
    # them; samples within a pixel are channels.
    if any(letters[d] != "C" and d == len(scan.shape) - 1 for d in colors):
        return None
    return "".join(letters.get(d, ".") for d in dimensions)


def check_dtype(scan: Scan) -> None:
    """Refuse, before any pixel is loaded, what an Image cannot hold unaltered."""
    if scan.dtype.newbyteorder("=") not in DTYPES:
        raise ImageError(
            f"{scan.path}: pixels must be uint8, uint16 or float32, not {scan.dtype.name};"
            " convert the file in a way that suits your data."
        )


def take(scan: Scan, at: Mapping[str, int], *, keep_z: bool, name: str) -> Image:
    """Load one image.

    A stack of one plane is a plane, unless ``keep_z``.
    """
    pixels = take_pixels(scan, at, keep_z=keep_z)
    spacing = tuple(scan.spacing_um.get(letter, 0.0) for letter in "ZYX"[-pixels.ndim :])
    return Image(
        pixels,
        bits=_bits(scan, pixels),
        spacing_um=spacing if all(spacing) else None,
        name=name,
    )


def take_pixels(scan: Scan, at: Mapping[str, int], *, keep_z: bool) -> Pixels:
    """Load the pixels at one place, of whatever dtype, in the order ZYX or YX."""
    flat = _is_flat(scan, at, keep_z=keep_z)
    index: list[int | slice] = []
    left = ""
    for letter in scan.axes:
        if letter in "YX" or (letter == "Z" and not flat):
            index.append(slice(None))
            left += letter
        else:
            index.append(at.get(letter, 0))
    pixels = scan.load(tuple(index))
    axes = "YX" if flat else "ZYX"
    if "Z" in axes and "Z" not in left:
        pixels, left = pixels[None], f"Z{left}"
    return pixels.transpose([left.index(letter) for letter in axes])


def taken_shape(scan: Scan, at: Mapping[str, int], *, keep_z: bool) -> tuple[int, ...]:
    """Return the shape that `take_pixels` gives, without loading."""
    axes = "YX" if _is_flat(scan, at, keep_z=keep_z) else "ZYX"
    return tuple(scan.length(letter) for letter in axes)


def _is_flat(scan: Scan, at: Mapping[str, int], *, keep_z: bool) -> bool:
    return "Z" in at or (scan.length("Z") == 1 and not keep_z)


def _bits(scan: Scan, pixels: Pixels) -> int:
    if pixels.dtype.kind == "f" or not 0 < scan.bits < pixels.dtype.itemsize * 8:
        return 0
    if pixels.size and int(pixels.max()) >> scan.bits:
        warnings.warn(
            f"{scan.path}: claims {scan.bits} significant bits but has a pixel of {pixels.max()};"
            f" taken as {pixels.dtype.itemsize * 8} bits.",
            stacklevel=2,
        )
        return 0
    return scan.bits
