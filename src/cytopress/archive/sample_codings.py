"""Sampled encodes: chunks of some fields coded and decoded at settings, each setting once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cytopress.archive.chunk_decoding import decode_chunk
from cytopress.archive.chunk_encoding import ChunkCoding
from cytopress.archive.chunk_form import ChunkForm
from cytopress.archive.codec_configuration import format_of, stored
from cytopress.archive.errors_of_pixels import Errors, errors_between
from cytopress.archive.finer import parameter_for
from cytopress.archive.pyramid import halved
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.traits import QualityParameter
from cytopress.errors import CodecError, UsageError
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Samples:
    """Samples of one channel: parts of some fields' planes, and chunks cut from the fields.

    ``planes`` have shape (Y, X), ``chunks`` the shape of a chunk, (Y, X) or (Z, Y, X); ``fields``
    numbers the field of each chunk.
    """

    channel: str
    planes: Sequence[Pixels]
    chunks: Sequence[Pixels]
    fields: Sequence[int]
    bits: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """Pixel type."""
        return self.chunks[0].dtype


@dataclass(frozen=True)
class Coded:
    """Chunks at one setting: the errors of each, the bytes of each, and those coded losslessly.

    A chunk that the codec cannot code is coded losslessly, as the archive does.
    """

    errors: tuple[Errors, ...]
    sizes: tuple[int, ...]
    fallen_back: tuple[bool, ...]

    @property
    def total(self) -> Errors:
        """Errors of all pixels together."""
        return Errors.sum(self.errors)


class SampleCodings:
    """Chunks of a channel, coded at any setting of a request.

    Parameters
    ----------
    request : CodecRequest
        With its reference scales; its target is left out.
    limits : (low, high)
        Of the channel, in counts.
    """

    def __init__(
        self,
        request: CodecRequest,
        chunks: Sequence[Pixels],
        limits: tuple[float, float],
        bits: int,
    ) -> None:
        self._chunks, self._limits, self._bits = chunks, limits, bits
        self._request = replace(request, asked=None, native=self._some(request), data_range=None)
        self._coded: dict[tuple[float | None, int], _CodedChunk] = {}

    @staticmethod
    def _some(request: CodecRequest) -> float | None:
        parameter = request.family.traits.parameter
        return parameter.finest if request.asked and parameter else request.native

    @property
    def count(self) -> int:
        """Number of chunks."""
        return len(self._chunks)

    @property
    def parameter(self) -> QualityParameter | None:
        """The quality parameter of the codec, for these pixels."""
        return parameter_for(self._request, self._chunks[0].dtype.name, self._limits)

    def at(self, native: float | None, every: int = 1) -> Coded:
        """Return the chunks at a value of the quality parameter (None: lossless), or every n-th."""
        coding = self.coding(native)
        found = [self._one(coding, native, n) for n in range(0, len(self._chunks), every)]
        coded = Coded(
            tuple(one.errors for one in found),
            tuple(one.size for one in found),
            tuple(one.fallen_back for one in found),
        )
        if all(coded.fallen_back):
            # Says what no chunk can have.
            coding.check(_form(self._chunks[0]))
            coding.codec(coding.image(self._chunks[0])).encode(coding.image(self._chunks[0]))
        return coded

    def below(self, native: float | None) -> list[Pixels]:
        """Return the chunks of the next lower resolution: means of what is decoded."""
        coding = self.coding(native)
        return [self._one(coding, native, n).below for n in range(len(self._chunks))]

    def ratio(self, coded: Coded, every: int = 1) -> float:
        """Return the compression ratio of chunks, or of every n-th."""
        return sum(chunk.nbytes for chunk in self._chunks[::every]) / sum(coded.sizes)

    def coding(self, native: float | None) -> ChunkCoding:
        """Return how chunks are coded at a value of the quality parameter."""
        request = replace(self._request, native=native) if native is not None else self._unset
        return ChunkCoding(request, self._limits, self._bits)

    @property
    def _unset(self) -> CodecRequest:
        """Return the request without a setting: lossless where it can be, and so in full."""
        if not self._request.family.traits.can_be_lossless:
            return replace(self._request, native=None)
        return replace(self._request, native=None, lines="0", scale="1")

    def _one(self, coding: ChunkCoding, native: float | None, n: int) -> _CodedChunk:
        if (native, n) not in self._coded:
            self._coded[native, n] = _code(coding, self._chunks[n])
        return self._coded[native, n]


@dataclass(frozen=True)
class _CodedChunk:
    """One chunk at one setting, and its next lower resolution as decoded."""

    errors: Errors
    size: int
    fallen_back: bool
    below: Pixels


def _code(coding: ChunkCoding, chunk: Pixels) -> _CodedChunk:
    form, fallen_back = _form(chunk), False
    try:
        data = coding.encode(chunk, form)
    except CodecError:
        data, fallen_back = Zstd().encode(Image(chunk)), True
    if data is None:
        raise UsageError("a chunk holds nothing but values that are no numbers.")
    data = stored(data, format_of(coding.request))
    decoded = decode_chunk(data, form, [])
    errors = errors_between(chunk, decoded, coding.request.noise)
    return _CodedChunk(errors, len(data), fallen_back, halved(decoded))


def _form(chunk: Pixels) -> ChunkForm:
    return ChunkForm(chunk.shape, chunk.dtype, chunk.dtype.type(0))
