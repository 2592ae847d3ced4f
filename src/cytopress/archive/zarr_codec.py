"""The zarr v3 codec ``cytopress``: a chunk is one container, which decodes by itself.

zarr finds it by its entry point when an array names it, so this loads zarr and nothing heavy.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from zarr.abc.codec import ArrayBytesCodec
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer, NDBuffer

from cytopress.errors import UnsupportedImageError
from cytopress.image import DTYPES, Pixels, dtype_names

if TYPE_CHECKING:
    from cytopress.archive.chunk_encoding import ChunkCoding
    from cytopress.archive.chunk_form import ChunkForm
    from cytopress.archive.model_references import Travel
    from cytopress.metrics.noise import NoiseModel

NAME = "cytopress"


@dataclass(frozen=True, repr=False)
class CytopressCodec(ArrayBytesCodec):
    """Codes each chunk with a cytopress codec; make one with `from_spec`.

    Parameters
    ----------
    document : str
        The codec as JSON in the array's metadata. Entries that this version does not know are
        kept.
    """

    document: str
    # Whether it is being made here, where its model is at hand, and not read from metadata.
    _new: bool = field(default=False, compare=False)

    is_fixed_size = False

    @classmethod
    def from_spec(
        cls,
        spec: str,
        *,
        limits: tuple[float, float] | None = None,
        noise: NoiseModel | None = None,
        bits: int | None = None,
        models: Travel = "named",
    ) -> Self:
        """Return the codec for a new array.

        Parameters
        ----------
        spec : str
            A codec at its own setting, such as ``learned/cytopress-2d:quality=0.45`` or
            ``jpegxl:distance=2``; a target, such as ``ratio=50``, is solved beforehand. Structured
            noise is coded apart only where the spec says so, as `CodecRequest.with_field_lines`
            makes it: a chunk alone shows little of it.
        limits : (low, high), optional
            The used range of the whole field, in counts, from `CodecRequest.field_limits`. Without
            it, codecs that map a range take that of each chunk, at several times the bytes.
        noise : NoiseModel, optional
            Of the field, for a codec that needs one.
        bits : int, optional
            Significant bits of the pixels; the dtype's own unless given.
        models : {"named", "inline", "carried"}, optional
            Whether the metadata name a learned codec's model by its sha256 alone, hold a copy, or
            say that one lies in ``cytopress/models`` of the data set.

        Raises
        ------
        UsageError
            The spec is wrong, asks for a target, or lacks the noise model.
        """
        from cytopress.archive.codec_configuration import configuration

        found = configuration(spec, limits=limits, noise=noise, bits=bits, models=models)
        return cls(_text({"name": NAME, "configuration": found}), _new=True)

    @classmethod
    def per_chunk(cls, codecs: Sequence[CytopressCodec]) -> Self:
        """Return the codec of an array whose chunks are each coded by one of these.

        It stands in the metadata, for readers. A writer puts one of ``codecs`` in its place, in
        memory, for the chunks that it writes.
        """
        from cytopress.archive.codec_configuration import merged

        found = merged([codec.configuration for codec in codecs])
        return cls(_text({"name": NAME, "configuration": found}))

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Return the codec of an array's metadata; what is wrong with it, only decoding says."""
        return cls(_text(dict(data) if isinstance(data, Mapping) else {"name": NAME}))

    def to_dict(self) -> dict[str, Any]:
        """Return the codec as it is in metadata."""
        found: dict[str, Any] = json.loads(self.document)
        return found

    def __repr__(self) -> str:
        given = self.configuration
        spec = given.get("codec") if isinstance(given, Mapping) else None
        return f"CytopressCodec({spec!r})"

    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        """Return the codec itself, its dtype checked: within shards zarr asks for nothing else."""
        self._check_dtype(array_spec.dtype.to_native_dtype())
        return self

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:  # noqa: ARG002
        """Refuse chunks that cannot be coded; of an array that exists, only their dtype."""
        native = dtype.to_native_dtype()
        self._check_dtype(native)
        if self._new:
            from cytopress.archive.chunk_form import ChunkForm

            self._coding().check(ChunkForm(tuple(chunk_grid.chunk_shape), native, 0))

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Raise NotImplementedError: sizes differ from chunk to chunk."""
        raise NotImplementedError

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        return await asyncio.to_thread(self._decode_sync, chunk_data, chunk_spec)

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        return await asyncio.to_thread(self._encode_sync, chunk_data, chunk_spec)

    def _decode_sync(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        from cytopress.archive.chunk_decoding import decode_chunk
        from cytopress.archive.codec_configuration import models_of

        form = _form(chunk_spec)
        pixels = decode_chunk(chunk_data.to_bytes(), form, models_of(self.configuration))
        pixels = pixels.astype(form.dtype, copy=False)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(pixels)

    def _encode_sync(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        from cytopress.archive.codec_configuration import stored

        form = _form(chunk_spec)
        pixels: Pixels = np.asarray(chunk_data.as_numpy_array(), form.dtype.newbyteorder("="))
        data = self._container(pixels, form)
        if data is None:
            return None
        return chunk_spec.prototype.buffer.from_bytes(stored(data, self.configuration["format"]))

    def _container(self, pixels: Pixels, form: ChunkForm) -> bytes | None:
        """Return a chunk as a container; None if a missing chunk stands for it."""
        return self._coding().encode(pixels, form)

    @property
    def configuration(self) -> Any:
        """The configuration in the array's metadata, as JSON values."""
        return _configuration(self.document)

    def _coding(self) -> ChunkCoding:
        from cytopress.archive.codec_configuration import chunk_coding

        return chunk_coding(self.document)

    def _check_dtype(self, dtype: np.dtype[Any]) -> None:
        if dtype.newbyteorder("=") not in DTYPES:
            raise UnsupportedImageError(
                f"The codec cytopress takes pixels of {dtype_names(DTYPES)}, not {dtype}: convert"
                " them, or take another codec."
            )
        if self._new:
            request = self._coding().request
            request.family.traits.check_dtype(request.name, dtype, lossless=request.lossless)


@functools.lru_cache(maxsize=64)
def _configuration(document: str) -> Any:
    """Return the configuration; parsed once, since a model inside makes it long."""
    return json.loads(document).get("configuration")


def _form(spec: ArraySpec) -> ChunkForm:
    from cytopress.archive.chunk_form import ChunkForm

    dtype = spec.dtype.to_native_dtype()
    fill = 0 if spec.fill_value is None else spec.fill_value
    return ChunkForm(tuple(spec.shape), dtype, dtype.type(fill))


def _text(value: Any) -> str:
    # In one order, so that equal codecs are equal.
    return json.dumps(value, sort_keys=True, default=str)
