"""Lossless coding of quantized residuals: whole steps, mostly small, of an image's pixels.

Nothing where all are zero. Few that are not zero are a zstd frame of all of them as int32, byte
planes first. Else a byte 1, and each plane by JPEG XL, as uint16 with zero at 32768.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt

from cytopress.codecs.adapters.jpegxl import JpegXL
from cytopress.codecs.base import Form
from cytopress.codecs.container.wire import join_streams, split_streams
from cytopress.image import Image

Steps = npt.NDArray[np.signedinteger[Any]]
# The first byte: zstd's frames begin with 0x28.
PLANES = b"\x01"
ZERO = 1 << 15
CODER = JpegXL()
# JPEG XL's header alone takes 80 bytes; from so many steps that are not zero on, it is smaller.
SPARSE = 1 / 50


def encode_steps(steps: Steps) -> bytes:
    """Return steps of shape (..., Y, X) in as few bytes as possible, modulo 65536.

    Parameters
    ----------
    steps : ndarray
        Of int64 or int32. Those of a bound of one count or more lie between -32768 and 32767, and
        come back as they are; of a bound of zero they come back modulo 65536.
    """
    nonzero = np.count_nonzero(steps)
    if not nonzero:
        return b""
    coded = _planes(steps)
    return min(coded, _zstd(steps), key=len) if nonzero < SPARSE * steps.size else coded


def decode_steps(stream: bytes, shape: Sequence[int]) -> Steps:
    """Return steps of a shape, between -2 ** 31 and 2 ** 31 - 1.

    Raises
    ------
    CorruptDataError
        The stream holds no such steps.
    """
    if not stream:
        return np.zeros(shape, np.int32)
    if stream[:1] != PLANES:
        # The size bounds what a crafted stream can make the decoder allocate.
        size = 4 * math.prod(shape)
        shuffled = np.frombuffer(imagecodecs.zstd_decode(stream, out=size), np.uint8)
        found: Steps = np.ascontiguousarray(shuffled.reshape(4, -1).T).view(np.int32)
        return np.asarray(found.reshape(shape))
    height, width = shape[-2:]
    form = Form("YX", (height, width), np.dtype(np.uint16), 16)
    streams = split_streams(stream[1:], math.prod(shape[:-2]))
    planes = [CODER.restore(plane, form).pixels.astype(np.int32) - ZERO for plane in streams]
    return np.asarray(np.stack(planes).reshape(shape))


def _zstd(steps: Steps) -> bytes:
    shuffled = np.ascontiguousarray(steps.astype(np.int32)).view(np.uint8).reshape(-1, 4).T
    return bytes(imagecodecs.zstd_encode(shuffled.tobytes(), level=9))


def _planes(steps: Steps) -> bytes:
    shifted = (steps.astype(np.int64) + ZERO).astype(np.uint16)
    planes = shifted.reshape(-1, *steps.shape[-2:])
    return PLANES + join_streams(CODER.compress(Image(plane, bits=16)) for plane in planes)
