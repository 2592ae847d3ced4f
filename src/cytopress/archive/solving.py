"""Solve a target once for a whole data set: one native setting for each channel, from samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cytopress.archive.chunk_decoding import decode_chunk
from cytopress.archive.chunk_encoding import ChunkCoding
from cytopress.archive.chunk_form import ChunkForm
from cytopress.archive.errors_of_pixels import Errors, errors_between
from cytopress.archive.plan import Ceiling, Coding
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import UsageError
from cytopress.image import Image, Pixels
from cytopress.metrics.data_range import data_range
from cytopress.metrics.noise import NoiseModel, fit_noise

# A chunk alone may be so much worse than its field: 2 dB of psnr, as a factor of the error.
CHUNK_FACTOR = 10 ** (2 / 20)
# A field may miss psnr by 0.3 dB, or sigma by 5 %.
FIELD_DB, FIELD_FACTOR, CHUNK_DB = 0.3, 1.05, 2.0
# Beyond this share of chunks to be coded finer, the setting as a whole is taken finer.
MOST_FINER = 0.1


@dataclass(frozen=True)
class Samples:
    """Samples of one channel: whole planes of some fields, and chunks cut from them.

    ``planes`` have shape (Y, X), ``chunks`` the shape of a chunk, (Y, X) or (Z, Y, X).
    """

    channel: str
    planes: Sequence[Pixels]
    chunks: Sequence[Pixels]
    bits: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """Pixel type."""
        return self.chunks[0].dtype


def solve(asked: CodecRequest, samples: Samples) -> Coding:
    """Return the coding of a channel.

    Raises
    ------
    UsageError
        The codec cannot code such chunks.
    UnreachableTargetError
        No setting meets the target on the samples.
    """
    request = _with_scales(asked, samples)
    limits = request.field_limits([Image(plane, bits=samples.bits) for plane in samples.planes])
    coded = ChunkCoding(_native(request, samples, limits), limits, samples.bits)
    found, size = _try(coded, samples)
    ceiling = _ceiling(request, coded.request, found)
    if ceiling is not None:
        for step in range(1, 6):
            if _share_beyond(found, ceiling, request.noise) <= MOST_FINER:
                break
            coded = ChunkCoding(finer(coded.request, step), limits, samples.bits)
            found, size = _try(coded, samples)
    total = Errors.sum(found)
    noise = request.noise
    return Coding(
        channel=samples.channel,
        dtype=samples.dtype.name,
        bits=samples.bits,
        asked=asked.spec,
        spec=replace(coded.request, noise=None).spec,
        limits=None if coded.request.lossless else limits,
        noise=None if noise is None else (noise.a, noise.b, noise.offset),
        ceiling=ceiling,
        expected_ratio=sum(chunk.nbytes for chunk in samples.chunks) / size,
        expected_rmse=total.rmse,
        expected_finer=0.0 if ceiling is None else _share_beyond(found, ceiling, noise),
    )


def finer(request: CodecRequest, steps: int) -> CodecRequest:
    """Return a native request some steps finer; lossless, or the finest, at the end.

    A step is a twelfth of the range of the codec's quality parameter.
    """
    parameter = request.family.traits.parameter
    if parameter is None or request.native is None:
        return request
    if parameter.scale == "log":
        place = math.log(request.native / parameter.least) / math.log(
            parameter.most / parameter.least
        )
    else:
        place = (request.native - parameter.least) / (parameter.most - parameter.least)
    place = (1 - place if parameter.finer == "lower" else place) + steps / 12
    if place >= 1 and request.family.traits.can_be_lossless:
        return replace(request, native=None)
    return replace(request, native=parameter.value_at(min(place, 1.0)))


def _with_scales(request: CodecRequest, samples: Samples) -> CodecRequest:
    """Return the request with data range and noise model of the sampled planes."""
    noise = request.noise
    if request.lacks_noise:
        noise = fit_noise([Image(plane, bits=samples.bits) for plane in samples.planes]).model
    counts = data_range(samples.planes) if request.lacks_range else request.data_range
    return request.with_reference_scales(counts, noise)


def _native(request: CodecRequest, samples: Samples, limits: tuple[float, float]) -> CodecRequest:
    """Return the request at the setting that meets its target over all sampled chunks.

    The chunks lie below one another in one image whose tiles they are, so each is coded by itself.
    """
    if request.asked is None:
        return request
    edge = samples.chunks[0].shape[-2]
    tiled = replace(request, tile=edge) if edge >= 16 and request.tile is None else request
    mosaic = Image(np.concatenate(list(samples.chunks), axis=-2), bits=samples.bits, limits=limits)
    adapter = tiled.solve(mosaic).codec
    while isinstance(inner := getattr(adapter, "codec", None), StreamCodec):
        adapter = inner
    parameter = request.family.traits.parameter
    assert parameter is not None
    lossless = adapter.lossless and request.family.traits.can_be_lossless
    value = None if lossless else float(getattr(adapter, parameter.name))
    return replace(request, asked=None, native=value, data_range=None)


def _try(coding: ChunkCoding, samples: Samples) -> tuple[list[Errors], int]:
    """Return the errors of each sampled chunk, and the bytes of all."""
    found, size = [], 0
    for chunk in samples.chunks:
        form = ChunkForm(chunk.shape, chunk.dtype, chunk.dtype.type(0))
        data = coding.encode(chunk, form)
        if data is None:
            raise UsageError(f"{samples.channel}: a chunk is no number at all.")
        size += len(data)
        found.append(errors_between(chunk, decode_chunk(data, form, []), coding.request.noise))
    return found, size


def _ceiling(
    request: CodecRequest, native: CodecRequest, found: Sequence[Errors]
) -> Ceiling | None:
    """Return the ceiling of a request that was asked, from the errors of the samples."""
    if native.lossless:
        return None
    kind, value = request.asked or ("", 0.0)
    if kind == "max_error":
        return Ceiling(kind="max_error", chunk=value)
    if kind == "sigma":
        return Ceiling(kind="sigma", chunk=value * CHUNK_FACTOR, shard=value * FIELD_FACTOR)
    if kind == "psnr":
        return Ceiling(
            kind="psnr",
            chunk=value - CHUNK_DB,
            shard=value - FIELD_DB,
            data_range=request.data_range,
        )
    # A ratio or a native setting: no chunk is much worse than the worst of the samples.
    worst = max(one.rmse for one in found)
    return Ceiling(kind="rmse", chunk=worst * FIELD_FACTOR)


def _share_beyond(found: Sequence[Errors], ceiling: Ceiling, noise: NoiseModel | None) -> float:
    """Return the share of chunks beyond a ceiling: what is seen, or may be unseen of so few."""
    del noise
    beyond = sum(not one.within(ceiling, ceiling.chunk) for one in found)
    return beyond / len(found)
