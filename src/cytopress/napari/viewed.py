"""The visible region of a napari layer, and its comparison; without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytopress.errors import UsageError
from cytopress.image import Pixels
from cytopress.napari.comparison import Comparison, Field, Region, compare, visible_region
from cytopress.settings import Settings


@dataclass(frozen=True)
class View:
    """A plane of a layer and the part of it that is seen; nothing is loaded yet.

    Parameters
    ----------
    levels : sequence of array
        The layer's resolutions, the full one first; NumPy, zarr or dask.
    place : tuple of int
        Position of the plane along the axes in front of the last two.
    region : (slice, slice)
        Part of the plane in pixels, at most `comparison.LARGEST` a side.
    """

    levels: Sequence[Any]
    place: tuple[int, ...]
    region: Region

    def load(self) -> Pixels:
        """Return the region's pixels."""
        return np.asarray(self.levels[0][(*self.place, *self.region)])

    def planes(self) -> list[Any]:
        """Return the whole plane in each resolution; those of NumPy and dask load nothing."""
        return [_Plane(level, self._at(level)) for level in self.levels]

    def _at(self, level: Any) -> tuple[int, ...]:
        """Return the plane's position in a resolution, which may be smaller along other axes."""
        full = self.levels[0].shape
        return tuple(
            min(at * length // whole, length - 1)
            for at, length, whole in zip(self.place, level.shape[:-2], full[:-2], strict=True)
        )


@dataclass(frozen=True)
class _Plane:
    """A plane of an array with more axes, loaded where it is indexed."""

    array: Any
    place: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape[-2:])

    def __getitem__(self, region: Region) -> Any:
        return self.array[(*self.place, *region)]


def view_of(layer: Any, dims: Any) -> View:
    """Return what is seen of an image layer.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer.
    dims : napari.components.Dims
        The viewer's dimensions.

    Raises
    ------
    UsageError
        It has color, is shown in 3D, or from another side than along its last two axes.
    """
    if layer.rgb:
        raise UsageError("The layer has color: split it into gray channels.")
    if dims.ndisplay != 2:
        raise UsageError("Switch to the 2D view: planes are compared.")
    if tuple(dims.displayed) != (dims.ndim - 2, dims.ndim - 1) or layer.ndim < 2:
        raise UsageError("Show the last two axes of the layer: the plane that is coded.")
    levels = list(layer.data) if layer.multiscale else [layer.data]
    shape = levels[0].shape
    point = layer.world_to_data(dims.point[-layer.ndim :])[:-2]
    place = tuple(
        int(np.clip(np.round(at), 0, length - 1))
        for at, length in zip(point, shape[:-2], strict=True)
    )
    corners = np.asarray(layer.corner_pixels, float)[:, -2:]
    if layer.multiscale:
        corners = corners * np.asarray(layer.downsample_factors)[layer.data_level][-2:]
    return View(levels, place, visible_region(corners, shape[-2:]))


class Comparer:
    """Compares regions with coded copies, and measures the field that they are of once.

    Parameters
    ----------
    settings : Settings, optional
        Says where model packages are.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._of: tuple[Any, ...] = ()
        self._field: Field | None = None

    def __call__(self, view: View, spec: str, bits: int = 0) -> Comparison:
        """Code what is seen; raises as `comparison.compare` does, and ImageError."""
        of = (*view.levels, view.place, bits)
        same = len(of) == len(self._of) and all(
            one is other or (isinstance(one, (int, tuple)) and one == other)
            for one, other in zip(of, self._of, strict=True)
        )
        if self._field is None or not same:
            # The arrays are kept with it, so that no other ones are taken for them.
            self._field, self._of = Field.of(view.planes(), bits=bits), of
        return compare(view.load(), spec, self._field, self._settings)
