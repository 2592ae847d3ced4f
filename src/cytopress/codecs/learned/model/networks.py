"""The float networks of a package, over planes of any size: analysis, hyper analysis, synthesis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.latents.hyper_synthesis import MOST_INPUT
from cytopress.codecs.learned.model.manifest import CodecManifest
from cytopress.codecs.learned.pixels.normalization import PlaneLike
from cytopress.codecs.learned.pixels.slabs import PLANE, SlabLayout
from cytopress.models.model_package import Package
from cytopress.reuse import reused
from cytopress.tiling import Tile, tiles

Array = npt.NDArray[Any]
# Pixels kept of a tile along each axis. Never change them: a decoder must run the very shapes
# that the encoder ran, so that floats round alike. Wide ones see less of their neighbors.
TILE = 1024, 2048
# Of volumes a tile is several planes deep.
VOLUME_TILE = 512, 1024
# One, as every codec here has; many fields are coded side by side.
THREADS = 1


@dataclass(frozen=True, eq=False)
class Networks:
    """One set of networks of a package.

    Parameters
    ----------
    package : Package
        Holds the graphs.
    prefix : str
        Of the graphs' names, such as ``r0/``.
    manifest : CodecManifest
        Strides, channels and reach of the networks.
    """

    package: Package
    prefix: str
    manifest: CodecManifest

    @property
    def slabs(self) -> SlabLayout:
        """How volumes are coded in slabs; a plane is one."""
        return self.manifest.slabs or PLANE

    def padded(self, shape: Sequence[int]) -> tuple[int, int]:
        """Return the size of a plane, (H, W), up to whole hyper-latents."""
        step = self.manifest.hyper_stride
        height, width = (-(-length // step) * step for length in shape)
        return height, width

    def analyze(self, planes: Sequence[PlaneLike], gain: Array | None = None) -> Array:
        """Return the latents y, (M, h, w) float32, of the planes that a slab sees.

        Parameters
        ----------
        planes : sequence of array
            (H, W) float32 each, padded here by their own edge.
        gain : ndarray, optional
            (M, 1, 1): y is returned in quantization steps.
        """
        model = f"{self.package.sha256} {self.prefix}analysis"
        y = reused(model, (plane[:, :] for plane in planes), lambda: self._analyzed(planes))
        if gain is None:
            return y
        # Only an absurd plane overflows a network.
        return _finite(np.multiply(y, gain, out=y if y.flags.writeable else None))

    def _analyzed(self, planes: Sequence[PlaneLike]) -> Array:
        stride = self.manifest.stride
        height, width = (length // stride for length in self.padded(planes[0].shape))
        y = np.empty((self.manifest.latent_channels, height, width), np.float32)
        boxes = list(self._tiles((height, width), self.manifest.analysis_reach))
        for place, tile in enumerate(boxes):
            seen = _padded_part(planes, tile.source(stride))[None]
            found = self._run("analysis", seen, release=0 < place == len(boxes) - 1)
            y[:, *tile.target()] = found[0][:, *tile.inner()]
        return y

    def hyper_analyze(self, y: Array) -> Array:
        """Return the hyper-latents z, (Nz, h', w') float32, of latents in quantization steps."""
        large = y[0].size * self.manifest.stride**2 > TILE[0] * TILE[1]
        z = self._run("hyper_analysis", y[None], release=large)[0]
        # The hyper synthesis sees no more than this.
        clipped: Array = np.clip(_finite(z), -MOST_INPUT, MOST_INPUT)
        return clipped

    def synthesize(self, stack: Sequence[Array], shape: tuple[int, int]) -> Array:
        """Return a slab's planes, (planes, *shape) float32.

        ``stack`` are its latents, (M, h, w) float32, and those of its neighbors on either side.
        """
        stride = self.manifest.stride
        _, height, width = stack[0].shape
        planes = np.empty((self.slabs.stride, height * stride, width * stride), np.float32)
        for tile in self._tiles((height, width), self.manifest.synthesis_reach):
            parts = [y_hat[:, *tile.source()] for y_hat in stack]
            joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
            # Its memory is kept: it is less than an encoder needs, and new memory costs time.
            found = self._run("synthesis", np.ascontiguousarray(joined)[None])
            planes[:, *tile.target(stride)] = found[0][:, *tile.inner(stride)]
        # Crafted latents may overflow a network.
        return _finite(planes[:, : shape[0], : shape[1]])

    def _tiles(self, shape: tuple[int, int], reach: int) -> Iterator[Tile]:
        """Yield tiles of the latents for a network that sees ``reach`` pixels around its own."""
        stride = self.manifest.stride
        rows, columns = TILE if self.manifest.slabs is None else VOLUME_TILE
        halo = -(-reach // stride)
        return tiles(shape, size=(rows // stride, columns // stride), halo=(halo, halo))

    def _run(self, graph: str, value: Array, *, release: bool = False) -> Array:
        (out,) = self.package.run(self.prefix + graph, value, threads=THREADS, release=release)
        return out


def _padded_part(planes: Sequence[PlaneLike], place: tuple[slice, ...]) -> Array:
    """Return a part of planes that go on beyond their ends with their values."""
    lengths = planes[0].shape
    starts = (min(part.start, length - 1) for part, length in zip(place, lengths, strict=True))
    inside = tuple(slice(start, part.stop) for start, part in zip(starts, place, strict=True))
    found = np.stack([plane[inside] for plane in planes])
    margin = [
        (0, part.stop - part.start - length)
        for part, length in zip(place, found.shape[1:], strict=True)
    ]
    return np.pad(found, [(0, 0), *margin], mode="edge") if np.any(margin) else found


def _finite(values: Array) -> Array:
    """Return the same values, overwritten where they are no numbers."""
    # To look takes a tenth of the time that replacing nothing takes.
    if not np.isfinite(values).all():
        np.nan_to_num(values, copy=False)
    return values
