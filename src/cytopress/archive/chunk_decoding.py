"""Chunk decoding: a container to a chunk's pixels; it has to fit before it is decoded."""

from __future__ import annotations

import math

from cytopress.archive.chunk_form import ChunkForm, last_axes
from cytopress.archive.edge_chunks import padded
from cytopress.archive.learned_slots import learned_slot
from cytopress.archive.model_references import Reference, digests_in, require_models
from cytopress.codecs.container import container
from cytopress.codecs.container.container import Form
from cytopress.codecs.limits import LARGE, UNKNOWN
from cytopress.codecs.registry import build
from cytopress.errors import CorruptDataError, LimitError
from cytopress.image import Pixels
from cytopress.machine import memory_bytes
from cytopress.settings import Settings, from_environment


def decode_chunk(data: bytes, form: ChunkForm, models: list[Reference]) -> Pixels:
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
    return padded(pixels, last_axes(form.shape, pixels.ndim), form.fill).reshape(form.shape)


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
