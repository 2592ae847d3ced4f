"""Integer form of the hyper synthesis, context models and probability tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtr
from torch import nn

from cytopress.codecs.learned.latents.hyper_synthesis import FRACTION
from cytopress.codecs.learned.latents.secondary_transforms import SHIFT
from cytopress.codecs.learned.pixels.background import PREDICTORS
from cytopress.training.codec.context import ContextModel, ContextStep
from cytopress.training.codec.entropy import HyperSynthesis, Prior
from cytopress.training.codec.gaussian import LEAST_SCALE, SCALES, STEP
from cytopress.training.codec.hyper_context import HyperContext
from cytopress.training.codec.secondary_transforms import SecondaryTransforms

Array = npt.NDArray[Any]
PRECISION = 24
WEIGHT_BITS = 14
# Beyond so many standard deviations, or below this probability, a value is escaped.
REACH = 4.5
LEAST_PROBABILITY = 2.0**-18
# Mean deviations of the prediction residuals of a background, in its steps, and how many of them a
# table spans.
BACKGROUND_SPREADS = tuple(2.0 ** (power / 2) for power in range(-5, 11))
BACKGROUND_REACH = 7
# Largest value in tables of the factorized prior: some of its latents are means of whole blocks.
MOST_PRIOR = 2047


@dataclass(frozen=True)
class StoredTables:
    """Cumulative counts a row, of unequal ``size``, padded with the total 2 ** PRECISION.

    Symbol s of a row stands for the value s + offset; its last symbol is the escape.
    """

    cdf: Array
    size: Array
    offset: Array


def prefixed(name: str, tables: StoredTables) -> dict[str, Array]:
    """Return the arrays that a package keeps of tables, row behind row."""
    rows = [row[: size + 1] for row, size in zip(tables.cdf, tables.size, strict=True)]
    return {
        f"{name}_cdf": np.concatenate(rows),
        f"{name}_size": tables.size,
        f"{name}_offset": tables.offset,
    }


def integer_layers(
    h_s: HyperSynthesis, means: int, scales: int
) -> tuple[list[dict[str, Any]], dict[str, Array]]:
    """Return the manifest's layers and the arrays ``hs.<i>.weight`` and ``hs.<i>.bias``.

    The last layer's scales, log2 of the standard deviation, become indices of `scale_tables`; the
    ``means`` outputs before these ``scales`` are means and stay as they are.
    """
    layers: list[dict[str, Any]] = []
    arrays: dict[str, Array] = {}
    for index, layer in enumerate(h_s.layers()):
        factor: Array = np.ones(layer.convolution.out_channels)
        if not layer.relu:
            # Features follow means and scales, and stay as they are too.
            factor[means : means + scales] /= STEP
        shift, weight, bias = _integers(layer.convolution, factor)
        arrays |= {f"hs.{index}.weight": weight, f"hs.{index}.bias": bias}
        layers.append(
            {"index": index, "shift": shift, "relu": layer.relu, "upsample": layer.upsample}
        )
    return layers, arrays


def context_layers(
    context: ContextModel | HyperContext, name: str
) -> tuple[dict[str, int], dict[str, Array]]:
    """Return the manifest's shifts and the arrays ``<name>.<step>.<layer>.weight``, ``bias``."""
    shifts: dict[str, int] = {}
    arrays: dict[str, Array] = {}
    for step, part in context.named_children():
        if not isinstance(part, ContextStep):
            continue
        found, integers = step_layers(part, f"{name}.{step}")
        shifts |= {f"{step}.{layer}": shift for layer, shift in found.items()}
        arrays |= integers
    return shifts, arrays


def hyper_context_layers(context: HyperContext) -> tuple[dict[str, int], dict[str, Array]]:
    """Return the manifest's shifts and the arrays ``hyper_context.<name>``."""
    shifts, arrays = context_layers(context, "hyper_context")
    features = np.rint(context.features.detach().double().numpy() * 2**FRACTION)
    arrays["hyper_context.features"] = features.astype(np.int32)
    arrays["hyper_context.bias"] = scale_bias(context.bias)
    return shifts, arrays


def transform_arrays(transforms: SecondaryTransforms, name: str) -> dict[str, Array]:
    """Return the arrays ``<name>.matrix``, ``bias`` and those of the tables ``odds``."""
    probability = np.exp2(transforms.log2_probability().detach().double().numpy())
    tables = _tables([(0, row) for row in probability] + [(0, np.full(2, 0.5))])
    return {
        f"{name}.matrix": np.rint(
            transforms.matrices().detach().double().numpy() * 2.0**SHIFT
        ).astype(np.int16),
        f"{name}.bias": np.rint(
            transforms.scale_bias().detach().double().numpy() / STEP * 2**FRACTION
        ).astype(np.int32),
        **prefixed(f"{name}.odds", tables),
    }


