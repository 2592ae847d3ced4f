"""Payload of format 2: one byte for the version, normalization, checksum, background, latents."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

from cytopress.codecs.container.container import Form
from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.codecs.learned.exact.numbers import LATENT_BITS
from cytopress.codecs.learned.exact.pixels import Normalization, Surface
from cytopress.errors import CorruptDataError
from cytopress.image import Image, Pixels

Array = npt.NDArray[Any]
VERSION = 2
CHECKSUM = struct.Struct("<I")
# Rows of pixels that are rounded at once.
BAND = 64


def compress(model: ExactModel, quality: float | None, image: Image) -> bytes:
    """Return the payload of a plane."""
    normalization = Normalization.of(image, model.manifest.percentiles)
    head = bytes([VERSION]) + normalization.packed
    if not normalization.span:
        return head
    setting, dequantize = model.gains.at(quality or 0.0)
    encoder, background = RansEncoder(), setting.background
    plane = normalization(image.pixels)
    if background is not None:
        background.mesh.subtract(plane, background.mesh.fit(plane))
    latents = model.encode_latents(encoder, plane, setting)
    plane = np.zeros(image.shape, np.int32)
    for place, band in model.synthesis.bands(latents, dequantize):
        part = plane[place]
        part[:] = band[: len(part), : image.shape[1]]
    del latents
    smooth, surface = b"", None
    if background is not None:
        decoded = plane * np.float32(2.0**-LATENT_BITS)
        grid = background.mesh.refit(normalization(image.pixels), decoded)
        smooth = background.pack(grid)
        surface = Surface(background.mesh, grid, image.shape[1])
    places = [slice(top, top + BAND) for top in range(0, len(plane), BAND)]
    bands = ((place, plane[place]) for place in places)
    pixels = _pixels(bands, surface, normalization, Form.of(image))
    checksum = CHECKSUM.pack(google_crc32c.value(pixels.tobytes()))
    return head + checksum + smooth + encoder.bytes()


def decompress(model: ExactModel, quality: float | None, stream: bytes, form: Form) -> Pixels:
    """Return the pixels of a payload.

    Raises
    ------
    CorruptDataError
        The payload is damaged, or its pixels are not those that were encoded.
    """
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
    shape = form.shape[-2], form.shape[-1]
    if setting.background is not None:
        grid, coded = setting.background.unpack(coded, shape)
        surface = Surface(setting.background.mesh, grid, shape[1])
    decoder = RansDecoder(coded)
    latents = model.decode_latents(decoder, shape, setting)
    decoder.finish()
    bands = model.synthesis.bands(latents, dequantize)
    pixels = _pixels(bands, surface, normalization, form)
    if CHECKSUM.pack(google_crc32c.value(pixels.tobytes())) != rest[: CHECKSUM.size]:
        raise CorruptDataError(
            "The decoded pixels are not those that were encoded: the file was altered."
        )
    return pixels


def _pixels(
    bands: Iterable[tuple[slice, Array]],
    surface: Surface | None,
    normalization: Normalization,
    form: Form,
) -> Pixels:
    height, width = form.shape[-2:]
    pixels = np.empty((height, width), form.dtype)
    for place, band in bands:
        rows = range(place.start, min(place.stop, height))
        if not rows:
            break
        values = band[: len(rows), :width]
        if surface is not None:
            values = values + surface.rows(rows)
        pixels[rows.start : rows.stop] = normalization.pixels(values, form)
    return pixels.reshape(form.shape)
