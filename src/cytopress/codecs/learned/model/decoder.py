"""Decoder: symbols to latents to planes, slab by slab; memory does not grow with depth."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.range_coder import RangeDecoder
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.model.codec_model import CodecModel
from cytopress.codecs.progress import track

Array = npt.NDArray[Any]


def decode_slabs(
    model: CodecModel, setting: GainSetting, decoder: RangeDecoder, shape: tuple[int, ...]
) -> Iterator[Array]:
    """Decode slabs in order; yield the latents of each, (M, h, w) float32, in quantization steps.

    Parameters
    ----------
    model : CodecModel
        The networks and tables.
    setting : GainSetting
        The quality.
    decoder : RangeDecoder
        Where the symbols come from.
    shape : tuple of int
        (Z, Y, X) of the volume.

    Raises
    ------
    CorruptDataError
        The stream holds no latents of such a volume.
    """
    planes, height, width = shape
    previous = None
    for _ in range(model.slabs.count(planes)):
        y_hat = model.decode_latents(decoder, (height, width), setting, previous)
        previous = y_hat if model.predicts_slabs else None
        yield y_hat


def synthesize_slabs(
    model: CodecModel, setting: GainSetting, latents: Iterator[Array], shape: tuple[int, ...]
) -> Iterator[tuple[slice, Array]]:
    """Yield the planes of each slab, in order.

    Parameters
    ----------
    model : CodecModel
        The networks.
    setting : GainSetting
        The quality.
    latents : iterator of ndarray
        (M, h, w) float32 of each slab in quantization steps; overwritten unless the next slab is
        predicted from them.
    shape : tuple of int
        (Z, Y, X) of the volume.

    Yields
    ------
    slice, ndarray
        Which planes, and (planes, Y, X) float32 around the mean.
    """
    planes, height, width = shape
    neighbors, count = model.slabs.neighbors, model.slabs.count(planes)
    stack: deque[Array] = deque(maxlen=model.slabs.stack)
    for place in track(range(count + neighbors)):
        if place < count:
            y_hat = next(latents)
            scaled = y_hat.copy() if model.predicts_slabs else y_hat
            scaled *= setting.inverse_gain
            # Beyond its ends a volume has no latents.
            stack.extend([np.zeros_like(scaled)] * (neighbors if not place else 0))
            stack.append(scaled)
        else:
            stack.append(np.zeros_like(stack[-1]))
        if place >= neighbors:
            own = model.slabs.held(place - neighbors, planes)
            found = model.networks.synthesize(list(stack), (height, width))
            yield own, found[: own.stop - own.start]
