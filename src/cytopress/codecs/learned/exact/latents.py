"""Latent coder of format 2: hyper-latents, then latents in three passes, all in integers.

The order of the passes is that of `latents.latent_coder`. Arrays have their channels last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.exact.context import (
    ContextModel,
    HyperContext,
    Step,
    neighbors,
    put_squares,
    squares,
)
from cytopress.codecs.learned.exact.hyper_synthesis import HyperSynthesis
from cytopress.codecs.learned.exact.numbers import STEP_BITS
from cytopress.codecs.learned.exact.symbols import Pass, SymbolCoder, Transforms
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.kernels.elementwise import nearest_rows

Array = npt.NDArray[Any]
Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class LatentCoder:
    """The probability model of a package's latents.

    Parameters
    ----------
    prior : tuple of ProbabilityTables
        Tables of the hyper-latents by channel, of each gain node or of all.
    scales : ProbabilityTables
        Tables of residuals by scale index.
    h_s : HyperSynthesis
        From hyper-latents to means, scale indices and features.
    context : ContextModel
        From decoded latents to means and scale indices of the passes that follow.
    hyper_context : HyperContext, optional
        From decoded hyper-latents to means and scale indices of the passes that follow.
    slab_prediction : Step, optional
        From the latents of the previous slab of a volume to means and scale indices of this one.
    transforms : tuple of Transforms, optional
        Of the context model's first channels, and of its other channels.
    """

    prior: tuple[ProbabilityTables, ...]
    scales: ProbabilityTables
    h_s: HyperSynthesis
    context: ContextModel
    hyper_context: HyperContext | None = None
    slab_prediction: Step | None = None
    transforms: tuple[Transforms | None, Transforms | None] = (None, None)

    def hyper_latents(self, symbols: SymbolCoder, size: Size, setting: GainSetting) -> Array:
        """Code hyper-latents; return them decoded, (h', w', Nz) int32 with a fraction."""
        known = np.zeros((*size, self.h_s.inputs), np.int32)
        if self.hyper_context is None:
            known[:] = self._by_prior(symbols, known, 1, setting.node)
            return known
        corner = known[::2, ::2]
        corner[:] = self._by_prior(symbols, corner, 2, setting.node)
        for mask, mean, index in self.hyper_context.passes(known, setting.node):
            one = Pass(lambda a, mask=mask: a[mask], mean, index)  # type: ignore[misc]
            rows = self._rows(index)
            coded = symbols.code(one, _nothing(index), rows, self.scales).reshape(mean.shape)
            known[mask] = (coded << STEP_BITS) + mean
        return known

    def _by_prior(self, symbols: SymbolCoder, like: Array, every: int, node: int) -> Array:
        channels = like.shape[-1]
        prior = self.prior[node % len(self.prior)]
        rows = np.tile(np.arange(channels, dtype=np.uint8), like[..., 0].size)
        mean = np.zeros(like.shape, np.int32)
        one = Pass(lambda a: a[::every, ::every], mean, mean.reshape(-1, channels))
        coded = symbols.code(one, _nothing(one.index), rows, prior)
        coded <<= STEP_BITS
        return coded.reshape(like.shape)

    def latents(
        self,
        symbols: SymbolCoder,
        z_hat: Array,
        setting: GainSetting,
        previous: Array | None = None,
    ) -> Array:
        """Code latents; return them decoded, (h, w, M) int32 in steps, with a fraction.

        ``previous`` is what this returned for the previous slab.

        Three passes: the first channels on the white squares of a checkerboard, the same channels
        on the black squares, then all other channels.
        """
        y_hat, index, features = self._moments(z_hat, setting, previous)
        context, (of_first, of_rest) = self.context, self.transforms
        first, width = context.first, context.width
        known = np.empty((*y_hat.shape[:2], first), np.int32)

        def white(a: Array) -> Array:
            return squares(a[..., :first], black=False)

        def black(a: Array) -> Array:
            return squares(a[..., :first], black=True)

        def others(a: Array) -> Array:
            return a[..., first:]

        # White squares: by the hyper synthesis alone.
        decoded = self._residuals(symbols, white, white(y_hat), white(index), of_first)
        put_squares(known, decoded, black=False)

        # Black squares: their four white neighbors are known.
        mean, wider = black(y_hat), black(index).astype(np.int32)
        added = np.empty_like(mean)
        around = squares(features[..., :width], black=True)
        for band, offset, more in context.across.parts(neighbors(decoded), around):
            added[band] = offset
            wider[band] += more
        mean += added
        decoded = self._residuals(symbols, black, mean, wider, of_first)
        decoded += added
        put_squares(known, decoded, black=True)
        del decoded, mean, added, around

        # All other channels: the first ones are known all around.
        rest, wider = others(y_hat), others(index)
        for band, offset, more in context.inward.parts(known, features[..., width : 2 * width]):
            rest[band] += offset
            wider[band] += more
        y_hat[..., :first] += known
        del known, features
        rest += self._residuals(symbols, others, rest, wider, of_rest)
        return y_hat

    def _residuals(
        self,
        symbols: SymbolCoder,
        select: Any,
        mean: Array,
        index: Array,
        transforms: Transforms | None,
    ) -> Array:
        """Code one pass; return its decoded residuals, as ``mean`` shaped, int32 with a fraction.

        ``index`` may be overwritten: a transform changes the scales.
        """
        flat = index.reshape(-1, index.shape[-1])
        if transforms is None:
            one = Pass(select, mean, flat)
            coded = symbols.code(one, _nothing(flat), self._rows(flat), self.scales)
            coded <<= STEP_BITS
            return coded.reshape(mean.shape)
        one = Pass(select, mean, flat, transforms)
        which = symbols.choose(one, self.scales)
        transforms.transforms.add_bias(flat.T, which)
        coded = symbols.code(one, which, self._rows(flat), self.scales)
        return transforms.inverse(coded.reshape(flat.shape), which).reshape(mean.shape)

    def _rows(self, index: Array) -> Array:
        """Return the table of each scale index, flat."""
        return nearest_rows(index, STEP_BITS, len(self.scales)).reshape(-1)

    def _moments(
        self, z_hat: Array, setting: GainSetting, previous: Array | None
    ) -> tuple[Array, Array, Array]:
        """Return means, scale indices and features of the latents, (h, w, C) int32 each."""
        channels = self.context.channels
        height, width = (length * self.h_s.upsample for length in z_hat.shape[:2])
        mean, index = (np.empty((height, width, channels), np.int32) for _ in range(2))
        features = np.empty((height, width, self.h_s.outputs - 2 * channels), np.int32)
        bias = setting.scale_bias.reshape(-1)
        for place, moments in self.h_s.parts(z_hat):
            mean[place] = moments[..., :channels]
            index[place] = moments[..., channels : 2 * channels] + bias
            features[place] = moments[..., 2 * channels :]
        if self.slab_prediction is not None and previous is not None:
            own = features[..., -self.slab_prediction.form[1] :]
            for band, offset, wider in self.slab_prediction.parts(previous, own):
                mean[band] += offset
                index[band] += wider
        return mean, index, features


def _nothing(index: Array) -> Array:
    return np.zeros(len(index), np.int8)
