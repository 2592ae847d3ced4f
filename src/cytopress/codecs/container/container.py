"""Container format: self-describing bytes, from which image and codec can be rebuilt.

A learned codec is named by the digest of its model package, which decoding needs too.

Layout, in this order (numbers as in `wire`)::

    magic "cyto" | format version (1 byte) | form | recipe | notes | stream length | stream
    | CRC-32C of every byte before it (4 bytes, little endian)

Every format version ends with this CRC, so that a newer file is not mistaken for a damaged one.
The form describes the image: axes, dtype, bits, shape and, if known, spacing
(0 along an axis where it is unknown). The recipe says how
to build the codec. The notes say how its setting was found: the target, the value reached, and the
reference scales of both; a scale that is an option of the codec is not repeated.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import google_crc32c
import numpy as np

from cytopress.codecs.container.recipe import Options, Recipe, put_recipe, take_recipe
from cytopress.codecs.container.wire import Reader, put_decimal, put_varint
from cytopress.errors import CorruptDataError
from cytopress.image import AXES, DTYPES, Axes, Image, Spacing

__all__ = [
    "MAGIC",
    "VERSION",
    "Form",
    "Header",
    "Notes",
    "Options",
    "Recipe",
    "pack",
    "pack_parts",
    "packed_size",
    "unpack",
]

MAGIC = b"cyto"
VERSION = 1
CRC_BYTES = 4
CHUNK = 2**20
# Largest image in bytes: a crafted header cannot make the decoder allocate an arbitrary amount.
MOST_BYTES = 2**40
# Frozen: files store a target as its position here, counted from 1.
STORED_TARGETS = ("max_error", "sigma", "psnr", "ratio")
Notes = Mapping[str, float | str]
# Bits of the first byte of the notes; its three lowest bits are the target.
NOTE_BITS = {3: ("reached",), 4: ("range",), 5: ("a", "b", "offset")}


@dataclass(frozen=True)
class Form:
    """An image's description: everything but its pixels."""

    axes: Axes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bits: int
    spacing_um: Spacing | None = None

    @classmethod
    def of(cls, image: Image) -> Form:
        """Return the form of an image."""
        return cls(image.axes, image.shape, image.dtype, image.bits, image.spacing_um)

    @property
    def raw_bytes(self) -> int:
        """Number of pixels times bytes per pixel, as `Image.raw_bytes`."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Header:
    """Everything in the container but the stream.

    ``notes`` may hold ``target`` (its kind), ``asked`` (its value), ``reached`` (absent for exact
    pixels, and for ``ratio``, which follows from the sizes), ``range``, ``a``, ``b``, ``offset``.
    """

    form: Form
    recipe: Recipe
    notes: Notes
    header_bytes: int


def pack(recipe: Recipe, form: Form, stream: bytes | memoryview, notes: Notes) -> bytes:
    """Return a bare stream in the container."""
    return pack_parts(recipe, form, [bytes(stream)], notes)


def pack_parts(recipe: Recipe, form: Form, parts: list[bytes], notes: Notes) -> bytes:
    """Return the container of a stream that is given in parts; empties the list.

    Each part is released once it is written, so the stream of a volume is in memory only once.
    """
    head = _head(recipe, form, sum(map(len, parts)), notes)
    crc = google_crc32c.value(head)
    # Unlike a bytearray, it returns what was written without a copy.
    out = io.BytesIO()
    out.write(head)
    parts.reverse()
    while parts:
        part = parts.pop()
        crc = google_crc32c.extend(crc, part)
        out.write(part)
    out.write(struct.pack("<I", crc))
    return out.getvalue()


def packed_size(recipe: Recipe, form: Form, stream_bytes: int, notes: Notes) -> int:
    """Return the size in bytes of a container whose stream has ``stream_bytes`` bytes."""
    return len(_head(recipe, form, stream_bytes, notes)) + stream_bytes + CRC_BYTES


def unpack(data: bytes) -> tuple[Header, memoryview]:
    """Take a container apart; the stream is a view into ``data``.

    Raises
    ------
    CorruptDataError
        The bytes are of another format or a newer version, are truncated, damaged or followed by
        others, or describe an impossible image.
    """
    data = bytes(data)
    if data[: len(MAGIC)] != MAGIC:
        raise CorruptDataError("This is not a cytopress file: it does not start with 'cyto'.")
    if len(data) <= len(MAGIC) + CRC_BYTES:
        raise CorruptDataError("This cytopress file is truncated: its header is incomplete.")
    (crc,) = struct.unpack("<I", data[-CRC_BYTES:])
    view = memoryview(data)
    if _crc(view[:-CRC_BYTES]) != crc:
        raise CorruptDataError(
            "This cytopress file is truncated or damaged: its checksum does not match;"
            " copy it again from the source."
        )
    reader = Reader(data, len(MAGIC), len(data) - CRC_BYTES)
    version = reader.byte()
    if version != VERSION:
        raise CorruptDataError(
            f"This cytopress file has format {version}, and this cytopress reads only format"
            f" {VERSION}; if the file is newer, update cytopress."
        )
    form = _take_form(reader)
    recipe = take_recipe(reader)
    notes = _take_notes(reader)
    length, held = reader.varint(), reader.left
    if length != held:
        raise CorruptDataError(
            f"This cytopress file declares a stream of {length} bytes and holds {held}."
        )
    return Header(form, recipe, notes, len(data) - length), view[
        reader.position : reader.position + length
    ]


def _head(recipe: Recipe, form: Form, stream_bytes: int, notes: Notes) -> bytes:
    head = bytearray(MAGIC)
    head.append(VERSION)
    _put_form(head, form)
    put_recipe(head, recipe)
    _put_notes(head, notes)
    put_varint(head, stream_bytes)
    return bytes(head)


def _crc(view: memoryview) -> int:
    # The library takes only bytes.
    crc = 0
    for start in range(0, len(view), CHUNK):
        crc = google_crc32c.extend(crc, bytes(view[start : start + CHUNK]))
    return int(crc)


def _put_form(out: bytearray, form: Form) -> None:
    spacing = form.spacing_um or ()
    square = bool(spacing) and spacing[-2] == spacing[-1]
    out.append(
        AXES.index(form.axes) | DTYPES.index(form.dtype) << 2 | bool(spacing) << 5 | square << 6
    )
    out.append(form.bits)
    for length in form.shape:
        put_varint(out, length)
    for distance in spacing[:-1] if square else spacing:
        put_decimal(out, distance or 0.0)


def _take_form(reader: Reader) -> Form:
    flags, bits = reader.byte(), reader.byte()
    axes_number, dtype_number = flags & 3, flags >> 2 & 7
    if axes_number >= len(AXES) or dtype_number >= len(DTYPES) or flags >> 7:
        raise CorruptDataError("This cytopress file holds unknown axes or an unknown pixel type.")
    axes, dtype = AXES[axes_number], DTYPES[dtype_number]
    most = dtype.itemsize * 8
    if not 1 <= bits <= most or (dtype.kind != "u" and bits != most):
        raise CorruptDataError(f"This cytopress file declares a bit depth of {bits} for {dtype}.")
    shape = tuple(reader.varint() for _ in axes)
    if not 0 < math.prod(shape) * dtype.itemsize <= MOST_BYTES:
        raise CorruptDataError(f"This cytopress file declares an image of shape {shape}.")
    spacing = None
    if flags >> 5 & 1:
        spacing = _take_spacing(reader, len(axes), square=flags >> 6 & 1)
    return Form(axes, shape, dtype, bits, spacing)


def _take_spacing(reader: Reader, count: int, *, square: int) -> Spacing:
    steps = tuple(reader.decimal() for _ in range(count - square))
    steps += steps[-1:] * square
    if min(steps) < 0 or max(steps) == 0:
        raise CorruptDataError(f"This cytopress file declares a spacing of {steps} um.")
    return tuple(step or None for step in steps)


def _put_notes(out: bytearray, notes: Notes) -> None:
    unknown = notes.keys() - {"target", "asked"}.union(*NOTE_BITS.values())
    if unknown or ("target" in notes) != ("asked" in notes):
        raise ValueError(f"a header cannot hold the notes {sorted(notes)}")
    head, numbers = 0, []
    if "target" in notes:
        head = STORED_TARGETS.index(str(notes["target"])) + 1
        numbers.append(notes["asked"])
    for bit, names in NOTE_BITS.items():
        if names[0] in notes:
            head |= 1 << bit
            numbers += [notes[name] for name in names]
    out.append(head)
    for number in numbers:
        put_decimal(out, float(number))


def _take_notes(reader: Reader) -> Notes:
    head = reader.byte()
    target = head & 7
    if target > len(STORED_TARGETS) or head >> 6:
        raise CorruptDataError("This cytopress file holds unknown notes; update cytopress.")
    notes: dict[str, float | str] = {}
    if target:
        notes |= {"target": STORED_TARGETS[target - 1], "asked": reader.decimal()}
    for bit, names in NOTE_BITS.items():
        if head >> bit & 1:
            notes |= {name: reader.decimal() for name in names}
    return notes
