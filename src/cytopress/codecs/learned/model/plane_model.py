"""A codec package as something that codes planes: networks in float around integer probabilities.

The parts bear the papers' names: ``g_a`` analysis, ``h_a`` hyper analysis, ``h_s`` hyper synthesis,
``g_s`` synthesis, ``y`` latents, ``z`` hyper-latents. Ballé et al., "Variational image compression
with a scale hyperprior", ICLR 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.range_coder import MOST_VALUE, RangeDecoder, RangeEncoder
from cytopress.codecs.learned.latents.coding_order import (
    Choice,
    Pass,
    Passes,
    add_from_below,
    everything,
    in_context,
    of_hyper_latents,
    through,
)
from cytopress.codecs.learned.latents.context_model import ContextModel, ContextStep
from cytopress.codecs.learned.latents.gain_units import Gains, GainSetting
from cytopress.codecs.learned.latents.hyper_context import HyperContext
from cytopress.codecs.learned.latents.hyper_synthesis import FRACTION, MOST_INPUT, HyperSynthesis
from cytopress.codecs.learned.latents.rate_distortion import BITS_PER_SQUARE, rounded
from cytopress.codecs.learned.latents.secondary_transforms import SecondaryTransforms
from cytopress.codecs.learned.model.manifest import CodecManifest
from cytopress.codecs.learned.pixels.normalization import PlaneLike
from cytopress.codecs.learned.pixels.slab_layout import PLANE, SlabLayout
from cytopress.codecs.learned.pixels.tiling import regions
from cytopress.models.model_package import Package

Array = npt.NDArray[Any]
# Pixels kept of a region along each axis. Never change them: a decoder must run the very shapes
# that the encoder ran, so that floats round alike. Wide ones see less of their neighbors.
TILE = 1024, 2048
# Of volumes a region is several planes deep.
VOLUME_TILE = 512, 1024
# One, as every codec here has; many fields are coded side by side.
THREADS = 1


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
    gains : Gains
        What its qualities are.
    prior : Tables
        Of the hyper-latents by channel, or by gain node and channel; of the latents themselves in a
        factorized model.
    scales : Tables, optional
        Of the residuals by scale index.
    h_s : HyperSynthesis, optional
        From hyper-latents to means and scale indices.
    context : Context, optional
        From decoded latents to means and scale indices of the next ones.
    below : Step, optional
        From the latents of the slab before to means and scale indices of all.
    hyper_context : HyperContext, optional
        From decoded hyper-latents to means and scale indices of the next ones.
    rotations : tuple of Rotations, optional
        Of the context model's first channels, and of the others.
    """

    package: Package
    prefix: str
    card: CodecManifest
    gains: Gains
    prior: ProbabilityTables
    scales: ProbabilityTables | None = None
    h_s: HyperSynthesis | None = None
    context: ContextModel | None = None
    below: ContextStep | None = None
    hyper_context: HyperContext | None = None
    rotations: tuple[SecondaryTransforms | None, SecondaryTransforms | None] = (None, None)

    @property
    def depth(self) -> SlabLayout:
        """How volumes are coded in slabs; a plane is one."""
        return self.card.depth or PLANE

    def setting(self, quality: float | None) -> GainSetting:
        """Return the factors at a quality from 0 to 1."""
        return self.gains.at(quality or 0.0)

    def code(self, y: Array, setting: GainSetting) -> tuple[bytes, Array]:
        """Return the coded latents of one slab, and y_hat as a decoder has it."""
        coder = RangeEncoder()
        y_hat = self.put(coder, y, setting)
        y_hat *= setting.inverse_gain
        return coder.bytes(), y_hat

    def put(
        self, coder: RangeEncoder, y: Array, setting: GainSetting, below: Array | None = None
    ) -> Array:
        """Code the latents of a slab; return them as a decoder has them.

        Parameters
        ----------
        coder : Encoder
            Takes them.
        y : ndarray
            (M, h, w) float32, in quantization steps.
        setting : Setting
            The quality.
        below : ndarray, optional
            What this returned of the slab before.
        """

        def answer(values: Array, weight: float) -> Callable[[Pass | Choice], Array]:
            def symbols_of(these: Pass | Choice) -> Array:
                wanted = these.pick(values)
                residual = wanted.copy() if these.mean is None else wanted - these.mean
                np.clip(residual, -MOST_VALUE, MOST_VALUE, out=residual)
                if isinstance(these, Choice):
                    return self._put_choice(coder, residual, these, weight)
                if these.turn is not None:
                    these.turn(residual)
                tables = self._tables(these)
                symbols = rounded(residual.reshape(-1), these.rows, tables, weight)
                coder.put(symbols, these.rows, tables)
                return symbols

            return symbols_of

        z_hat = None
        if self.scales is not None:
            z = self._hyper_latents(y)
            z_hat = through(self._hyper_passes(z.shape, setting), answer(z, 0.0))
        return through(self._passes(y.shape, z_hat, setting, below), answer(y, self.card.rdo))

    def decode(self, stream: bytes, shape: tuple[int, int], setting: GainSetting) -> Array:
        """Return y_hat, (M, h, w) float32, of the coded latents of one slab of ``shape``.

        Raises
        ------
        CorruptDataError
            These are no latents of such a slab.
        """
        coder = RangeDecoder(stream)
        y_hat = self.take(coder, shape, setting)
        coder.finish()
        y_hat *= setting.inverse_gain
        return y_hat

    def take(
        self,
        coder: RangeDecoder,
        shape: tuple[int, int],
        setting: GainSetting,
        below: Array | None = None,
    ) -> Array:
        """Return what `put` returned of a slab of ``shape`` (H, W).

        Raises
        ------
        CorruptDataError
            These are no latents of such a slab.
        """
        height, width = self._padded(shape)
        card = self.card
        form = card.latent_channels, height // card.stride, width // card.stride

        def answer(these: Pass | Choice) -> Array:
            if isinstance(these, Choice):
                return these.rotations.take(coder, these.kinds)
            return coder.take(these.rows, self._tables(these))

        z_hat = None
        if self.scales is not None:
            coarse = card.hyper_channels, height // card.hyper_stride, width // card.hyper_stride
            z_hat = through(self._hyper_passes(coarse, setting), answer)
        return through(self._passes(form, z_hat, setting, below), answer)

    def analyze(self, planes: Sequence[PlaneLike], setting: GainSetting | None = None) -> Array:
        """Return y, (M, h, w) float32, of the planes that a slab sees, (H, W) float32 each.

        They are padded by their own edge. With a setting, y is in quantization steps.
        """
        stride = self.card.stride
        height, width = (
            length // stride for length in self._padded((planes[0].shape[0], planes[0].shape[1]))
        )
        y = np.empty((self.card.latent_channels, height, width), np.float32)
        halo = -(-self.card.analysis_reach // stride)
        places = list(regions(height, width, size=self._tile, halo=halo))
        for place, region in enumerate(places):
            seen = _padded_part(planes, region.source(stride))[None]
            found = self._run("analysis", seen, release=0 < place == len(places) - 1)
            y[(slice(None), *region.target())] = found[0][(slice(None), *region.inner())]
        if setting is None:
            return y
        y *= setting.gain
        # Only an absurd plane overflows a network.
        return _finite(y)

    def synthesize(self, stack: Sequence[Array], shape: tuple[int, int]) -> Array:
        """Return a slab's planes, (planes, *shape) float32.

        They come of its latents, (M, h, w) float32, and those of its neighbors on either side.
        """
        stride = self.card.stride
        _, height, width = stack[0].shape
        planes = np.empty((self.depth.stride, height * stride, width * stride), np.float32)
        halo = -(-self.card.synthesis_reach // stride)
        for region in regions(height, width, size=self._tile, halo=halo):
            parts = [y_hat[(slice(None), *region.source())] for y_hat in stack]
            seen = np.ascontiguousarray(parts[0] if len(parts) == 1 else np.concatenate(parts))[
                None
            ]
            # Its memory is kept: it is less than an encoder needs, and new memory costs time.
            found = self._run("synthesis", seen)
            planes[:, *region.target(stride)] = found[0][:, *region.inner(stride)]
        # Crafted latents may overflow a network.
        return _finite(planes[:, : shape[0], : shape[1]])

    def _put_choice(
        self, coder: RangeEncoder, residual: Array, these: Choice, weight: float
    ) -> Array:
        """Code by which rotation each place goes; return it."""
        assert self.scales is not None
        which = these.rotations.choose(
            residual.reshape(these.index.shape),
            these.index,
            these.kinds,
            self._rows,
            self.scales,
            weight or BITS_PER_SQUARE,
        )
        these.rotations.put(coder, which, these.kinds)
        return which

    def _hyper_latents(self, y: Array) -> Array:
        large = y[0].size * self.card.stride**2 > TILE[0] * TILE[1]
        z = self._run("hyper_analysis", y[None], release=large)[0]
        # The hyper synthesis sees no more than this.
        clipped: Array = np.clip(_finite(z), -MOST_INPUT, MOST_INPUT)
        return clipped

    def _tables(self, these: Pass) -> ProbabilityTables:
        return self.prior if these.prior or self.scales is None else self.scales

    def _hyper_passes(self, form: tuple[int, ...], setting: GainSetting) -> Passes:
        """Say by which means and tables hyper-latents of the shape ``form`` go."""

        def prior_of(shape: tuple[int, ...]) -> Array:
            return self._channels(shape, setting)

        return of_hyper_latents(self.hyper_context, form, setting.node, prior_of, self._rows)

    def _passes(
        self,
        form: tuple[int, ...],
        z_hat: Array | None,
        setting: GainSetting,
        below: Array | None = None,
    ) -> Passes:
        """Say by which means and tables latents of the shape ``form`` go."""
        if z_hat is None:
            symbols = yield Pass(everything, None, self._channels(form, setting), prior=True)
            return symbols.reshape(form).astype(np.float32)
        mean, index, features = self._moments(z_hat, setting)
        if self.below is not None and below is not None:
            assert mean is not None
            width = self.below.form[1]
            add_from_below(self.below, below, mean, index, features[-width:])
        if self.context is not None:
            assert mean is not None
            features = features[: self.context.features]
            passes = in_context(self.context, mean, index, features, self._rows, self.rotations)
            # It lets go of them when it has no more use for them.
            del mean, index, features
            return (yield from passes)
        symbols = yield Pass(everything, mean, self._rows(index))
        y_hat = symbols.reshape(form).astype(np.float32)
        if mean is not None:
            y_hat += mean
        return y_hat

    def _moments(self, z_hat: Array, setting: GainSetting) -> tuple[Array | None, Array, Array]:
        """Return what the hyper synthesis says of the latents.

        Their means, (M, h, w) float32, if they have any; their scale indices, (M, h, w), and
        features for the context model, (F, h, w), int32 with a fraction.
        """
        assert self.h_s is not None
        channels = self.card.latent_channels
        shape = tuple(length * self.h_s.upsample for length in z_hat.shape[1:])
        spare = 0 if self.context is None else self.context.features
        spare += 0 if self.below is None else self.below.form[1]
        mean = None
        if self.h_s.outputs > channels:
            mean = np.empty((channels, *shape), np.float32)
        index, features = (np.empty((n, *shape), np.int32) for n in (channels, spare))
        start = 0 if mean is None else channels
        for place, moments in self.h_s.parts(z_hat):
            if mean is not None:
                # At most 21 bits, so float32 holds the fraction too.
                mean[:, *place] = moments[:channels] * 2.0**-FRACTION
            index[:, *place] = moments[start : start + channels]
            features[:, *place] = moments[start + channels :]
        index += setting.scale_bias
        return mean, index, features

    def _rows(self, index: Array) -> Array:
        """Return tables, (n,) uint8, of scale indices with a fraction."""
        assert self.scales is not None
        rows = index + 2 ** (FRACTION - 1)
        rows >>= FRACTION
        flat: Array = np.clip(rows, 0, len(self.scales) - 1).astype(np.uint8).reshape(-1)
        return flat

    def _channels(self, shape: tuple[int, ...], setting: GainSetting) -> Array:
        """Return the prior's table of each value, by its channel, flat."""
        start = setting.node * shape[0] if len(self.prior) > shape[0] else 0
        kind = np.uint8 if len(self.prior) <= 256 else np.uint16
        return np.repeat(np.arange(start, start + shape[0], dtype=kind), shape[1] * shape[2])

    def _padded(self, shape: tuple[int, int]) -> tuple[int, int]:
        step = self.card.hyper_stride
        height, width = (-(-length // step) * step for length in shape)
        return height, width

    @property
    def _tile(self) -> tuple[int, int]:
        rows, columns = TILE if self.card.depth is None else VOLUME_TILE
        return rows // self.card.stride, columns // self.card.stride

    def _run(self, graph: str, value: Array, *, release: bool = False) -> Array:
        (out,) = self.package.run(self.prefix + graph, value, threads=THREADS, release=release)
        return out


def _padded_part(planes: Sequence[PlaneLike], place: tuple[slice, slice]) -> Array:
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
