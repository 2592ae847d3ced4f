"""Latent coder of format 2: hyper-latents, then latents in three passes, all in integers.

The order of the passes is that of `latents.latent_coder`. Arrays have their channels last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.exact.context import NEIGHBORS, HyperContext, Step
from cytopress.codecs.learned.exact.hyper_synthesis import HyperSynthesis
from cytopress.codecs.learned.exact.lattices import quarter, squares
from cytopress.codecs.learned.exact.numbers import STEP_BITS
from cytopress.codecs.learned.exact.symbols import Pass, SymbolCoder, Transforms
from cytopress.codecs.learned.latents.context_steps import ContextModel
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.latents.secondary_transforms import ACTIVE_FROM, CLASSES, QUIET
from cytopress.kernels import workspace
from cytopress.kernels.places import activity, add, table_rows

Array = npt.NDArray[Any]
Size = tuple[int, int]
# Of the classes of activity.
ACTIVITY = ACTIVE_FROM << STEP_BITS, STEP_BITS + QUIET, CLASSES
NOTHING: Array = np.empty((0, 0, 0), np.int32)


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
    context: ContextModel[Step]
    hyper_context: HyperContext | None = None
    slab_prediction: Step | None = None
    transforms: tuple[Transforms | None, Transforms | None] = (None, None)

    def hyper_latents(self, symbols: SymbolCoder, size: Size, setting: GainSetting) -> Array:
        """Code hyper-latents; return them decoded, (h', w', Nz) int32 with a fraction."""
        known = workspace.zeros((*size, self.h_s.inputs), np.int32)
        context, node = self.hyper_context, setting.node
        self._by_prior(symbols, known, None if context is None else quarter(size, odd=False), node)
        if context is not None:
            bias = context.bias[node].astype(np.int32)[None]
            for places, index in context.passes(known):
                one = Pass(slice(None), places, (known,), index, bias)
                self._code(symbols, one, None)
        return known

    def _by_prior(
        self, symbols: SymbolCoder, known: Array, places: Array | None, node: int
    ) -> None:
        channels = known.shape[-1]
        prior = self.prior[node % len(self.prior)]
        count = known[..., 0].size if places is None else len(places)
        rows = np.tile(np.arange(channels, dtype=np.uint8), count)
        bias = np.zeros((1, channels), np.int32)
        one = Pass(slice(None), places, (known,), known, bias)
        add(known, symbols.code(one, None, rows, prior) << STEP_BITS, places)

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
        context, (of_first, of_rest) = self.context, self.transforms
        channels, first, width = context.channels, context.first, context.width
        counts = channels, channels, self.h_s.outputs - 2 * channels
        mean, index, features = self.h_s(z_hat, counts)
        shape = mean.shape[0], mean.shape[1]
        bias = setting.scale_bias.reshape(-1).astype(np.int32)
        if self.slab_prediction is not None and previous is not None:
            own = features[..., -self.slab_prediction.form[1] :]
            self.slab_prediction.add(previous, own, mean, index)

        # Residuals of the first channels, with what the context adds to their means.
        known = workspace.zeros((*shape, first), np.int32)
        firsts, rest = slice(first), slice(first, None)
        means, indices = (mean[..., firsts], known), index[..., firsts]
        # White squares: by the hyper synthesis alone.
        white, black = (squares(shape, black=black) for black in (False, True))
        own = bias[None, firsts]
        self._code(symbols, Pass(firsts, white, means, indices, own), of_first)
        # Black squares: their four white neighbors are known.
        context.across.add(known, features[..., :width], known, indices, black, NEIGHBORS)
        self._code(symbols, Pass(firsts, black, means, indices, own), of_first)
        # All other channels: the first ones are known all around.
        others, indices = mean[..., rest], index[..., rest]
        context.inward.add(known, features[..., width : 2 * width], others, indices)
        add(mean[..., firsts], known)
        one = [Pass(rest, None, (others,), indices, bias[None, rest])]
        # Large arrays go as soon as they can.
        del known, features, index, indices
        self._code(symbols, one.pop(), of_rest)
        return mean

    def _code(self, symbols: SymbolCoder, of: Pass, transforms: Transforms | None) -> None:
        """Code one pass, and add its decoded residuals to its means."""
        target, which, table = of.means[-1], None, (STEP_BITS, len(self.scales))
        if transforms is None:
            rows = table_rows(of.indices, of.bias, *table, of.places)
        else:
            of = transforms.of(of)
            classes, rows = activity(of.indices, of.bias[0], ACTIVITY, of.places, table)
            which = symbols.choose(of, classes, self.scales)
            if which.any():
                rows = table_rows(of.indices, of.bias, *table, of.places, which, rows)
        of = replace(of, indices=NOTHING)
        coded = symbols.code(of, which, rows, self.scales)
        if transforms is None or which is None:
            coded <<= STEP_BITS
            add(target, coded, of.places)
        else:
            transforms.inverse.add(coded.reshape(-1, target.shape[2]), which, target, of.places)
