"""Decoded values to pixels: rounded and clipped to the dtype and bits that the image had."""

from __future__ import annotations

import numpy as np

from cytopress.codecs.container.container import Form
from cytopress.errors import CorruptDataError
from cytopress.image import Pixels, integer_limits


def clip_to_bits(pixels: Pixels, form: Form) -> Pixels:
    """Return integer pixels in ``form``'s shape and dtype, clipped to its significant bits.

    Raises
    ------
    CorruptDataError
        The pixels are of a larger dtype than ``form``'s.
    """
    if pixels.dtype.itemsize > form.dtype.itemsize:
        raise CorruptDataError(f"The stream holds {pixels.dtype}, not {form.dtype}.")
    if pixels.dtype == form.dtype and form.bits == 8 * form.dtype.itemsize:
        return pixels.reshape(form.shape)
    clipped = np.clip(pixels.reshape(form.shape), *integer_limits(form.dtype, form.bits))
    return clipped.astype(form.dtype, copy=False)


def round_to_dtype(values: Pixels, form: Form) -> Pixels:
    """Return floats as ``form``'s dtype: integers rounded and clipped to its significant bits."""
    if form.dtype.kind == "f":
        return values.astype(form.dtype)
    limits = integer_limits(form.dtype, form.bits)
    return np.clip(np.rint(values), *limits).astype(form.dtype)
