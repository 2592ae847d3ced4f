"""Axes of a scene's dimensions: those of the file's metadata, or those that the user gives."""

from __future__ import annotations

import warnings
from dataclasses import replace

from cytopress.errors import CytopressWarning, UsageError
from cytopress.formats.gray import as_gray
from cytopress.formats.scene import LETTERS, Scene


def with_axes(scene: Scene, asked: str | None) -> Scene:
    """Return a copy with every dimension named T, C, Z, Y, X or "." (dropped).

    Raises
    ------
    UsageError
        The axes are unknown and not given, or those given do not fit the dimensions.
    """
    there = f"{scene.axes} of shape {scene.shape}"
    if asked is not None:
        letters = set(asked)
        if letters - set(LETTERS) or len(letters) < len(asked) or not {"Y", "X"} <= letters:
            raise UsageError(f"axes must be Y, X and any of T, C, Z, each once, not {asked!r}.")
        named = _fit(scene, asked)
        if named is None and scene.axes.count("S") == 1:
            scene = as_gray(scene, there)
            named = _fit(scene, asked)
        if named is None:
            way = ""
            if "T" not in asked and scene.length("T") > 1:
                way = " It is a time series: write each time point to a file of its own."
            elif "C" not in asked and scene.length("C") > 1:
                way = " It has several channels: write each to a file of its own."
            raise UsageError(f"{scene.path}: axes {asked} do not fit the file: {there}.{way}")
        _warn_of_time(scene, named)
        return replace(scene, axes=named)
    named = "".join(
        "." if length == 1 and letter not in LETTERS else letter
        for letter, length in zip(scene.axes, scene.shape, strict=True)
    )
    if "S" in named:
        return as_gray(replace(scene, axes=named), there)
    if set(named) - set(LETTERS + ".") or not {"Y", "X"} <= set(named):
        there = "; ".join((there, *scene.notes))
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
