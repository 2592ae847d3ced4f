"""Encoder: planes to latents to symbols, slab by slab; a plane is one slab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy.typing as npt

from cytopress.codecs.learned.entropy.range_coder import RangeEncoder
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.model.codec_model import CodecModel
from cytopress.codecs.learned.pixels.normalization import PlaneLike


def encode_slabs(
    model: CodecModel,
    setting: GainSetting,
    encoder: RangeEncoder,
    windows: Iterable[Sequence[PlaneLike]],
) -> Iterator[npt.NDArray[Any]]:
    """Encode slabs in order; yield the latents of each as a decoder has them.

    Parameters
    ----------
    model : CodecModel
        The networks and tables.
    setting : GainSetting
        The quality.
    encoder : RangeEncoder
        Where the symbols go.
    windows : iterable of sequence
        The planes that each slab's latents see, (H, W) float32 around the mean.

    Yields
    ------
    ndarray
        (M, h, w) float32, in quantization steps.
    """
    previous = None
    for planes in windows:
        y_hat = model.encode_latents(
            encoder, model.networks.analyze(planes, setting.gain), setting, previous
        )
        previous = y_hat if model.predicts_slabs else None
        yield y_hat
