"""The visible region of a napari layer, and its comparison; without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytopress.codecs import progress
from cytopress.errors import UsageError
from cytopress.image import Pixels
from cytopress.napari.comparison import (
    LARGEST,
    Comparison,
    Field,
    Region,
    compare,
    visible_region,
)
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
    whole : bool
        Whether that is all that is seen, not its middle.
    shown : int
        The level that napari draws.
    """

    levels: Sequence[Any]
    place: tuple[int, ...]
    region: Region
    whole: bool = True
    shown: int = 0

    @property
    def seen(self) -> tuple[tuple[int, ...], Region]:
        """What two views of one layer have in common if they are of the same pixels."""
        return self.place, self.region

    def rows(self) -> list[tuple[str, str]]:
        """Return what is compared, in words; places are those of napari's status bar."""
        edges = zip(("rows", "columns"), self.region, self.levels[0].shape[-2:], strict=True)
        rows = [
            (name, f"{part.start}\N{EN DASH}{part.stop - 1} of {length}")
            for name, part, length in edges
        ]
        front = self.levels[0].shape[:-2]
        place = [str(at) for at, length in zip(self.place, front, strict=True) if length > 1]
        if place:
            rows.append(("plane", ", ".join(place)))
        if not self.whole:
            rows.append(("", f"the middle, at most {LARGEST} x {LARGEST}"))
        if len(self.levels) > 1:
            rows.append(("resolution", f"full, level 0 of {len(self.levels)}"))
            if self.shown:
                rows.append(("napari draws", f"level {self.shown}"))
        return rows

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


def view_of(layer: Any, viewer: Any) -> View:
    """Return what is seen of an image layer.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer.
    viewer : napari.components.ViewerModel
        The viewer: its dimensions, camera and canvas say what is seen.

    Raises
    ------
    UsageError
        It has color, is shown in 3D, or from another side than along its last two axes, or none
        of it is in view.
    """
    dims = viewer.dims
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
    region, whole = visible_region(_seen(layer, viewer), shape[-2:])
    return View(levels, place, region, whole, int(layer.data_level))


def _seen(layer: Any, viewer: Any) -> np.ndarray[Any, Any]:
    """Return the canvas's first and last place (Y, X) in pixels of the full resolution.

    The layer's ``corner_pixels`` do not say it: with resolutions they are those of the chunks that
    were loaded, and stay while what is seen lies within.
    """
    camera, canvas = viewer.scene.camera, viewer.canvas
    shape = np.asarray(canvas.grid.actual_shape(viewer.layers))
    half = np.asarray(canvas.size) / shape / 2 / camera.zoom
    front, center = viewer.dims.point[-layer.ndim : -2], np.asarray(camera.center[-2:])
    corners = [
        layer.world_to_data((*front, *(center + half * side)))[-2:]
        for side in ((-1, -1), (-1, 1), (1, -1), (1, 1))
    ]
    return np.array([np.min(corners, axis=0), np.max(corners, axis=0)])


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

    def __call__(
        self, view: View, spec: str, bits: int = 0, listener: progress.Listener | None = None
    ) -> Comparison:
        """Code what is seen; raises as `comparison.compare` does, and ImageError.

        What ``listener`` raises ends it; the field, once measured, stays known.
        """
        of = (*view.levels, view.place, bits)
        same = len(of) == len(self._of) and all(
            one is other or (isinstance(one, (int, tuple)) and one == other)
            for one, other in zip(of, self._of, strict=True)
        )
        with progress.listen(listener or (lambda _share, _stage: None)):
            if self._field is None or not same:
                progress.stage("measuring the plane")
                # The arrays are kept with it, so that no other ones are taken for them.
                self._field, self._of = Field.of(view.planes(), bits=bits), of
            progress.stage("reading")
            pixels = view.load()
            progress.stage("coding")
            return compare(pixels, spec, self._field, self._settings)
