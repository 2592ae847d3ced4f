"""Base of the tasks that run a network from a package on planes or volumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from cytopress.errors import PackageError, TaskError
from cytopress.image import AXES, Axes, Image
from cytopress.models.model_package import Package
from cytopress.tiling import Values, run_tiled, tile_within

# Edge of a tile of a plane, in pixels.
PLANE_TILE = 512
# Pixels; no network comes near, and a margin of it would need memory.
MOST_REACH = 4096
READ = {"YX": "one plane (YX)", "ZYX": "a volume (ZYX)"}


@dataclass(frozen=True)
class PackagedTask:
    """A network from a package, for images of any size with the network's axes.

    Parameters
    ----------
    package : Package
        Its graph ``network`` maps standardized float32 (N, 1, H, W) to (N, C, H, W), or with the
        axes ZYX (N, 1, D, H, W) to (N, C, D, H, W). Its manifest gives ``axes``, and ``stride`` and
        ``reach`` (see `run_tiled`): one number, or one for each axis.
    tile : int, optional
        Edge of a tile in pixels, along each axis: limits memory, without influence on results.
        Unless given, 512 in a plane, and in a volume as much as takes about two gigabytes.
    threads : int, optional
        Threads of onnxruntime; 0 leaves the choice to it.

    Raises
    ------
    PackageError
        The manifest lacks a key that the task needs, or has other axes.
    """

    package: Package
    tile: int | None = None
    threads: int = 0
    # The model's name in errors, and the keys that the manifest needs; a dot separates levels.
    model: ClassVar[str]
    needed: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        manifest = self.package.manifest
        for key in ("axes", "stride", "reach", *self.needed):
            if not _holds(manifest, key):
                raise PackageError(
                    f"{self.package.path}: a {self.model} model needs {key} in its manifest;"
                    " export it again."
                )
        if manifest["axes"] not in AXES:
            raise PackageError(
                f"{self.package.path}: a {self.model} model has the axes {' or '.join(AXES)}, not"
                f" {manifest['axes']}; export it again."
            )
        for key in ("stride", "reach"):
            self._along_axes(key)

    @property
    def name(self) -> str:
        """Stable name, such as ``labelfree/ecoli-phase``; equal for all variants of a task."""
        return str(self.package.manifest.get("task", self.package.name))

    @property
    def weights(self) -> str:
        """Hexadecimal sha256 of the package."""
        return self.package.sha256

    @property
    def axes(self) -> Axes:
        """Axes of the images that the task reads."""
        found: Axes = self.package.manifest["axes"]
        return found

    def _along_axes(self, key: str) -> Sequence[int]:
        found = self.package.manifest[key]
        lengths = found if isinstance(found, list) else [found] * len(self.axes)
        least = int(key == "stride")
        if len(lengths) != len(self.axes) or not all(
            isinstance(length, int) and least <= length <= MOST_REACH for length in lengths
        ):
            raise PackageError(
                f"{self.package.path}: {key} in the manifest must be a number of pixels, or one for"
                f" each axis of {self.axes}, not {found!r}; export it again."
            )
        return lengths

    def _check_axes(self, verb: str, image: Image) -> None:
        if image.axes != self.axes:
            advice = "select one" if self.axes == "YX" else "give the whole stack"
            raise TaskError(f"{self.name} {verb} {READ[self.axes]}, not {image.axes}; {advice}.")

    def _run(self, standardized: Values) -> Values:
        """Return the network's output, (C, Y, X) or (C, Z, Y, X)."""
        stride, reach = self._along_axes("stride"), self._along_axes("reach")
        if self.tile is not None or self.axes == "YX":
            tile: Sequence[int] = [self.tile or PLANE_TILE] * len(self.axes)
        else:
            tile = tile_within(standardized.shape, stride=stride, reach=reach)
        return run_tiled(self._network, standardized, stride=stride, reach=reach, tile=tile)

    def _network(self, seen: Values) -> Values:
        results = self.package.run("network", seen[np.newaxis, np.newaxis], threads=self.threads)
        shapes = [np.shape(result) for result in results]
        if len(shapes) != 1 or shapes[0] != (1, *shapes[0][1:2], *seen.shape):
            raise PackageError(
                f"{self.package.path}: the network of a {self.model} model gives one array of the"
                f" input's shape, not {shapes}; export it again."
            )
        return np.asarray(results[0][0], np.float32)


def is_number(value: Any) -> bool:
    """Return whether a value of a manifest is a finite number."""
    # An integer may be too large for a float; of NaN nothing is true.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _holds(manifest: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(manifest, dict) or part not in manifest:
            return False
        manifest = manifest[part]
    return True
