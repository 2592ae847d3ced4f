"""Range of whole fields that lossy coding maps: that of what is left without structured noise."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.periodic_noise.fitting import Fit
from cytopress.codecs.periodic_noise.layer import FINEST, Layer
from cytopress.codecs.periodic_noise.quantization import quantized
from cytopress.codecs.targets.lines_choice import lines_for
from cytopress.codecs.wrappers.lines import FINE, FRACTION
from cytopress.codecs.wrappers.lines_mapping import CODED, planes, without
from cytopress.image import Image
from cytopress.metrics.data_range import pooled_percentiles
from cytopress.metrics.histogram import histogram, histogram_percentiles

if TYPE_CHECKING:
    from cytopress.codecs.targets.request import CodecRequest

# Values of 16 bits in units of 2 ** -FRACTION counts, and what lies beyond them on either side.
BEYOND = 2**12
VALUES = (2**16 << FRACTION) + 2 * BEYOND
# Pickup that counts has at least this share of the noise's variance.
PICKUP = 0.1


def field_range(request: CodecRequest, images: Iterable[Image]) -> tuple[float, float]:
    """Return the range that a request's codec would take from fields, in counts.

    Where pickup is coded apart, pixels without it are mapped: they may lie below zero, and their
    range is not that of the pixels. Faint waves, and row or column noise alone, hardly change it,
    and may not pay.
    """
    percentiles, every = request.family.traits.percentiles, iter(images)
    first = next(every)
    every = itertools.chain([first], every)
    if request.lines == "0" or request.lossless or first.dtype.name not in CODED:
        return pooled_percentiles((image.pixels for image in every), percentiles)
    pixels, rest, pickup = np.zeros(2**16, np.int64), np.zeros(VALUES, np.int64), False
    for image in every:
        pixels += histogram(image.pixels)
        for values, found in _values(request, image):
            pickup |= found
            kept = np.clip(values + BEYOND, 0, VALUES - 1)
            rest += np.bincount(kept.ravel(), minlength=VALUES)
    if not pickup:
        low, high = histogram_percentiles(pixels, percentiles)
        return low, high
    low, high = (one - BEYOND for one in histogram_percentiles(rest, percentiles))
    return low * 2.0**-FRACTION, high * 2.0**-FRACTION


def _values(request: CodecRequest, image: Image) -> Iterator[tuple[npt.NDArray[Any], bool]]:
    """Yield what is coded of each plane, in units of ``2 ** -FRACTION``, and if it had pickup."""
    found, shape = lines_for(request, image), image.shape[-2:]
    every = planes(image.pixels)
    for plane, fit in zip(every, found.fits if found else [None] * len(every), strict=True):
        layer = Layer(shape, 1, ()) if fit is None else quantized(fit, shape, FINE)
        yield without(plane, layer, FRACTION), fit is not None and _has_pickup(layer, fit)


def _has_pickup(layer: Layer, fit: Fit) -> bool:
    waves = replace(layer, lines=tuple(line for line in layer.lines if line.frequency))
    variance = float(waves.values(FINEST).var()) * 2.0 ** (-2 * FINEST)
    return variance > PICKUP * fit.variance
