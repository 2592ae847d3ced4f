"""Writing of shards: each chunk at the channel's setting, or finer where that exceeds a ceiling."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import zarr
from zarr.codecs import ShardingCodec
from zarr.core.array import AsyncArray
from zarr.core.metadata import ArrayV3Metadata

from cytopress.archive.chunk_encoding import ChunkCoding
from cytopress.archive.chunk_form import ChunkForm
from cytopress.archive.finer import finer
from cytopress.archive.plan import Coding
from cytopress.archive.zarr_codec import CytopressCodec
from cytopress.codecs.spec import codec, stored_codec
from cytopress.errors import CodecError
from cytopress.image import Pixels
from cytopress.settings import from_environment

# So many times finer before a chunk is coded losslessly, by one of these codecs.
STEPS = 4
LOSSLESS = {"uint8": "jpegls", "uint16": "jpegls"}
ANY = "zstd"


def chunk_coding_of(coding: Coding, steps: int = 0) -> ChunkCoding:
    """Return how chunks of a channel are coded, some steps finer; at the end losslessly."""
    settings = from_environment()
    request = stored_codec(coding.spec, settings)
    taken = finer(request, steps, coding.dtype, coding.limits) if steps <= STEPS else None
    if taken is None:
        return ChunkCoding(codec(LOSSLESS.get(coding.dtype, ANY), settings), None, coding.bits)
    taken = taken.with_reference_scales(None, coding.noise_model)
    return ChunkCoding(taken, coding.limits, coding.bits)


class ShardChunks:
    """Coded chunks of one shard, each coded once for each number of steps that it is finer."""

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._coded: dict[tuple[bytes, int], bytes | None] = {}
        self._codings: dict[int, ChunkCoding] = {}
        self.finer: dict[bytes, int] = {}

    def encode(self, chunk: Pixels, form: ChunkForm) -> bytes | None:
        """Return a chunk as a container; losslessly where the codec cannot code it."""
        name = name_of(chunk)
        steps = self.finer.get(name, 0)
        if (name, steps) not in self._coded:
            try:
                self._coded[name, steps] = self._coding_of(steps).encode(chunk, form)
            except CodecError:
                self.finer[name] = steps = STEPS + 1
                self._coded[name, steps] = _lossless(self._coding_of(steps), chunk, form)
        return self._coded[name, steps]

    def _coding_of(self, steps: int) -> ChunkCoding:
        if steps not in self._codings:
            self._codings[steps] = chunk_coding_of(self._coding, steps)
        return self._codings[steps]

    def take_finer(self, chunk: Pixels) -> bool:
        """Code a chunk a step finer the next time; whether that is possible."""
        name = name_of(chunk)
        steps = self.finer.get(name, 0)
        if steps > STEPS:
            return False
        self.finer[name] = steps + 1
        return True


def _lossless(coding: ChunkCoding, chunk: Pixels, form: ChunkForm) -> bytes | None:
    try:
        return coding.encode(chunk, form)
    except CodecError:
        return replace(coding, request=codec(ANY)).encode(chunk, form)


def name_of(chunk: Pixels) -> bytes:
    """Return the digest of a chunk's pixels."""
    return hashlib.sha256(np.ascontiguousarray(chunk).data).digest()


@dataclass(frozen=True, repr=False)
class _Writer(CytopressCodec):
    """The codec of an array while a shard is written; metadata on the disk stay as they are."""

    chunks: ShardChunks | None = field(default=None, compare=False)

    def _container(self, pixels: Pixels, form: ChunkForm) -> bytes | None:
        assert self.chunks is not None
        return self.chunks.encode(pixels, form)


def writable(array: zarr.Array[Any], chunks: ShardChunks | None) -> zarr.Array[Any]:
    """Return an array that writes shards of nothing but the fill value, too.

    With ``chunks``, its chunks are coded by them.
    """
    metadata = array.metadata
    assert isinstance(metadata, ArrayV3Metadata)
    if chunks is not None:
        first = metadata.codecs[0]
        within = first.codecs[0] if isinstance(first, ShardingCodec) else first
        assert isinstance(within, CytopressCodec)
        inner = _Writer(within.document, chunks=chunks)
        outer = replace(first, codecs=(inner,)) if isinstance(first, ShardingCodec) else inner
        metadata = replace(metadata, codecs=(outer,))
    # Readers take a missing shard for the fill value: a lost one must not look like black.
    config: Any = {"write_empty_chunks": True}
    return zarr.Array(AsyncArray(metadata=metadata, store_path=array.store_path, config=config))
