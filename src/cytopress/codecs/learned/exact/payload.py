"""Payload of format 2: one byte for the version, normalization, checksum, background, latents."""

from __future__ import annotations

import itertools
import math
import operator
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

from cytopress.codecs.container.container import Form
from cytopress.codecs.container.wire import Reader, varints
from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.codecs.learned.exact.gains import Dequantization
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.codecs.learned.exact.numbers import LATENT_BITS
from cytopress.codecs.learned.exact.pixels import (
    Normalization,
    Surface,
    fixed_mesh,
)
from cytopress.codecs.learned.exact.slabs import Band, synthesized
from cytopress.codecs.learned.exact.window import Window
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.errors import CorruptDataError
from cytopress.image import Image, Pixels
from cytopress.reuse import keep, reused

Array = npt.NDArray[Any]
VERSION = 2
CHECKSUM = struct.Struct("<I")
# Rows of pixels that are rounded at once.
ROWS = 512
# Pixels whose checksum is computed at once.
CHUNK = 2**17


def compress(model: ExactModel, quality: float | None, image: Image) -> bytes:
    """Return the payload of a plane or volume."""
    normalization = Normalization.of(image, model.manifest.percentiles)
    head = bytes([VERSION]) + normalization.packed
    if not normalization.span:
        return head
    setting, dequantize = model.gains.at(quality or 0.0)
    volume = image.pixels if image.pixels.ndim == 3 else image.pixels[None]
    streams: list[bytes] = []
    latents = _encoded(model, setting, normalization, volume, streams)
    smooth, surface, background = b"", None, setting.background
    if background is not None:
        plane = np.empty(volume.shape[1:], np.int32)
        (own,) = latents
        model.synthesis.plane(own, dequantize.scaling, plane)
        del own
        seen = _Normalized(normalization, volume[0])
        grid = fixed_mesh(background.mesh).refit(seen, plane, most=1 << LATENT_BITS)
        smooth = background.pack(grid)
        surface = Surface(background.mesh, grid, plane.shape[1])
        bands = _bands(plane)
    else:
        bands = synthesized(model, dequantize, latents, volume.shape)
    form, decoded = Form.of(image), None
    if image.pixels.ndim == 3:
        # A volume may fill half the memory, so that no second one is made.
        checksum = _checksum(_slabs(bands, normalization, form))
    else:
        decoded = _pixels(bands, surface, normalization, form)
        checksum = _checksum([decoded])
    # A plane is one slab, and all that is left.
    slabs = [varints(len(stream)) + stream for stream in streams[:-1]]
    payload = b"".join((head, checksum, smooth, *slabs, streams[-1]))
    if decoded is not None:
        keep(_decoded_name(model, quality, form), [np.frombuffer(payload, np.uint8)], decoded)
    return payload


def decompress(model: ExactModel, quality: float | None, stream: bytes, form: Form) -> Pixels:
    """Return the pixels of a payload; in a search those that its encoder decoded.

    Raises
    ------
    CorruptDataError
        The payload is damaged, or its pixels are not those that were encoded.
    """
    name, payload = _decoded_name(model, quality, form), np.frombuffer(stream, np.uint8)
    return reused(name, [payload], lambda: _decompressed(model, quality, stream, form))


def _decoded_name(model: ExactModel, quality: float | None, form: Form) -> str:
    parts = form.shape, form.dtype.str, form.bits
    return f"{model.sha256} decoded at {quality} as {parts}"


def _decompressed(model: ExactModel, quality: float | None, stream: bytes, form: Form) -> Pixels:
    if stream[:1] != bytes([VERSION]):
        raise CorruptDataError(f"The stream is not of version {VERSION}, which its model decodes.")
    normalization, rest = Normalization.take(stream[1:], form.dtype)
    if not normalization.span:
        if rest:
            raise CorruptDataError("A constant image is followed by more bytes.")
        return normalization.constant(form)
    if len(rest) < CHECKSUM.size:
        raise CorruptDataError("The stream ends within its checksum.")
    setting, dequantize = model.gains.at(quality or 0.0)
    coded, surface = rest[CHECKSUM.size :], None
    shape = math.prod(form.shape[:-2]), form.shape[-2], form.shape[-1]
    if setting.background is not None:
        grid, coded = setting.background.unpack(coded, shape[1:])
        surface = Surface(setting.background.mesh, grid, shape[2])
    latents = _decoded(model, setting, coded, shape)
    if model.synthesis.along_z is None and shape[0] == 1:
        (own,) = latents
        pixels = _plane(model, dequantize, own, surface, normalization, form)
    else:
        bands = synthesized(model, dequantize, latents, shape)
        pixels = _pixels(bands, surface, normalization, form)
    if _checksum([pixels]) != rest[: CHECKSUM.size]:
        raise CorruptDataError(
            "The decoded pixels are not those that were encoded: the file was altered."
        )
    return pixels


