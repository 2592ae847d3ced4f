"""Files of several images: the layout of the design page, and no index used unchecked."""

from __future__ import annotations

import io
import struct
import zlib

import google_crc32c
import hypothesis
import pytest
from hypothesis import strategies as st

from cytopress.codecs.container import multi_image
from cytopress.codecs.container.multi_image import Writer, lone_container, read_index, read_part
from cytopress.codecs.container.wire import varints
from cytopress.errors import CorruptDataError, ImageError, LimitError, UsageError

pytestmark = pytest.mark.both_numpy

PARTS = [bytes([65 + n]) * (16 + n) for n in range(4)]
XML = "<OME>é</OME>"


def written(parts: list[bytes], scenes: list[tuple[int, int]], xml: str = XML) -> bytes:
    stream = io.BytesIO()
    writer = Writer(stream)
    for part in parts:
        writer.add(part)
    writer.finish(scenes, xml)
    return stream.getvalue()


def crafted(index: bytes, parts: bytes = b"".join(PARTS), *, position: int | None = None) -> bytes:
    """Return a file with any index, whose checksum matches."""
    head = struct.pack("<4sBQ", b"cytm", 1, 13 + len(parts) if position is None else position)
    return head + parts + index + struct.pack("<I", google_crc32c.value(head + index))


def xml_of(text: bytes, length: int | None = None) -> bytes:
    coded = zlib.compress(text)
    return varints(len(text) if length is None else length, len(coded)) + coded


def test_the_layout_byte_by_byte() -> None:
    data = written(PARTS, [(1, 2), (2, 1)])
    coded = zlib.compress(XML.encode(), 9)
    index = bytes([2, 1, 2, 2, 1, 16, 17, 18, 19, len(XML.encode()), len(coded)]) + coded
    head = b"cytm\x01" + (13 + 16 + 17 + 18 + 19).to_bytes(8, "little")
    crc = google_crc32c.value(head + index).to_bytes(4, "little")
    assert data == head + b"".join(PARTS) + index + crc


def test_what_was_written_is_read() -> None:
    stream = io.BytesIO(written(PARTS, [(1, 2), (2, 1)]))
    index = read_index(stream)
    assert (index.scenes, index.ome_xml) == (((1, 2), (2, 1)), XML)
    places = [(part.scene, part.time, part.channel) for part in index.parts]
    assert places == [(0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 1, 0)]
    assert [read_part(stream, part) for part in index.parts] == PARTS
    assert read_index(io.BytesIO(written(PARTS[:1], [(1, 1)], ""))).ome_xml == ""


def test_bytes_of_one_image_or_a_sentence() -> None:
    assert lone_container(b"cyto...") == b"cyto..."
    assert lone_container(written(PARTS[:1], [(1, 1)])) == PARTS[0]
    with pytest.raises(UsageError, match=r"hold 4 images.*select=\{'C': 0\}"):
        lone_container(written(PARTS, [(1, 4)]))
    with pytest.raises(UsageError, match=r"select=\{'T': 0\}"):
        lone_container(written(PARTS, [(4, 1)]))
    with pytest.raises(UsageError, match=r"select=\{'S': 0\}"):
        lone_container(written(PARTS, [(1, 1)] * 4))


def test_a_writer_refuses_what_a_reader_would(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="4 containers"):
        written(PARTS, [(1, 3)])
    monkeypatch.setattr(multi_image, "MOST_XML", 20)
    with pytest.raises(ImageError, match="select fewer"):
        written(PARTS, [(1, 4)], "<OME>" + "x" * 20 + "</OME>")


@pytest.mark.parametrize("cut", [1, 4, 5, 30, 60, 82, 90, 100])
def test_a_truncated_file_is_damaged(cut: int) -> None:
    with pytest.raises(CorruptDataError, match=r"truncated|several images"):
        read_index(io.BytesIO(written(PARTS, [(1, 4)])[:-cut]))


