"""Decoded values to pixels: rounded and clipped to the dtype and bits that the image had."""

from __future__ import annotations

import numpy as np

from cytopress.codecs.container.container import Form
from cytopress.errors import CorruptDataError
from cytopress.image import Pixels


def clip_to_bits(pixels: Pixels, form: Form) -> Pixels:
    """Return integer pixels in ``form``'s shape and dtype, clipped to its significant bits.

    Raises
    ------
    CorruptDataError
        The pixels are of a larger dtype than ``form``'s.
    """
    if pixels.dtype.itemsize > form.dtype.itemsize:
        raise CorruptDataError(f"The stream holds {pixels.dtype}, not {form.dtype}.")
    clipped = np.minimum(pixels.reshape(form.shape), 2**form.bits - 1)
    return clipped.astype(form.dtype, copy=False)


def round_to_dtype(values: Pixels, form: Form) -> Pixels:
    """Return floats as ``form``'s dtype: integers rounded and clipped to its significant bits."""
    if form.dtype.kind == "f":
        return values.astype(form.dtype)
    most = 2**form.bits - 1
    return np.clip(np.rint(values), 0, most).astype(form.dtype)