@dataclass(frozen=True)
class _Normalized:
    """A normalized plane that is computed where it is indexed."""

    normalization: Normalization
    pixels: Pixels

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pixels.shape

    def __getitem__(self, place: tuple[slice, ...]) -> Array:
        return self.normalization.fixed(self.pixels[place])


def _encoded(
    model: ExactModel,
    setting: GainSetting,
    normalization: Normalization,
    volume: Pixels,
    streams: list[bytes],
) -> Iterator[Array]:
    """Encode slabs in order to ``streams``; yield the latents of each as a decoder has them."""
    previous, background = None, setting.background
    mesh = None if background is None else background.mesh
    for slab in range(model.slabs.count(len(volume))):
        seen = [volume[z] for z in model.slabs.seen(slab, len(volume))]
        y = model.forward.latents(Window(normalization, mesh, seen), setting.gain)
        encoder = RansEncoder()
        previous = model.encode_latents(encoder, y, setting, previous)
        del y
        streams.append(encoder.bytes())
        yield previous


def _decoded(
    model: ExactModel, setting: GainSetting, coded: bytes, shape: tuple[int, int, int]
) -> Iterator[Array]:
    """Decode slabs in order; yield the latents of each."""
    reader, previous = Reader(coded), None
    count = model.slabs.count(shape[0])
    for slab in range(count):
        length = reader.varint() if slab < count - 1 else reader.left
        decoder = RansDecoder(reader.take(length))
        previous = model.decode_latents(decoder, shape[1:], setting, previous)
        decoder.finish()
        yield previous


def _plane(
    model: ExactModel,
    dequantize: Dequantization,
    latents: Array,
    surface: Surface | None,
    normalization: Normalization,
    form: Form,
) -> Pixels:
    """Return the pixels of one plane, those of integers in one pass over its latents."""
    height, width = form.shape[-2:]
    synthesis, scaling = model.synthesis.plane, dequantize.scaling
    if form.dtype.kind == "f":
        plane = np.empty((height, width), np.int32)
        synthesis(latents, scaling, plane)
        return _pixels(_bands(plane), surface, normalization, form)
    rounding = normalization.counts(form)
    pixels = np.empty((height, width), np.uint8 if rounding.most < 2**8 else np.uint16)
    smooth = None if surface is None else surface.rows(range(height))
    synthesis(latents, scaling, pixels, rounding, smooth)
    return pixels.astype(form.dtype, copy=False).reshape(form.shape)


def _bands(plane: Array) -> Iterator[Band]:
    """Yield the bands of a plane, (H, W) int32."""
    for top in range(0, len(plane), ROWS):
        yield slice(1), slice(top, top + ROWS), [plane[top : top + ROWS]]


def _slabs(bands: Iterable[Band], normalization: Normalization, form: Form) -> Iterator[Pixels]:
    """Yield the pixels of each slab of a volume, in order."""
    for own, parts in itertools.groupby(bands, key=operator.itemgetter(0)):
        planes = own.stop - own.start
        moved = ((slice(planes), rows, band) for _, rows, band in parts)
        yield _pixels(moved, None, normalization, replace(form, shape=(planes, *form.shape[-2:])))


def _pixels(
    bands: Iterable[Band],
    surface: Surface | None,
    normalization: Normalization,
    form: Form,
) -> Pixels:
    height, width = form.shape[-2:]
    pixels = np.empty((math.prod(form.shape[:-2]), height, width), form.dtype)
    for planes, place, band in bands:
        rows = range(place.start, min(place.stop, height))
        if rows:
            smooth = None if surface is None else surface.rows(rows)
            for plane, values in zip(pixels[planes], band, strict=True):
                out = plane[rows.start : rows.stop]
                normalization.write(values[: len(rows)], form, out, smooth)
    return pixels.reshape(form.shape)


def _checksum(parts: Iterable[Pixels]) -> bytes:
    """Return the CRC-32C of pixels, some at a time: the checksum takes copies only."""
    found = 0
    for part in parts:
        flat = part.reshape(-1)
        for start in range(0, flat.size, CHUNK):
            found = google_crc32c.extend(found, flat[start : start + CHUNK].tobytes())
    return CHECKSUM.pack(found)
