"""Planes to latents to hyper-latents, for encoders: in integers, or by the package's graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.analysis import Analysis
from cytopress.codecs.learned.exact.hyper_analysis import HyperAnalysis
from cytopress.codecs.learned.exact.numbers import LATENT_BITS, MOST_LATENT, STEP_BITS, fixed
from cytopress.codecs.learned.exact.window import Window
from cytopress.codecs.learned.model.manifest import CodecManifest
from cytopress.codecs.learned.model.networks import Networks
from cytopress.errors import PackageError
from cytopress.models.graph_weights import graph_weights
from cytopress.reuse import reused

Array = npt.NDArray[Any]
# Latents that are scaled at once: temporary arrays stay in the cache.
CHUNK = 2**17


@dataclass(frozen=True, eq=False)
class ForwardNetworks:
    """The networks that only an encoder runs.

    Parameters
    ----------
    networks : Networks
        The float graphs, which serve where there is no integer form.
    integers : tuple of (Analysis, HyperAnalysis), optional
        The integer form.
    """

    networks: Networks
    integers: tuple[Analysis, HyperAnalysis] | None

    def latents(self, window: Window, gain: Array) -> Array:
        """Return the latents, (h, w, M) int32 in steps with a fraction, of a slab.

        Parameters
        ----------
        window : Window
            The planes that it sees.
        gain : ndarray
            (M, 1, 1) float32.
        """
        y = self.analyzed(window)
        if y is None:
            scale = np.float32(2.0**-LATENT_BITS)
            floats = [plane.astype(np.float32) * scale for plane in window.planes()]
            steps = self.networks.analyze(floats, gain)
            return np.moveaxis(fixed(steps, STEP_BITS, MOST_LATENT), 0, -1)
        out = y if y.flags.writeable else np.empty_like(y)
        factor = gain.reshape(-1) * np.float32(2.0 ** (STEP_BITS - LATENT_BITS))
        rows = max(1, CHUNK // y[0].size)
        for top in range(0, len(y), rows):
            band = slice(top, top + rows)
            out[band] = fixed(y[band].astype(np.float32) * factor, 0, MOST_LATENT)
        return out

    def analyzed(self, window: Window) -> Array | None:
        """Return the latents of a slab before any gain; None where there is no integer form.

        (h, w, M) int32 in used ranges, with ``LATENT_BITS`` a fraction; read-only in a search,
        where no setting computes them again.
        """
        if self.integers is None:
            return None
        analysis, name = self.integers[0], f"{self.networks.package.sha256} {window.name} analyzed"

        def analyzed() -> Array:
            return analysis([self._whole(plane) for plane in window.planes()])

        return reused(name, window.pixels, analyzed)

    @property
    def out_of_band(self) -> list[Array]:
        """Channels of frequencies that a half of the resolution does not hold, and a quarter."""
        if self.integers is None:
            return []
        transform = self.integers[0].transforms[0]
        size, place = transform.size, transform.order
        u, v = np.divmod(np.arange(size * size), size)
        return [place[np.maximum(u, v) >= size >> levels] for levels in (1, 2)]

    def hyper_latents(self, y: Array) -> Array:
        """Return the hyper-latents, (h', w', Nz) int32, of `latents`."""
        if self.integers is not None:
            return self.integers[1](y)
        steps = np.moveaxis(y.astype(np.float32), -1, 0) * np.float32(2.0**-STEP_BITS)
        z = self.networks.hyper_analyze(np.ascontiguousarray(steps))
        return np.moveaxis(fixed(z, STEP_BITS, MOST_LATENT), 0, -1)

    def _whole(self, plane: Array) -> Array:
        """Return a plane up to whole hyper-latents, padded by its own edge; perhaps itself."""
        padded = self.networks.padded(plane.shape)
        if padded == plane.shape:
            return plane
        margin = [(0, all_ - own) for all_, own in zip(padded, plane.shape, strict=True)]
        return np.pad(plane, margin, mode="edge")


def forward_networks(networks: Networks, place: Array) -> ForwardNetworks:
    """Return the encoder's networks of a package, in integers where its graphs have such a form.

    ``place`` is the latent of each frequency, as in `Analysis`.
    """
    return ForwardNetworks(networks, _integers(networks, networks.manifest, place))


def _integers(
    networks: Networks, manifest: CodecManifest, place: Array
) -> tuple[Analysis, HyperAnalysis] | None:
    if manifest.hyper_stride != 4 * manifest.stride:
        return None
    try:
        analysis, hyper = (
            graph_weights(networks.package.read(f"{networks.prefix}{name}.onnx"))
            for name in ("analysis", "hyper_analysis")
        )
        slabs = manifest.slabs is not None
        return Analysis.of(analysis, place, slabs=slabs), HyperAnalysis.of(hyper)
    except (PackageError, ValueError):
        # Another network than is trained here, as far as its names tell: its graphs do as well.
        return None
