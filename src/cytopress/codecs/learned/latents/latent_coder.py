"""Latent coder: hyper-latents, then latents, in passes that condition on the passes before.

The order of the passes, their means and their probability tables stand here once, for both
directions, so encoder and decoder cannot see different contexts. The parts bear the papers' names:
``h_s`` hyper synthesis, ``y`` latents, ``z`` hyper-latents. Ballé et al., "Variational image
compression with a scale hyperprior", ICLR 2018; of the passes He et al., "ELIC", CVPR 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables, channel_rows
from cytopress.codecs.learned.entropy.range_coder import RangeDecoder, RangeEncoder
from cytopress.codecs.learned.latents.context_model import (
    ContextStep,
    add_parts,
    neighbors,
    put_squares,
    squares,
)
from cytopress.codecs.learned.latents.context_steps import ContextModel
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.latents.hyper_context import HyperContext
from cytopress.codecs.learned.latents.hyper_synthesis import FRACTION, HyperSynthesis, scale_rows
from cytopress.codecs.learned.latents.secondary_transforms import (
    ChosenTransforms,
    SecondaryTransforms,
)
from cytopress.codecs.learned.latents.symbols import (
    Select,
    SymbolCoder,
    SymbolDecoder,
    SymbolEncoder,
    select_all,
    select_at,
)

Array = npt.NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class LatentCoder:
    """The probability model of a package's latents: integers from ``z_hat`` to the tables.

    Parameters
    ----------
    prior : ProbabilityTables
        Tables of the hyper-latents by channel, or by gain node and channel; of the latents
        themselves in a factorized model.
    scales : ProbabilityTables, optional
        Tables of residuals by scale index; None in a factorized model, as all that follow.
    h_s : HyperSynthesis, optional
        From hyper-latents to means and scale indices.
    context : ContextModel, optional
        From decoded latents to means and scale indices of the passes that follow.
    slab_prediction : ContextStep, optional
        From the latents of the previous slab of a volume to means and scale indices of this one.
    hyper_context : HyperContext, optional
        From decoded hyper-latents to means and scale indices of the passes that follow.
    transforms : tuple of SecondaryTransforms, optional
        Of the context model's first channels, and of its other channels.
    """

    prior: ProbabilityTables
    scales: ProbabilityTables | None = None
    h_s: HyperSynthesis | None = None
    context: ContextModel[ContextStep] | None = None
    slab_prediction: ContextStep | None = None
    hyper_context: HyperContext | None = None
    transforms: tuple[SecondaryTransforms | None, SecondaryTransforms | None] = (None, None)

    def encode_symbols(
        self,
        encoder: RangeEncoder,
        y: Array,
        z: Array | None,
        setting: GainSetting,
        *,
        previous: Array | None = None,
        weight: float = 0.0,
    ) -> Array:
        """Encode the latents of a slab; return them as a decoder has them, in quantization steps.

        Parameters
        ----------
        encoder : RangeEncoder
            Where the symbols go.
        y, z : ndarray
            (M, h, w) float32 latents in quantization steps, and (Nz, h', w') float32 hyper-latents;
            no hyper-latents in a factorized model.
        setting : GainSetting
            The quality.
        previous : ndarray, optional
            What this returned for the previous slab.
        weight : float, optional
            Rate-distortion trade-off of the rounding: bits per unit of squared error, in
            quantization steps; 0 rounds to the nearest integer.
        """
        z_hat = None
        if z is not None:
            z_hat = self.hyper_latents(SymbolEncoder(encoder, z), z.shape, setting)
        return self.latents(SymbolEncoder(encoder, y, weight), y.shape, z_hat, setting, previous)

    def decode_symbols(
        self,
        decoder: RangeDecoder,
        shape: Shape,
        coarse: Shape,
        setting: GainSetting,
        *,
        previous: Array | None = None,
    ) -> Array:
        """Return what `encode_symbols` returned, of latents and hyper-latents of these shapes.

        Raises
        ------
        CorruptDataError
            The stream holds no such latents.
        """
        symbols = SymbolDecoder(decoder)
        z_hat = None
        if self.scales is not None:
            z_hat = self.hyper_latents(symbols, coarse, setting)
        return self.latents(symbols, shape, z_hat, setting, previous)

    def hyper_latents(self, symbols: SymbolCoder, shape: Shape, setting: GainSetting) -> Array:
        """Code hyper-latents; return them decoded, (Nz, h', w') float64.

        One pass by the prior, or with a context model three: even rows and columns by the prior,
        then their diagonal neighbors, then all others.
        """
        if self.hyper_context is None:
            rows = channel_rows(self.prior, shape, setting.node)
            coded = symbols.code(select_all, None, rows, self.prior)
            return coded.reshape(shape).astype(np.float64)
        assert self.scales is not None
        known = np.zeros(shape)
        corner = known[:, ::2, ::2]
        rows = channel_rows(self.prior, corner.shape, setting.node)
        coded = symbols.code(lambda a: a[:, ::2, ::2], None, rows, self.prior)
        corner[:] = coded.reshape(corner.shape) * 2.0**FRACTION
        for mask, expected, index in self.hyper_context.passes(known, setting.node):
            mean = (expected * 2.0**-FRACTION).astype(np.float32)
            coded = symbols.code(select_at(mask), mean, scale_rows(index, self.scales), self.scales)
            known[:, mask] = coded.reshape(expected.shape) * 2.0**FRACTION + expected
        return known * 2.0**-FRACTION

    def latents(
        self,
        symbols: SymbolCoder,
        shape: Shape,
        z_hat: Array | None,
        setting: GainSetting,
        previous: Array | None = None,
    ) -> Array:
        """Code latents; return them decoded, (M, h, w) float32 in quantization steps.

        One pass, or with a context model three: its first channels on the white squares of a
        checkerboard, the same channels on the black squares, then all other channels.
        """
        if z_hat is None:
            rows = channel_rows(self.prior, shape, setting.node)
            coded = symbols.code(select_all, None, rows, self.prior)
            return coded.reshape(shape).astype(np.float32)
        if self.context is not None:
            return self._in_context(self.context, symbols, shape, z_hat, setting, previous)
        assert self.scales is not None
        mean, index, _ = self._moments(shape, z_hat, setting, previous)
        rows = scale_rows(index, self.scales)
        del index
        coded = symbols.code(select_all, mean, rows, self.scales)
        y_hat: Array = coded.reshape(shape).astype(np.float32)
        if mean is not None:
            y_hat += mean
        return y_hat

    def _in_context(
        self,
        context: ContextModel[ContextStep],
        symbols: SymbolCoder,
        shape: Shape,
        z_hat: Array,
        setting: GainSetting,
        previous: Array | None,
    ) -> Array:
        mean, index, features = self._moments(shape, z_hat, setting, previous)
        assert mean is not None
        first, width = context.first, context.width
        of_first, of_rest = self.transforms
        known = np.empty((first, *shape[1:]))

        def white(a: Array) -> Array:
            return squares(a[:first], black=False)

        def black(a: Array) -> Array:
            return squares(a[:first], black=True)

        def others(a: Array) -> Array:
            return a[first:]

        # White squares: by the hyper synthesis alone.
        white_mean = white(mean)
        rows, chosen = self._tables(symbols, of_first, white, white_mean, white(index))
        decoded = self._residual(symbols, white, white_mean, rows, chosen) * 2.0**FRACTION
        put_squares(known, decoded, black=False)

        # Black squares: their four white neighbors are known.
        black_mean, black_index = black(mean), black(index)
        added = np.empty(black_mean.shape)
        around = squares(features[:width], black=True)
        for place, offset, wider in context.across.parts(neighbors(decoded), around):
            added[:, *place] = offset
            black_index[:, *place] += wider.astype(np.int32)
        black_mean += (added * 2.0**-FRACTION).astype(np.float32)
        rows, chosen = self._tables(symbols, of_first, black, black_mean, black_index)
        decoded = self._residual(symbols, black, black_mean, rows, chosen)
        put_squares(known, decoded * 2.0**FRACTION + added, black=True)

        # All other channels: the first ones are known all around.
        y_hat = np.empty(shape, np.float32)
        y_hat[:first] = mean[:first] + known * 2.0**-FRACTION
        mean = others(mean)
        add_parts(context.inward.parts(known, features[width : 2 * width]), mean, others(index))
        # The largest pass needs their memory.
        del features, known, around, white_mean, black_mean, black_index, added, decoded
        rows, chosen = self._tables(symbols, of_rest, others, mean, others(index))
        del index
        decoded = self._residual(symbols, others, mean, rows, chosen)
        np.add(decoded, mean, out=y_hat[first:], casting="same_kind")
        return y_hat

    def _tables(
        self,
        symbols: SymbolCoder,
        transforms: SecondaryTransforms | None,
        select: Select,
        mean: Array,
        index: Array,
    ) -> tuple[Array, ChosenTransforms | None]:
        """Return the tables of a pass, (n,), and its secondary transforms, which are coded here.

        ``index``, (C, h, w), is overwritten: a transform changes the scales.
        """
        assert self.scales is not None
        if transforms is None:
            return scale_rows(index, self.scales), None
        flat = index.reshape(len(index), -1)
        which = symbols.choose(select, mean, flat, transforms, self.scales)
        transforms.add_bias(flat, which)
        return scale_rows(flat, self.scales), ChosenTransforms(transforms, which)

    def _residual(
        self,
        symbols: SymbolCoder,
        select: Select,
        mean: Array,
        rows: Array,
        chosen: ChosenTransforms | None,
    ) -> Array:
        """Code one pass; return its decoded residuals in quantization steps, as ``mean`` shaped."""
        assert self.scales is not None
        coded = symbols.code(select, mean, rows, self.scales, chosen).reshape(mean.shape)
        return coded if chosen is None else chosen.inverse(coded)

    def _moments(
        self, shape: Shape, z_hat: Array, setting: GainSetting, previous: Array | None
    ) -> tuple[Array | None, Array, Array]:
        """Return moments of the latents, predicted from hyper-latents and the previous slab.

        Their means, (M, h, w) float32, if the model has any; their scale indices, (M, h, w), and
        features for the context model, (F, h, w), int32 with a fraction.
        """
        assert self.h_s is not None
        channels = shape[0]
        mean = np.empty(shape, np.float32) if self.h_s.outputs > channels else None
        start = 0 if mean is None else channels
        index = np.empty(shape, np.int32)
        features = np.empty((self.h_s.outputs - start - channels, *shape[1:]), np.int32)
        for place, moments in self.h_s.parts(z_hat):
            if mean is not None:
                # At most 21 bits, so float32 holds the fraction too.
                mean[:, *place] = moments[:channels] * 2.0**-FRACTION
            index[:, *place] = moments[start : start + channels]
            features[:, *place] = moments[start + channels :]
        index += setting.scale_bias
        if self.slab_prediction is not None and previous is not None:
            assert mean is not None
            own = features[-self.slab_prediction.form[1] :]
            add_parts(self.slab_prediction.parts(previous, own, 2.0**FRACTION), mean, index)
        return mean, index, features
