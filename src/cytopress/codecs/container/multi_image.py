"""Multi-image files: one-image containers behind each other, with an index and OME-XML.

Layout, in this order (numbers as in `wire`)::

    magic "cytm" | format version (1 byte) | position of the index (8 bytes, little endian)
    | the containers | index | CRC-32C of everything before it but the containers (4 bytes, little
    endian)

The index holds the number of scenes; the time points and channels of each; the length of each
container, by scene, then time, then channel; and the OME-XML: its length, the length of its zlib
stream, and that stream. Containers begin after the head and leave no gap, so their positions follow
from their lengths. Each has a checksum of its own.
"""

from __future__ import annotations

import io
import itertools
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import google_crc32c

from cytopress.codecs.container.wire import Reader, put_varint
from cytopress.errors import CorruptDataError, ImageError, LimitError, UsageError

MAGIC = b"cytm"
VERSION = 1
HEAD = struct.Struct("<4sBQ")
CRC_BYTES = 4
# A crafted index must not fill the memory. Real OME-XML of 100,000 planes takes half of that.
MOST_INDEX = MOST_XML = 2**25
MOST_IMAGES = 2**18
# Of a stranger's file: elements take many times their bytes, and each image takes a process.
MOST_XML_UNTRUSTED, MOST_IMAGES_UNTRUSTED = 2**22, 2**12
# No container is smaller: the count of them is checked by the bytes that there are.
SMALLEST = 16


@dataclass(frozen=True)
class Part:
    """One container of a file: where its image belongs, and where its bytes are."""

    scene: int
    time: int
    channel: int
    position: int
    length: int


@dataclass(frozen=True)
class Index:
    """What a file holds.

    Parameters
    ----------
    scenes : tuple of (int, int)
        Time points and channels of each scene.
    parts : tuple of Part
        Sorted by scene, then time, then channel.
    ome_xml : str
        Metadata of the source, an ``Image`` for each scene; empty where there are none.
    """

    scenes: tuple[tuple[int, int], ...]
    parts: tuple[Part, ...]
    ome_xml: str


class Writer:
    """Writes a file front to back; only the position of the index is filled in last.

    Parameters
    ----------
    stream : binary file
        Empty and seekable.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._lengths = stream, list[int]()
        stream.write(bytes(HEAD.size))

    def add(self, container: bytes) -> None:
        """Append the container of the next image: by scene, then time, then channel."""
        self._stream.write(container)
        self._lengths.append(len(container))

    def finish(self, scenes: Sequence[tuple[int, int]], ome_xml: str) -> None:
        """Write the index.

        Raises
        ------
        ValueError
            There is not one container for each time point and channel of each scene.
        ImageError
            The OME-XML is larger than a reader would accept.
        """
        if len(self._lengths) != sum(times * channels for times, channels in scenes):
            raise ValueError(f"{len(self._lengths)} containers do not fill the scenes {scenes}")
        index = bytearray()
        put_varint(index, len(scenes))
        for number in (*itertools.chain(*scenes), *self._lengths):
            put_varint(index, number)
        text = ome_xml.encode()
        coded = zlib.compress(text, 9) if text else b""
        put_varint(index, len(text))
        put_varint(index, len(coded))
        index += coded
        if len(text) > MOST_XML or len(index) > MOST_INDEX or len(self._lengths) > MOST_IMAGES:
            raise ImageError(
                f"{len(self._lengths)} images with {len(text)} bytes of OME-XML are more than a"
                f" .cyto file holds, {MOST_IMAGES} and {MOST_XML}; select fewer images."
            )
        head = HEAD.pack(MAGIC, VERSION, self._stream.tell())
        crc = google_crc32c.extend(google_crc32c.value(head), bytes(index))
        self._stream.write(index + struct.pack("<I", crc))
        self._stream.seek(0)
        self._stream.write(head)
        self._stream.seek(0, os.SEEK_END)


def read_index(stream: BinaryIO, *, trusted: bool = True) -> Index:
    """Read and check the index of a file; no container is read.

    A file that is not trusted may have fewer images, and less OME-XML.

    Raises
    ------
    CorruptDataError
        The file is of another format or a newer version, is truncated or damaged, or its lengths
        do not add up.
    LimitError
        It has more images or OME-XML than a limit.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(HEAD.size)
    if head[: len(MAGIC)] != MAGIC:
        raise CorruptDataError(f"This is no file of several images: it lacks the {MAGIC!r}.")
    if len(head) < HEAD.size:
        raise CorruptDataError("This cytopress file is truncated: its head is incomplete.")
    _, version, position = HEAD.unpack(head)
    if version != VERSION:
        raise CorruptDataError(
            f"This file of several images has format {version}, and this cytopress reads only"
            f" format {VERSION}; if the file is newer, update cytopress."
        )
    length = size - CRC_BYTES - position
    if position < HEAD.size or length < 0:
        raise CorruptDataError("This cytopress file is truncated: its index is missing.")
    if length > MOST_INDEX:
        raise LimitError(f"The index of this cytopress file has {length} bytes, too many to read.")
    stream.seek(position)
    index = stream.read(length)
    crc = google_crc32c.extend(google_crc32c.value(head), index)
    if stream.read(CRC_BYTES) != struct.pack("<I", crc):
        raise CorruptDataError(
            "The index of this cytopress file is truncated or damaged: its checksum does not match;"
            " copy the file again from the source."
        )
    return _parse(Reader(index), position, trusted=trusted)


