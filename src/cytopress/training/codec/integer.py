"""The hyper synthesis in integers, and the probability tables: what must be equal everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtr

from cytopress.training.codec.entropy import LEAST_SCALE, MOST_SCALE, HyperSynthesis, Prior

Array = npt.NDArray[Any]
PRECISION = 24
# Fractional bits of activations, means and scale indices.
FRACTION = 8
SCALES = 56
STEP = (MOST_SCALE - LEAST_SCALE) / (SCALES - 1)
WEIGHT_BITS = 14
# Beyond so many standard deviations, or below such a probability, a value is escaped.
REACH = 4.5
LEAST_PROBABILITY = 2.0**-18
# Where tables of the factorized prior end: of its latents some are means of whole blocks.
MOST_PRIOR = 2047


@dataclass(frozen=True)
class Tables:
    """Cumulative counts a row, of unequal ``size``, padded with the total 2 ** PRECISION.

    Symbol s of a row stands for the value s + offset; its last symbol is the escape.
    """

    cdf: Array
    size: Array
    offset: Array


def integer_layers(
    h_s: HyperSynthesis, means: int
) -> tuple[list[dict[str, Any]], dict[str, Array]]:
    """Return the manifest's layers and the arrays ``hs.<i>.weight`` and ``hs.<i>.bias``.

    The last layer's scales, log2 of the standard deviation, become indices of `scale_tables`; the
    first ``means`` of its outputs are means and stay as they are.
    """
    layers, arrays = [], {}
    for index, layer in enumerate(h_s.layers()):
        weight = layer.convolution.weight.detach().double().numpy().copy()
        assert layer.convolution.bias is not None
        bias = layer.convolution.bias.detach().double().numpy().copy()
        if not layer.relu:
            weight[means:] /= STEP
            bias[means:] /= STEP
        shift = WEIGHT_BITS - max(0, int(np.ceil(np.log2(np.abs(weight).max() + 1e-12))))
        arrays[f"hs.{index}.weight"] = np.rint(weight * 2.0**shift).astype(np.int32)
        arrays[f"hs.{index}.bias"] = np.rint(bias * 2.0 ** (shift + FRACTION)).astype(np.int64)
        layers.append(
            {"index": index, "shift": shift, "relu": layer.relu, "upsample": layer.upsample}
        )
    return layers, arrays


def scale_bias(log_scale: torch.Tensor) -> Array:
    """Return what each gain node and channel adds to the scale index, in fixed point."""
    index = (log_scale.detach().double().numpy() - LEAST_SCALE) / STEP
    return cast(Array, np.rint(index * 2**FRACTION).astype(np.int32))


def scale_tables() -> Tables:
    """Return a table for each standard deviation: a normal integrated over each step."""
    rows = []
    for index in range(SCALES):
        sigma = 2.0 ** (LEAST_SCALE + STEP * index)
        reach = int(np.ceil(REACH * sigma))
        values = np.arange(-reach, reach + 1)
        rows.append((-reach, ndtr((values + 0.5) / sigma) - ndtr((values - 0.5) / sigma)))
    return _tables(rows)


@torch.no_grad()
def prior_tables(prior: Prior) -> Tables:
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


def _tables(rows: list[tuple[int, Array]]) -> Tables:
    size = np.array([len(probability) + 1 for _, probability in rows], np.int32)
    cdf = np.full((len(rows), int(size.max()) + 1), 2**PRECISION, np.uint32)
    for row, (_, probability) in zip(cdf, rows, strict=True):
        counts = _counts(np.append(probability, max(0.0, 1.0 - probability.sum())))
        row[: len(counts) + 1] = np.concatenate(([0], np.cumsum(counts)))
    return Tables(cdf, size, np.array([offset for offset, _ in rows], np.int32))


def _counts(probability: Array) -> Array:
    """Return positive integers in proportion to ``probability`` that sum to 2 ** PRECISION."""
    spare = 2**PRECISION - len(probability)
    share = probability / probability.sum() * spare
    counts = np.floor(share).astype(np.int64)
    # What rounding down left over goes to the most probable one, where it costs least.
    counts[np.argmax(probability)] += spare - counts.sum()
    return cast(Array, counts + 1)
