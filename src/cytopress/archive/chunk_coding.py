"""Chunk coding: a codec's configuration, as JSON in zarr metadata, and chunks coded by it.

A coded chunk is a whole container, which says by itself how it is decoded. The configuration is for
those who write, and says where the models are.
"""

from __future__ import annotations

import functools
import json
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cytopress.archive.edge_chunks import cropped, padded
from cytopress.archive.model_references import (
    Reference,
    Travel,
    digest_of,
    digests_in,
    read_references,
    references,
    require_models,
)
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container import container
from cytopress.codecs.container.container import Form
from cytopress.codecs.learned.codec import LearnedFamily
from cytopress.codecs.learned.model.packages import find_by_digest
from cytopress.codecs.limits import LARGE, UNKNOWN
from cytopress.codecs.registry import build
from cytopress.codecs.spec import codec as request_of
from cytopress.codecs.targets import resolve
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import (
    CodecError,
    CorruptDataError,
    LimitError,
    UnsupportedImageError,
    UsageError,
)
from cytopress.image import Image, Pixels
from cytopress.machine import memory_bytes
from cytopress.metrics.noise import NoiseModel
from cytopress.settings import Settings, from_environment

FORMAT = 1
# Instead of a spec, where each chunk has its own.
PER_CHUNK = "per chunk"
# One learned codec uses every core, and memory for its networks: more at once are not faster.
learned_at_once = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class ChunkForm:
    """What zarr says of a chunk: its shape, pixel type and fill value."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: Any


@dataclass(frozen=True)
class ChunkCoding:
    """How chunks are coded: a request at a native setting, and what the field says of them."""

    request: CodecRequest
    limits: tuple[float, float] | None
    bits: int

    def codec(self, image: Image) -> StreamCodec:
        """Return the codec of a chunk."""
        found = resolve.resolve(self.request, image)
        assert isinstance(found, StreamCodec)
        return found

    def image(self, pixels: Pixels) -> Image:
        """Return a chunk (Y, X) or (Z, Y, X) as a part of its field."""
        return Image(pixels, bits=self.bits, limits=self.limits)

    def check(self, form: ChunkForm) -> None:
        """Raise UnsupportedImageError if no such chunk can be coded."""
        image = self.image(np.zeros(self.inner_shape(form), form.dtype))
        self.codec(image).check(image)

    def inner_shape(self, form: ChunkForm) -> tuple[int, ...]:
        """Return the shape (Y, X) or (Z, Y, X) that the codec is given."""
        axes = 3 if 2 not in self.request.family.traits.dims else 2
        if form.shape[-3:-2] not in ((), (1,)):
            axes = 3
        return _last_axes(form.shape, axes)

    def encode(self, chunk: Pixels, form: ChunkForm) -> bytes | None:
        """Return a chunk as a container, without the tail of fill values.

        None: it is nothing but a fill value that is no number, which a container cannot hold.
        """
        whole = chunk.reshape(self.inner_shape(form))
        pixels = cropped(whole, form.fill)
        if pixels is None:
            corner = np.full((1,) * whole.ndim, form.fill, whole.dtype)
            return Zstd().encode(Image(corner)) if np.isfinite(form.fill) else None
        image = self.image(pixels)
        codec = self.codec(image)
        try:
            with learned_slot(codec):
                return codec.encode(image)
        except CodecError:
            if pixels.shape == whole.shape:
                raise
            # A narrow rest at an edge, too small for the codec's library.
            return Zstd().encode(image)


def configuration(
    spec: str,
    *,
    limits: tuple[float, float] | None = None,
    noise: NoiseModel | None = None,
    bits: int | None = None,
    models: Travel = "named",
) -> dict[str, Any]:
    """Return the configuration of a codec, as JSON values; raises as `chunk_coding` does."""
    found: dict[str, Any] = {"format": FORMAT, "codec": spec}
    request = _native(request_of(spec))
    found["lossless"] = request.lossless
    if limits is not None:
        found["limits"] = [float(limit) for limit in limits]
    if noise is not None:
        found["noise"] = {"a": noise.a, "b": noise.b, "offset": noise.offset}
    if bits is not None:
        found["bits"] = bits
    if request.packages:
        found["models"] = references(request.packages, models)
    chunk_coding(json.dumps({"configuration": found}))
    return found


def merged(configurations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the configuration of an array whose chunks are coded by any of several."""
    models = {one["sha256"]: one for given in configurations for one in given.get("models", ())}
    lossless = all(given["lossless"] for given in configurations)
    found = {"format": FORMAT, "codec": PER_CHUNK, "lossless": lossless}
    return found | ({"models": list(models.values())} if models else {})