GOOD = varints(1, 1, 4, 16, 17, 18, 19)
NO_XML = varints(0, 0)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (varints(0) + NO_XML, "0 entries"),
        (varints(2**40, 1, 4), "entries and has room"),
        (varints(1, 2**60, 2**3) + NO_XML, "entries and has room"),
        (varints(1, 0, 4) + NO_XML, "0 entries"),
        (varints(2, 1, 4, 0, 9, 16, 17, 18, 19) + NO_XML, "0 entries"),
        (varints(1, 1, 4, 16, 17, 18, 18) + NO_XML, "end at byte"),
        (varints(1, 1, 4, 16, 17, 18, 2**50) + NO_XML, "end at byte"),
        (varints(1, 1, 3, 16, 17, 18) + NO_XML, "end at byte"),
        # More images than there are bytes for.
        (varints(1, 1, 60, *[0] * 60) + NO_XML, "60 entries and has room for 4"),
        (GOOD, "ends early"),
        (GOOD + NO_XML + b"!", "followed by other bytes"),
        (GOOD + varints(5, 3) + b"abc", "damaged"),
        (GOOD + xml_of(b"<OME/>", 7), "not 7 bytes"),
        (GOOD + xml_of(b"<OME/>", 5), "not 5 bytes"),
        (GOOD + xml_of(b"<OME>\xff</OME>"), "damaged"),
        (GOOD + xml_of(b"", 0), "promises no OME-XML"),
    ],
)
def test_a_crafted_index_is_refused(index: bytes, words: str) -> None:
    with pytest.raises(CorruptDataError, match=words):
        read_index(io.BytesIO(crafted(index)))


def test_a_bomb_of_xml_is_not_inflated() -> None:
    bomb = xml_of(b"<OME>" + b" " * 2**26)
    assert len(bomb) < 2**17
    with pytest.raises(LimitError, match="over 33554432"):
        read_index(io.BytesIO(crafted(GOOD + bomb)))
    # Nor does a small promise let it through.
    coded = zlib.compress(b" " * 2**26)
    with pytest.raises(CorruptDataError, match="not 100 bytes"):
        read_index(io.BytesIO(crafted(GOOD + varints(100, len(coded)) + coded)))
    large = io.BytesIO(crafted(GOOD + xml_of(b" " * (2**22 + 1))))
    assert len(read_index(large).ome_xml) > 2**22
    with pytest.raises(LimitError, match="over 4194304"):
        read_index(large, trusted=False)


def test_the_number_of_images_is_limited() -> None:
    index, parts = varints(1, 1, 2**12 + 1, *[16] * (2**12 + 1)) + NO_XML, bytes(16 * 2**12 + 16)
    data = crafted(index, parts)
    assert len(read_index(io.BytesIO(data)).parts) == 2**12 + 1
    with pytest.raises(LimitError, match="4097 images, and the limit is 4096"):
        read_index(io.BytesIO(data), trusted=False)


@pytest.mark.parametrize("position", [0, 12, 84, 10**6, 2**63, 2**64 - 1])
def test_an_index_elsewhere_is_refused(position: int) -> None:
    with pytest.raises(CorruptDataError):
        read_index(io.BytesIO(crafted(GOOD + NO_XML, position=position)))


def test_a_newer_version_is_named() -> None:
    data = bytearray(written(PARTS, [(1, 4)]))
    data[4] = 2
    with pytest.raises(CorruptDataError, match="format 2"):
        read_index(io.BytesIO(bytes(data)))
    with pytest.raises(CorruptDataError, match="cytm"):
        read_index(io.BytesIO(b"cyto"))


@hypothesis.given(st.binary(max_size=200))
def test_any_index_is_read_or_refused(index: bytes) -> None:
    try:
        found = read_index(io.BytesIO(crafted(index)))
    except CorruptDataError:
        return
    assert sum(part.length for part in found.parts) == sum(map(len, PARTS))


@hypothesis.given(st.data())
def test_any_change_of_a_file_is_refused(data: st.DataObject) -> None:
    whole = written(PARTS, [(1, 2), (2, 1)])
    at = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(whole)
    changed[at] ^= 1 << bit
    if 13 <= at < 13 + sum(map(len, PARTS)):
        # Containers have checksums of their own.
        assert read_index(io.BytesIO(bytes(changed))) == read_index(io.BytesIO(whole))
        return
    with pytest.raises(CorruptDataError):
        read_index(io.BytesIO(bytes(changed)))
