"""Image size in the header of a library's stream, read before the library sees a crafted one.

Each function returns the shape that decoding would allocate: (Y, X) or (Z, Y, X). What is no such
header raises CorruptDataError, or an error of reading beyond its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from cytopress.errors import CorruptDataError

Shape = tuple[int, ...]
# Start-of-frame markers of JPEG, and of JPEG-LS; of the others none holds a size.
FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
SCAN, PARAMETERS = 0xDA, 0xF8
# Width of JPEG XL's sizes by selector, and its ratios of width to height.
WIDTHS = (9, 13, 18, 30)
RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def png(stream: bytes) -> Shape:
    """PNG: the chunk IHDR comes first."""
    _expect(stream[12:16] == b"IHDR", "PNG")
    width, height = struct.unpack_from(">II", stream, 16)
    return height, width


def jpeg(stream: bytes) -> Shape:
    """JPEG and JPEG-LS: the start-of-frame segment; JPEG-LS may give larger sizes in an own one."""
    shape: Shape = (0, 0)
    for marker, segment in _segments(stream):
        if marker in FRAMES:
            _, height, width, components = struct.unpack_from(">BHHB", segment)
            _expect(components == 1, "gray JPEG")
            shape = max(height, shape[0]), max(width, shape[1])
        elif marker == PARAMETERS and segment[:1] == b"\x04":
            size = segment[1]
            height, width = (int.from_bytes(segment[at : at + size]) for at in (2, 2 + size))
            shape = height, width
        elif marker == SCAN:
            return shape
    raise CorruptDataError("It has no scan.")


def jpegls(stream: bytes) -> Shape:
    """JPEG-LS, as `jpeg`, and its end: without it CharLS counts zeros for ten seconds."""
    _expect(stream.endswith(b"\xff\xd9"), "JPEG-LS with an end")
    return jpeg(stream)


def _segments(stream: bytes) -> Iterator[tuple[int, bytes]]:
    _expect(stream[:2] == b"\xff\xd8", "JPEG")
    place = 2
    while place + 4 <= len(stream):
        head, marker, length = struct.unpack_from(">BBH", stream, place)
        _expect(head == 0xFF and length >= 2, "JPEG")
        yield marker, stream[place + 4 : place + 2 + length]
        place += 2 + length


def jpeg2000(stream: bytes) -> Shape:
    """JPEG 2000, high-throughput or not: one tile of one component, as is always written here."""
    _expect(stream[:4] == b"\xff\x4f\xff\x51", "JPEG 2000")
    right, bottom, left, top, *tile, components = struct.unpack_from(">8IH", stream, 8)
    _expect(components == 1 and stream[43:45] == b"\1\1", "gray JPEG 2000")
    _expect(tile[0] + tile[2] >= right and tile[1] + tile[3] >= bottom, "JPEG 2000 of one tile")
    return bottom - top, right - left


def jpegxl(stream: bytes) -> Shape:
    """JPEG XL: the size header of a codestream, which may lie in a box (ISO/IEC 18181)."""
    start = 0
    if stream[4:8] == b"JXL ":
        while (kind := stream[start + 4 : start + 8]) not in (b"jxlc", b"jxlp"):
            length = int.from_bytes(stream[start : start + 4])
            _expect(length >= 8 and len(kind) == 4, "JPEG XL")
            start += length
        start += 8 if kind == b"jxlc" else 12
    _expect(stream[start : start + 2] == b"\xff\x0a", "JPEG XL")
    head = stream[start + 2 : start + 14]
    bits, left = int.from_bytes(head, "little"), 8 * len(head)

    def take(count: int) -> int:
        nonlocal bits, left
        left -= count
        _expect(left >= 0, "JPEG XL")
        value = bits & (1 << count) - 1
        bits >>= count
        return value

    small = take(1)
    height = 8 * (take(5) + 1) if small else take(WIDTHS[take(2)]) + 1
    if ratio := take(3):
        return height, height * RATIOS[ratio][0] // RATIOS[ratio][1]
    return height, 8 * (take(5) + 1) if small else take(WIDTHS[take(2)]) + 1


def jpegxr(stream: bytes) -> Shape:
    """JPEG XR: the tags of the file, and the header of the codestream, which must agree."""
    _expect(stream[:3] == b"II\xbc", "JPEG XR")
    (start,) = struct.unpack_from("<I", stream, 4)
    (count,) = struct.unpack_from("<H", stream, start)
    entries = (struct.unpack_from("<HHII", stream, start + 2 + 12 * n) for n in range(count))
    tags = {tag: value & 0xFFFF if kind == 3 else value for tag, kind, _, value in entries}
    shape = tags[0xBC81], tags[0xBC80]
    place = tags[0xBCC0]
    _expect(stream[place : place + 7] == b"WMPHOTO", "JPEG XR")
    size = ">HH" if stream[place + 10] & 0x80 else ">II"
    width, height = struct.unpack_from(size, stream, place + 12)
    _expect((height + 1, width + 1) == shape, "JPEG XR of one size")
    return shape


def avif(stream: bytes) -> Shape:
    """AVIF: the image spatial extents, of which there must be one."""
    _expect(stream[4:8] == b"ftyp" and stream.count(b"ispe") == 1, "AVIF of one image")
    width, height = struct.unpack_from(">II", stream, stream.index(b"ispe") + 8)
    return height, width


def lerc(stream: bytes) -> Shape:
    """LERC 2 from version 3 on; one value a pixel."""
    _expect(stream[:6] == b"Lerc2 ", "LERC")
    version, _, height, width, values = struct.unpack_from("<iIiii", stream, 6)
    _expect(version >= 4 and values == 1, "LERC with one value a pixel")
    return height, width


def zfp(stream: bytes) -> Shape:
    """ZFP: 52 bits after its magic number, least first: type, dimensions and lengths, less 1."""
    _expect(stream[:3] == b"zfp" and len(stream) > 11, "ZFP")
    bits = int.from_bytes(stream[4:11], "little") & (1 << 52) - 1
    kind, dims = bits & 3, (bits >> 2 & 3) + 1
    _expect(kind == 2 and dims in (2, 3), "ZFP of float32 planes")
    width = 48 // dims
    lengths = (bits >> 4 + width * axis & (1 << width) - 1 for axis in range(dims))
    return tuple(length + 1 for length in lengths)[::-1]


def sperr(stream: bytes) -> Shape:
    """SPERR: a version, flags (0x40: a volume), then the lengths."""
    lengths = struct.unpack_from("<3I" if stream[1] & 0x40 else "<2I", stream, 2)
    return lengths[::-1]


def sz3(stream: bytes) -> Shape:
    """SZ3 from version 3.2 on: after the magic number and version, lengths packed in few bits.

    Axes of length 1 are left out.
    """
    _expect(stream[1:5] == b"\x10\xf3\x42\xf3", "SZ3")
    dims, width = stream[9], stream[10]
    _expect(1 <= dims <= 3 and width <= 64, "SZ3 of planes")
    size = (dims * width + 7) // 8
    packed = int.from_bytes(stream[11 : 11 + size], "little")
    shape = tuple(packed >> width * axis & (1 << width) - 1 for axis in range(dims))
    (count,) = struct.unpack_from("<Q", stream, 11 + size)
    product = 1
    for length in shape:
        product *= length
    _expect(count == product, "SZ3 of one size")
    return shape


def blosc2(stream: bytes) -> int:
    """Blosc 2: the number of bytes of a chunk."""
    return int(struct.unpack_from("<i", stream, 4)[0])


def _expect(condition: bool, kind: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not condition:
        raise CorruptDataError(f"The stream is not {kind}.")
