"""A codec package as something that codes planes: networks in float around integer probabilities.

The parts bear the papers' names: ``g_a`` analysis, ``h_a`` hyper analysis, ``h_s`` hyper synthesis,
``g_s`` synthesis, ``y`` latents, ``z`` hyper-latents. Ballé et al., "Variational image compression
with a scale hyperprior", ICLR 2018; gain units after Cui et al., CVPR 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy import MOST_VALUE, Decoder, Encoder
from cytopress.codecs.learned.hyper import FRACTION, MOST_INPUT, HyperSynthesis
from cytopress.codecs.learned.manifest import Card
from cytopress.codecs.learned.rdo import rounded
from cytopress.codecs.learned.regions import regions
from cytopress.codecs.learned.tables import Tables
from cytopress.package import Package

Array = npt.NDArray[Any]
# Pixels kept of a region along each axis. Never change them: a decoder must run the very shapes
# that the encoder ran, so that floats round alike. Wide ones see less of their neighbors.
TILE = 1024, 2048
# One, as every codec here has; many fields are coded side by side.
THREADS = 1
# Shares between two gain nodes are rounded to this many bits, so that integers can be interpolated.
SHARE = 16


@dataclass(frozen=True, eq=False)
class Setting:
    """What a quality makes of a model.

    Parameters
    ----------
    gain, inverse_gain : ndarray
        (M, 1, 1) float32 factors of the latents before rounding and after it.
    scale_bias : ndarray
        (M, 1, 1) int32 that is added to the scale indices, with ``FRACTION`` fractional bits.
    """

    gain: Array
    inverse_gain: Array
    scale_bias: Array


@dataclass(frozen=True, eq=False)
class Model:
    """One complete set of networks and tables of a package.

    Parameters
    ----------
    package : Package
        Holds the graphs.
    prefix : str
        Of the names in the package that belong to this model, such as ``r0/``.
    card : Card
        What the manifest says.
    gain, inverse_gain : ndarray
        (nodes, M) float32, log2 of the factors.
    scale_bias : ndarray
        (nodes, M) of integers.
    prior : Tables
        Of the hyper-latents by channel; of the latents themselves in a factorized model.
    scales : Tables, optional
        Of the residuals by scale index.
    h_s : HyperSynthesis, optional
        From hyper-latents to means and scale indices.
    """

    package: Package
    prefix: str
    card: Card
    gain: Array
    inverse_gain: Array
    scale_bias: Array
    prior: Tables
    scales: Tables | None = None
    h_s: HyperSynthesis | None = None

    def setting(self, quality: float | None) -> Setting:
        """Return the factors at a quality from 0 to 1, interpolated between the gain nodes."""
        last = len(self.gain) - 1
        place = round((quality or 0.0) * last * 2**SHARE)
        left = min(place >> SHARE, max(last - 1, 0))
        right, share = min(left + 1, last), place - (left << SHARE)
        bias = self.scale_bias[left] * (2**SHARE - share) + self.scale_bias[right] * share
        weight = share / 2**SHARE

        def factor(table: Array) -> Array:
            log = table[left].astype(np.float64) * (1 - weight) + table[right] * weight
            factors: Array = np.exp2(log).astype(np.float32)[:, None, None]
            return factors

        rounded_bias = (bias + 2 ** (SHARE - 1) >> SHARE).astype(np.int32)[:, None, None]
        return Setting(factor(self.gain), factor(self.inverse_gain), rounded_bias)

    def encode(self, plane: Array, setting: Setting) -> tuple[bytes, Array]:
        """Return the coded latents of a plane, (H, W) float32, and y_hat as a decoder has it."""
        y = self.analyse(plane)
        y *= setting.gain
        # Only an absurd plane overflows a network.
        return self.code(_finite(y), setting)

    def code(self, y: Array, setting: Setting) -> tuple[bytes, Array]:
        """Return the same of latents in quantization steps, (M, h, w) float32, overwritten."""
        coder = Encoder()
        if self.scales is None:
            rows, mean, tables = self._channels(y.shape), None, self.prior
        else:
            z_hat = self._hyper_latents(y)
            coder.put(z_hat.reshape(-1), self._channels(z_hat.shape), self.prior)
            mean, rows = self._moments(z_hat, setting)
            tables = self.scales
        residual = y if mean is None else np.subtract(y, mean, out=y)
        np.clip(residual, -MOST_VALUE, MOST_VALUE, out=residual)
        symbols = rounded(residual.reshape(-1), rows, tables, self.card.rdo)
        coder.put(symbols, rows, tables)
        return coder.bytes(), _restored(symbols.reshape(y.shape), mean, setting, out=y)

    def decode(self, stream: bytes, shape: tuple[int, int], setting: Setting) -> Array:
        """Return y_hat, (M, h, w) float32, of the coded latents of a plane of ``shape``.

        Raises
        ------
        CorruptDataError
            These are no latents of such a plane.
        """
        height, width = self._padded(shape)
        card = self.card
        form = card.latent_channels, height // card.stride, width // card.stride
        coder = Decoder(stream)
        if self.scales is None:
            rows, mean, tables = self._channels(form), None, self.prior
        else:
            coarse = card.hyper_channels, height // card.hyper_stride, width // card.hyper_stride
            z_hat = coder.take(self._channels(coarse), self.prior).reshape(coarse)
            mean, rows = self._moments(z_hat, setting)
            tables = self.scales
        symbols = coder.take(rows, tables).reshape(form)
        coder.finish()
        return _restored(symbols, mean, setting)

    def analyse(self, plane: Array) -> Array:
        """Return y, (M, h, w) float32, of a plane, (H, W) float32, padded by its own edge."""
        stride = self.card.stride
        height, width = (
            length // stride for length in self._padded((plane.shape[0], plane.shape[1]))
        )
        y = np.empty((self.card.latent_channels, height, width), np.float32)
        halo = -(-self.card.analysis_reach // stride)
        places = list(regions(height, width, size=_tile(stride), halo=halo))
        for place, region in enumerate(places):
            seen = _padded_part(plane, region.source(stride))[None, None]
            found = self._run("analysis", seen, release=0 < place == len(places) - 1)
            y[(slice(None), *region.target())] = found[0][(slice(None), *region.inner())]
        return y

    def synthesise(self, y_hat: Array, shape: tuple[int, int]) -> Array:
        """Return the plane, ``shape`` float32, of latents, (M, h, w) float32."""
        stride = self.card.stride
        _, height, width = y_hat.shape
        plane = np.empty((height * stride, width * stride), np.float32)
        halo = -(-self.card.synthesis_reach // stride)
        for region in regions(height, width, size=_tile(stride), halo=halo):
            seen = np.ascontiguousarray(y_hat[(slice(None), *region.source())][None])
            # Its memory is kept: it is less than an encoder needs, and new memory costs time.
            found = self._run("synthesis", seen)
            plane[region.target(stride)] = found[0, 0][region.inner(stride)]
        # Crafted latents may overflow a network.
        return _finite(plane[: shape[0], : shape[1]])

    def _hyper_latents(self, y: Array) -> Array:
        large = y[0].size * self.card.stride**2 > TILE[0] * TILE[1]
        z = self._run("hyper_analysis", y[None], release=large)[0]
        # The hyper synthesis sees no more than this.
        z_hat: Array = np.clip(np.rint(_finite(z)), -MOST_INPUT, MOST_INPUT)
        return z_hat.astype(np.int32)

    def _moments(self, z_hat: Array, setting: Setting) -> tuple[Array | None, Array]:
        """Return means, (M, h, w) float32, if there are any, and scale indices, (M * h * w,)."""
        assert self.h_s is not None
        assert self.scales is not None
        channels, most = self.card.latent_channels, len(self.scales) - 1
        form = channels, *(length * self.h_s.upsample for length in z_hat.shape[1:])
        rows = np.empty(form, np.uint8)
        mean = None if self.h_s.outputs == channels else np.empty(form, np.float32)
        half = 2 ** (FRACTION - 1)
        for (high, wide), moments in self.h_s.parts(z_hat):
            index = moments[-channels:].astype(np.int32)
            index += setting.scale_bias + half
            index >>= FRACTION
            rows[:, high, wide] = np.clip(index, 0, most, out=index)
            if mean is not None:
                # At most 21 bits, so float32 holds the fraction too.
                mean[:, high, wide] = moments[:channels] * 2.0**-FRACTION
        return mean, rows.reshape(-1)

    def _channels(self, shape: tuple[int, ...]) -> Array:
        """Return each latent's channel, flat."""
        kind = np.uint8 if shape[0] <= 256 else np.uint16
        return np.repeat(np.arange(shape[0], dtype=kind), shape[1] * shape[2])

    def _padded(self, shape: tuple[int, int]) -> tuple[int, int]:
        step = self.card.hyper_stride
        height, width = (-(-length // step) * step for length in shape)
        return height, width

    def _run(self, graph: str, value: Array, *, release: bool = False) -> Array:
        (out,) = self.package.run(self.prefix + graph, value, threads=THREADS, release=release)
        return out


def _tile(stride: int) -> tuple[int, int]:
    rows, columns = TILE
    return rows // stride, columns // stride


def _padded_part(plane: Array, place: tuple[slice, slice]) -> Array:
    """Return a part of a plane that goes on beyond its ends with their values."""
    starts = (min(part.start, length - 1) for part, length in zip(place, plane.shape, strict=True))
    found = plane[tuple(slice(start, part.stop) for start, part in zip(starts, place, strict=True))]
    margin = [
        (0, part.stop - part.start - length)
        for part, length in zip(place, found.shape, strict=True)
    ]
    return np.pad(found, margin, mode="edge") if np.any(margin) else found


def _finite(values: Array) -> Array:
    """Return the same values, overwritten where they are no numbers."""
    # To look takes a tenth of the time that replacing nothing takes.
    if not np.isfinite(values).all():
        np.nan_to_num(values, copy=False)
    return values


def _restored(
    symbols: Array, mean: Array | None, setting: Setting, out: Array | None = None
) -> Array:
    y_hat = np.empty(symbols.shape, np.float32) if out is None else out
    np.copyto(y_hat, symbols, casting="same_kind")
    if mean is not None:
        y_hat += mean
    y_hat *= setting.inverse_gain
    return y_hat