def step_layers(step: ContextStep, name: str) -> tuple[dict[str, int], dict[str, Array]]:
    """Return the shifts of a step's layers and the arrays ``<name>.<layer>.weight``, ``bias``."""
    shifts: dict[str, int] = {}
    arrays: dict[str, Array] = {}
    for layer in ("hidden", "mean", "scale"):
        convolution = step.get_submodule(layer)
        assert isinstance(convolution, nn.Conv2d)
        factor = np.full(convolution.out_channels, 1 / STEP if layer == "scale" else 1.0)
        shifts[layer], weight, bias = _integers(convolution, factor)
        arrays |= {f"{name}.{layer}.weight": weight, f"{name}.{layer}.bias": bias}
    return shifts, arrays


def _integers(convolution: nn.Conv2d, factor: Array) -> tuple[int, Array, Array]:
    """Return the shift, the weights and the biases of a convolution times a factor a channel."""
    weight = convolution.weight.detach().double().numpy() * factor[:, None, None, None]
    bias: Array = np.zeros(len(weight))
    if convolution.bias is not None:
        bias = convolution.bias.detach().double().numpy() * factor
    shift = WEIGHT_BITS - max(0, int(np.ceil(np.log2(np.abs(weight).max() + 1e-12))))
    whole = np.rint(weight * 2.0**shift)
    # Two bytes hold nearly every layer; a decoder reads either.
    small = np.abs(whole).max(initial=0) < 2**15
    return (
        shift,
        whole.astype(np.int16 if small else np.int32),
        np.rint(bias * 2.0 ** (shift + FRACTION)).astype(np.int64),
    )


def scale_bias(log_scale: torch.Tensor) -> Array:
    """Return what each gain node and channel adds to the scale index, in fixed point."""
    index = (log_scale.detach().double().numpy() - LEAST_SCALE) / STEP
    return cast(Array, np.rint(index * 2**FRACTION).astype(np.int32))


def scale_tables() -> StoredTables:
    """Return a table for each standard deviation: a normal integrated over each step."""
    rows = []
    for index in range(SCALES):
        sigma = 2.0 ** (LEAST_SCALE + STEP * index)
        reach = int(np.ceil(REACH * sigma))
        values = np.arange(-reach, reach + 1)
        rows.append((-reach, ndtr((values + 0.5) / sigma) - ndtr((values - 0.5) / sigma)))
    return _tables(rows)


def background_tables() -> StoredTables:
    """Return tables of two-sided geometric distributions, and one of the choice among them.

    The last row is of the pairs of another row and a predictor.
    """
    rows = []
    for spread in BACKGROUND_SPREADS:
        reach = int(np.ceil(BACKGROUND_REACH * spread)) + 1
        values = np.abs(np.arange(-reach, reach + 1))
        rows.append((-reach, np.exp(-values / spread) * np.tanh(0.5 / spread)))
    choices = len(rows) * len(PREDICTORS)
    rows.append((0, np.full(choices, 1 / choices)))
    return _tables(rows)


@torch.no_grad()
def prior_tables(prior: Prior) -> StoredTables:
    """Return a table for each channel of the factorized prior."""
    channels = prior.bottleneck.channels
    values = torch.arange(-MOST_PRIOR, MOST_PRIOR + 1, dtype=torch.float32)
    likelihood, _, _ = prior.bottleneck._likelihood(  # noqa: SLF001 - it has no other name
        values.repeat(channels, 1, 1)
    )
    rows = []
    for probability in likelihood[:, 0].double().numpy():
        kept = np.flatnonzero(probability > LEAST_PROBABILITY)
        low, high = (kept[0], kept[-1]) if kept.size else (MOST_PRIOR, MOST_PRIOR)
        rows.append((int(low) - MOST_PRIOR, probability[low : high + 1]))
    return _tables(rows)


def _tables(rows: list[tuple[int, Array]]) -> StoredTables:
    size = np.array([len(probability) + 1 for _, probability in rows], np.int32)
    cdf = np.full((len(rows), int(size.max()) + 1), 2**PRECISION, np.uint32)
    for row, (_, probability) in zip(cdf, rows, strict=True):
        counts = _counts(np.append(probability, max(0.0, 1.0 - probability.sum())))
        row[: len(counts) + 1] = np.concatenate(([0], np.cumsum(counts)))
    return StoredTables(cdf, size, np.array([offset for offset, _ in rows], np.int32))


def _counts(probability: Array) -> Array:
    """Return positive integers in proportion to ``probability`` that sum to 2 ** PRECISION."""
    spare = 2**PRECISION - len(probability)
    share = probability / probability.sum() * spare
    counts = np.floor(share).astype(np.int64)
    # The rest of rounding down goes to the most probable symbol, where it costs least.
    counts[np.argmax(probability)] += spare - counts.sum()
    return cast(Array, counts + 1)
