"""The container: bytes that decode by themselves, wherever they are read.

Layout, in this order (integers are LEB128 varints unless said otherwise)::

    magic "cyto" | format version (1 byte) | form | recipe | notes | stream length | stream
    | CRC-32C of every byte before it (4 bytes, little endian)

The form is what the image is: axes, dtype, bits, shape and, if known, spacing. The recipe is the
codec's registered number (0: an external one, its name follows) and those options that are not the
default; an option may be a recipe itself. The notes say how a setting was found: the target asked,
what was reached, the estimates it rests on. Floats are stored as their shortest decimal, so 0.108333
comes back as 0.108333 and takes five bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import numpy as np

from cytopress.codecs.wire import Reader, put_decimal, put_signed, put_text, put_varint
from cytopress.errors import CorruptDataError
from cytopress.image import AXES, DTYPES, Axes, Image

MAGIC = b"cyto"
VERSION = 1
OPTION_NUMBERS = {
    # Never reuse or renumber: these are in people's files.
    "codec": 1,
    "level": 2,
    "effort": 3,
    "distance": 4,
    "quality": 5,
    "max_error": 6,
    "psnr": 7,
    "ratio": 8,
    "sigma": 9,
    "range": 10,
    "a": 11,
    "b": 12,
    "offset": 13,
    "step": 14,
    "tile": 15,
    "bits": 16,
    "target": 17,
    "asked": 18,
    "reached": 19,
    "model": 20,
    "near": 21,
    "qstep": 22,
    "tolerance": 23,
}
OPTION_NAMES = {number: name for name, number in OPTION_NUMBERS.items()}
Options = Mapping[str, Any]


@dataclass(frozen=True)
class Form:
    """What a stream's image is: everything about it but the pixels."""

    axes: Axes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bits: int
    spacing_um: tuple[float, ...] | None = None

    @classmethod
    def of(cls, image: Image) -> Form:
        """Return the form of an image."""
        return cls(image.axes, image.shape, image.dtype, image.bits, image.spacing_um)


@dataclass(frozen=True)
class Recipe:
    """Which codec, with which options: enough to build it again."""

    number: int
    name: str = ""
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Header:
    """All that the container says before the stream."""

    form: Form
    recipe: Recipe
    notes: Options
    header_bytes: int


def pack(recipe: Recipe, form: Form, stream: bytes, notes: Options) -> bytes:
    """Put a bare stream into the container."""
    out = bytearray(MAGIC)
    out.append(VERSION)
    out.append(AXES.index(form.axes) | DTYPES.index(form.dtype) << 2 | bool(form.spacing_um) << 5)
    out.append(form.bits)
    for length in form.shape:
        put_varint(out, length)
    for spacing in form.spacing_um or ():
        put_decimal(out, spacing)
    _put_recipe(out, recipe)
    _put_options(out, notes)
    put_varint(out, len(stream))
    out += stream
    out += struct.pack("<I", google_crc32c.value(bytes(out)))
    return bytes(out)


def unpack(data: bytes) -> tuple[Header, bytes]:
    """Take a container apart.

    Raises
    ------
    CorruptDataError
        The bytes are foreign, truncated, damaged, followed by others, or of a newer format.
    """
    if data[: len(MAGIC)] != MAGIC:
        raise CorruptDataError("This is not a cytopress file: it does not start with 'cyto'.")
    if len(data) < len(MAGIC) + 5:
        raise CorruptDataError("This cytopress file is truncated: not even its header is whole.")
    (crc,) = struct.unpack("<I", data[-4:])
    if google_crc32c.value(data[:-4]) != crc:
        raise CorruptDataError(
            "This cytopress file is truncated or damaged: its checksum does not match;"
            " copy it again from the source."
        )
    version = data[len(MAGIC)]
    if version > VERSION:
        raise CorruptDataError(
            f"This cytopress file has format {version}, newer than {VERSION}; update cytopress."
        )
    reader = Reader(data, len(MAGIC) + 1, len(data) - 4)
    form = _take_form(reader)
    recipe = _take_recipe(reader)
    notes = _take_options(reader)
    length = reader.varint()
    if length != reader.end - reader.position:
        raise CorruptDataError(
            f"This cytopress file promises {length} bytes of stream and holds"
            f" {reader.end - reader.position}."
        )
    stream = data[reader.position : reader.end]
    return Header(form, recipe, notes, len(data) - len(stream)), stream


def _put_recipe(out: bytearray, recipe: Recipe) -> None:
    put_varint(out, recipe.number)
    if not recipe.number:
        put_text(out, recipe.name.encode())
    _put_options(out, recipe.options)


def _put_options(out: bytearray, options: Options) -> None:
    put_varint(out, len(options))
    for name, value in options.items():
        put_varint(out, OPTION_NUMBERS.get(name, 0))
        if name not in OPTION_NUMBERS:
            put_text(out, name.encode())
        _put_value(out, value)


def _put_value(out: bytearray, value: Any) -> None:
    match value:
        case None | False | True:
            out.append({None: 0, False: 1, True: 2}[value])
        case int():
            out.append(3)
            put_signed(out, value)
        case float():
            out.append(4)
            put_decimal(out, value)
        case str():
            out.append(5)
            put_text(out, value.encode())
        case bytes():
            out.append(6)
            put_text(out, value)
        case Recipe():
            out.append(7)
            _put_recipe(out, value)
        case _:
            raise TypeError(f"an option cannot be stored as {type(value).__name__}")


def _take_form(reader: Reader) -> Form:
    flags, bits = reader.byte(), reader.byte()
    axes_number, dtype_number = flags & 3, flags >> 2 & 7
    if axes_number >= len(AXES) or dtype_number >= len(DTYPES):
        raise CorruptDataError("This cytopress file holds an unknown kind of image.")
    axes = AXES[axes_number]
    shape = tuple(reader.varint() for _ in axes)
    spacing = tuple(reader.decimal() for _ in axes) if flags >> 5 & 1 else None
    return Form(axes, shape, DTYPES[dtype_number], bits, spacing)


def _take_recipe(reader: Reader, depth: int = 0) -> Recipe:
    if depth > 8:
        raise CorruptDataError("This cytopress file nests codecs too deeply.")
    number = reader.varint()
    name = _take_text(reader) if not number else ""
    return Recipe(number, name, _take_options(reader, depth))


def _take_options(reader: Reader, depth: int = 0) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for _ in range(reader.varint()):
        number = reader.varint()
        if number and number not in OPTION_NAMES:
            raise CorruptDataError(f"This cytopress file uses the unknown option {number}.")
        name = OPTION_NAMES[number] if number else _take_text(reader)
        options[name] = _take_value(reader, depth)
    return options


def _take_text(reader: Reader) -> str:
    return reader.take(reader.varint()).decode("utf-8", errors="replace")


def _take_value(reader: Reader, depth: int) -> Any:
    match reader.byte():
        case 0:
            return None
        case 1:
            return False
        case 2:
            return True
        case 3:
            return reader.signed()
        case 4:
            return reader.decimal()
        case 5:
            return _take_text(reader)
        case 6:
            return reader.take(reader.varint())
        case 7:
            return _take_recipe(reader, depth + 1)
        case other:
            raise CorruptDataError(f"This cytopress file holds a value of unknown kind {other}.")