def _parse(reader: Reader, end: int, *, trusted: bool) -> Index:
    count = reader.varint()
    # Every number takes a byte at least: checked before any loop that a crafted count would drive.
    _check_count(count, reader.left // 2)
    scenes = tuple((reader.varint(), reader.varint()) for _ in range(count))
    counts = [times * channels for times, channels in scenes]
    most = min(reader.left, (end - HEAD.size) // SMALLEST)
    _check_count(min(counts), most)
    _check_count(sum(counts), most)
    limit = MOST_IMAGES if trusted else MOST_IMAGES_UNTRUSTED
    if sum(counts) > limit:
        raise LimitError(f"This cytopress file has {sum(counts)} images, and the limit is {limit}.")
    parts, position = [], HEAD.size
    for number, (times, channels) in enumerate(scenes):
        for time, channel in itertools.product(range(times), range(channels)):
            length = reader.varint()
            parts.append(Part(number, time, channel, position, length))
            position += length
    if position != end:
        raise CorruptDataError(
            f"The images of this cytopress file end at byte {position} by its index, which begins"
            f" at byte {end}."
        )
    return Index(scenes, tuple(parts), _take_xml(reader, trusted=trusted))


def _check_count(count: int, most: int) -> None:
    if not 0 < count <= most:
        raise CorruptDataError(
            f"The index of this cytopress file promises {count} entries and has room for {most}."
        )


def _take_xml(reader: Reader, *, trusted: bool) -> str:
    most = MOST_XML if trusted else MOST_XML_UNTRUSTED
    length = reader.varint()
    coded = reader.take(reader.varint())
    if reader.left:
        raise CorruptDataError("The index of this cytopress file is followed by other bytes.")
    if length > most:
        raise LimitError(f"This cytopress file promises {length} bytes of OME-XML, over {most}.")
    if not length:
        if coded:
            raise CorruptDataError("This cytopress file holds bytes where it promises no OME-XML.")
        return ""
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(coded, length + 1)
        if len(text) != length or not inflate.eof or inflate.unused_data:
            raise CorruptDataError(f"The OME-XML of this cytopress file is not {length} bytes.")
        return text.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise CorruptDataError(f"The OME-XML of this cytopress file is damaged: {error}") from error


def read_part(stream: BinaryIO, part: Part) -> bytes:
    """Return the container of one image."""
    stream.seek(part.position)
    return stream.read(part.length)


def lone_container(data: bytes, *, trusted: bool = True) -> bytes:
    """Return the container of the one image of coded bytes, which may be that container.

    Bytes that are not trusted may hold less (see `read_index`).

    Raises
    ------
    UsageError
        There are several images.
    CorruptDataError
        The bytes are a damaged file of several images.
    """
    if data[: len(MAGIC)] != MAGIC:
        return data
    stream = io.BytesIO(data)
    index = read_index(stream, trusted=trusted)
    if len(index.parts) > 1:
        times, channels = index.scenes[0]
        axis = "C" if channels > 1 else "T" if times > 1 else "S"
        raise UsageError(
            f"These bytes hold {len(index.parts)} images, and decode returns one: read all with"
            f" cytopress.read(FILE), or one with cytopress.read(FILE, select={{{axis!r}: 0}})."
        )
    return read_part(stream, index.parts[0])
