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

Of a chunk in an array the header is short (`chunk_header`)::

    mark (1 byte) | form | recipe | stream | CRC-32C of every byte before it
"""

from __future__ import annotations

import io
import struct

import google_crc32c

from cytopress.codecs.container.chunk_header import MARK, put_chunk_header, take_chunk_header
from cytopress.codecs.container.form import (
    Form,
    Header,
    Notes,
    put_form,
    put_notes,
    take_form,
    take_notes,
)
from cytopress.codecs.container.recipe import Options, Recipe, put_recipe, take_recipe
from cytopress.codecs.container.wire import Reader, put_varint
from cytopress.errors import CorruptDataError

__all__ = [
    "MAGIC",
    "VERSION",
    "Form",
    "Header",
    "Notes",
    "Options",
    "Recipe",
    "of_chunk",
    "pack",
    "pack_parts",
    "packed_size",
    "unpack",
]

MAGIC = b"cyto"
VERSION = 1
CRC_BYTES = 4
CHUNK = 2**20


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
    if data[:1] == MARK:
        return _unpack_chunk(data)
    if data[: len(MAGIC)] != MAGIC:
        raise CorruptDataError("This is not a cytopress file: it does not start with 'cyto'.")
    if len(data) <= len(MAGIC) + CRC_BYTES:
        raise CorruptDataError("This cytopress file is truncated: its header is incomplete.")
    _check_crc(data)
    reader = Reader(data, len(MAGIC), len(data) - CRC_BYTES)
    version = reader.byte()
    if version != VERSION:
        raise CorruptDataError(
            f"This cytopress file has format {version}, and this cytopress reads only format"
            f" {VERSION}; if the file is newer, update cytopress."
        )
    form = take_form(reader)
    recipe = take_recipe(reader)
    notes = take_notes(reader)
    length, held = reader.varint(), reader.left
    if length != held:
        raise CorruptDataError(
            f"This cytopress file declares a stream of {length} bytes and holds {held}."
        )
    stream = memoryview(data)[reader.position : reader.position + length]
    return Header(form, recipe, notes, len(data) - length), stream


def of_chunk(data: bytes) -> bytes:
    """Return a container with the short header of chunks.

    As it is where that cannot hold it: with notes, or with a known spacing.
    """
    header, stream = unpack(data)
    if header.notes or header.form.spacing_um:
        return data
    head = put_chunk_header(header.form, header.recipe) + stream
    return head + struct.pack("<I", google_crc32c.value(head))


def _unpack_chunk(data: bytes) -> tuple[Header, memoryview]:
    _check_crc(data)
    reader = Reader(data, len(MARK), len(data) - CRC_BYTES)
    form, recipe = take_chunk_header(reader)
    stream = memoryview(data)[reader.position : len(data) - CRC_BYTES]
    return Header(form, recipe, {}, len(data) - len(stream)), stream


def _head(recipe: Recipe, form: Form, stream_bytes: int, notes: Notes) -> bytes:
    head = bytearray(MAGIC)
    head.append(VERSION)
    put_form(head, form)
    put_recipe(head, recipe)
    put_notes(head, notes)
    put_varint(head, stream_bytes)
    return bytes(head)


def _check_crc(data: bytes) -> None:
    view = memoryview(data)
    if struct.pack("<I", _crc(view[:-CRC_BYTES])) != view[-CRC_BYTES:]:
        raise CorruptDataError(
            "This cytopress file is truncated or damaged: its checksum does not match;"
            " copy it again from the source."
        )


def _crc(view: memoryview) -> int:
    # The library takes only bytes.
    crc = 0
    for start in range(0, len(view), CHUNK):
        crc = google_crc32c.extend(crc, bytes(view[start : start + CHUNK]))
    return int(crc)
