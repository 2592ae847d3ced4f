"""Gray images stored as color: equal channels, and an opaque alpha, are read as one plane."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from cytopress.errors import CytopressWarning, ImageError
from cytopress.formats.scene import Index, Scene
from cytopress.image import Pixels

# Samples of a pixel: gray with alpha, RGB, RGB with alpha.
COLORS = {2: 1, 3: 3, 4: 3}


def as_gray(scene: Scene, there: str) -> Scene:
    """Return a scene without its axis S, which is samples of color.

    Whether the samples are equal is known on loading: if they are not, that is an ImageError.

    Parameters
    ----------
    scene : Scene
        With "S" among its axes.
    there : str
        Its axes and shape, for messages.
    """
    axis = scene.axes.index("S")
    way = "give its channels as separate grey images"
    if "C" not in scene.axes:
        axes = scene.axes.replace(".", "").replace("S", "C")
        way = f"read its channels as grey images with --axes {axes}"

    def load(index: Index) -> Pixels:
        whole: Index = (*index[:axis], slice(None), *index[axis:])
        # Dimensions that an integer selects are gone from what is loaded.
        left = sum(isinstance(part, slice) for part in index[:axis])
        samples = np.moveaxis(scene.load(whole), left, 0)
        gray = _equal(samples)
        if gray is None:
            raise ImageError(f"{scene.path}: this is a color image ({there}); {way}.")
        warnings.warn(
            f"{scene.path}: stored as color ({there}), but its channels are equal, so it is read as"
            " one gray image.",
            CytopressWarning,
            stacklevel=2,
        )
        return gray

    return replace(
        scene,
        shape=scene.shape[:axis] + scene.shape[axis + 1 :],
        axes=scene.axes[:axis] + scene.axes[axis + 1 :],
        load=load,
        channels=scene.channels if "C" in scene.axes or len(scene.channels) == 1 else (),
        color=True,
    )


def _equal(samples: Pixels) -> Pixels | None:
    """Return the gray plane of samples (first axis), None where they differ or are see-through."""
    colors = COLORS.get(len(samples))
    if colors is None:
        return None
    opaque = np.iinfo(samples.dtype).max if samples.dtype.kind in "ui" else 1
    if (samples[1:colors] != samples[0]).any() or (samples[colors:] != opaque).any():
        return None
    return np.asarray(samples[0])