@functools.lru_cache(maxsize=64)
def chunk_coding(document: str) -> ChunkCoding:
    """Return the coding of a codec in JSON, as it is in metadata.

    Raises
    ------
    UsageError
        It is of another format, not complete, or asks for what is no native setting.
    PackageError
        The codec's model is not on this machine.
    """
    given = json.loads(document).get("configuration")
    models = models_of(given)
    spec, limits, noise, bits = (given.get(key) for key in ("codec", "limits", "noise", "bits"))
    if not isinstance(spec, str) or spec == PER_CHUNK:
        raise UsageError(
            f"This array's configuration names no codec for its chunks, but {spec!r}: write to it"
            " with the program that made it."
        )
    try:
        model = None if noise is None else NoiseModel(noise["a"], noise["b"], noise["offset"])
        Image(np.zeros((1, 1), np.uint16), limits=limits, bits=bits or 0)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"This array's configuration of cytopress is invalid: {error}") from error
    settings = require_models(map(digest_of, models), models, from_environment())
    request = _pinned(_native(request_of(spec, settings)), models)
    request = request.with_reference_scales(None, model)
    if request.lacks_noise:
        raise UsageError(f"{spec}: chunks need the noise model of their field: give noise=.")
    return ChunkCoding(request, None if limits is None else (limits[0], limits[1]), bits or 0)


def models_of(given: Any) -> list[Reference]:
    """Return the model references of a configuration.

    Raises
    ------
    UsageError
        The configuration is of a format that this version does not know.
    """
    found = given.get("format") if isinstance(given, Mapping) else None
    if found != FORMAT:
        raise UsageError(
            f"This array was coded with format {found!r} of the codec cytopress, and this version"
            f" reads format {FORMAT}; update cytopress."
        )
    return read_references(given.get("models"))


def decode(data: bytes, form: ChunkForm, models: list[Reference]) -> Pixels:
    """Return the chunk of a container; nothing is decoded that does not fit it.

    Raises
    ------
    CorruptDataError
        The bytes are damaged, or hold another chunk than ``form`` says.
    LimitError
        The array's chunks are larger than the limit on decoded bytes.
    PackageError
        The model that coded them is not on this machine.
    """
    settings = from_environment()
    _check_size(form, settings)
    header, stream = container.unpack(data)
    _check_form(header.form, form)
    settings = require_models(digests_in(header.recipe), models, settings)
    codec = build(header.recipe, settings)
    with learned_slot(codec):
        pixels = codec.restore(stream, header.form).pixels
    return padded(pixels, _last_axes(form.shape, pixels.ndim), form.fill).reshape(form.shape)


@contextmanager
def learned_slot(codec: StreamCodec) -> Iterator[None]:
    """Wait until fewer learned codecs are at work in this process; others need not wait."""
    if not codec.packages():
        yield
        return
    with learned_at_once:
        yield


def _check_size(form: ChunkForm, settings: Settings) -> None:
    raw = math.prod(form.shape) * form.dtype.itemsize
    if raw <= LARGE and settings.max_bytes is None:
        return
    most = settings.max_bytes or (memory_bytes() or UNKNOWN) // 2
    if raw > most:
        raise LimitError(
            f"A chunk of this array has {raw} bytes, and the limit is {most}:"
            " read it on a machine with more memory."
        )


def _check_form(held: Form, form: ChunkForm) -> None:
    fits = held.dtype == form.dtype.newbyteorder("=") and len(held.shape) <= len(form.shape)
    ends = form.shape[-len(held.shape) :]
    if fits and math.prod(form.shape[: -len(held.shape)]) == 1:
        fits = all(one <= most for one, most in zip(held.shape, ends, strict=True))
    else:
        fits = False
    if not fits:
        there, here = (" x ".join(map(str, shape)) for shape in (held.shape, form.shape))
        raise CorruptDataError(
            f"This chunk holds {there} pixels of {held.dtype}, which do not fit the array's chunks,"
            f" {here} of {form.dtype}: it is damaged, or belongs to another array."
        )


def _last_axes(shape: tuple[int, ...], axes: int) -> tuple[int, ...]:
    if len(shape) < axes or math.prod(shape[:-axes]) != 1:
        here = " x ".join(map(str, shape))
        raise UnsupportedImageError(
            f"cytopress codes chunks of one plane or one stack, whose axes come last, not of {here}"
            " pixels: give chunks such as (1, 1, 1, 512, 512)."
        )
    return shape[-axes:]


def _native(request: CodecRequest) -> CodecRequest:
    if request.asked is not None:
        parameter = request.family.traits.parameter
        raise UsageError(
            f"{request.spec}: each chunk would search for its own {request.asked[0]}; give"
            f" {parameter.name if parameter else 'no target'}, the codec's own setting."
        )
    return request


def _pinned(request: CodecRequest, models: list[Reference]) -> CodecRequest:
    """Return a request with the very model that the configuration names."""
    for one in models:
        if one.get("name") == request.name and isinstance(request.family, LearnedFamily):
            found = find_by_digest(digest_of(one), request.settings)
            return replace(request, family=found)
    return request
