"""A .cyto file read: all of its images, some, or why not."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path

import google_crc32c
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import cytopress
from cytopress.codecs import registry
from cytopress.codecs.container.container import Form, pack
from cytopress.codecs.container.multi_image import Writer
from cytopress.errors import CorruptDataError, CytopressError, LimitError, UsageError
from cytopress.files import channel_codecs, decode_file, encode_file, open_cyto
from cytopress.image import Image
from cytopress.settings import Settings
from fakes.ome_files import CHANNELS, HEIGHT, WIDTH, six_channels, write_six_channels

pytestmark = pytest.mark.both_numpy

PLANE = Image(np.arange(40, dtype=np.uint16).reshape(5, 8))
OME = '<OME><Image ID="Image:0"><Pixels SizeX="8" SizeY="5" SizeZ="1" SizeC="{c}" SizeT="1">{x}'
OME += "</Pixels></Image></OME>"


def file_of(images: list[Image], scenes: list[tuple[int, int]], xml: str = "") -> bytes:
    stream = io.BytesIO()
    writer = Writer(stream)
    for image in images:
        writer.add(cytopress.encode(image, "zstd"))
    writer.finish(scenes, xml)
    return stream.getvalue()


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    folder = tmp_path_factory.mktemp("plate")
    pixels = write_six_channels(folder / "plate.ome.tif", 2)
    encode_file(folder / "plate.ome.tif", folder / "plate.cyto", channel_codecs(["jpegls"]))
    return folder / "plate.cyto", pixels


def test_read_gives_every_image_with_its_name(plate: tuple[Path, np.ndarray]) -> None:
    path, pixels = plate
    images = cytopress.read(path)
    np.testing.assert_array_equal(
        [i.pixels for i in images], pixels.reshape(-1, *pixels.shape[-2:])
    )
    assert [i.name for i in images[:7]] == [*(f"C={n},T=0,S=0" for n in CHANNELS), "C=DNA,T=1,S=0"]
    # As for the source.
    assert [i.name for i in images] == [
        i.name for i in cytopress.read(path.with_name("plate.ome.tif"))
    ]
    assert {(i.bits, i.spacing_um) for i in images} == {(12, (0.598, 0.598))}


def test_some_are_selected(plate: tuple[Path, np.ndarray]) -> None:
    path, pixels = plate
    images = cytopress.read(path, select={"C": "RNA", "S": 1})
    np.testing.assert_array_equal([i.pixels for i in images], pixels[1, :, 2])
    with open_cyto(path.read_bytes(), select={"T": 1, "C": 0}) as file:
        np.testing.assert_array_equal(file.read(1).pixels, pixels[1, 1, 0])
        assert [place.label for place in file.places] == ["C=DNA,T=1,S=0", "C=DNA,T=1,S=1"]
    for select, words in (({"C": "GFP"}, "no C=GFP"), ({"Z": 0}, "whole stacks"), ({"Q": 0}, "Q")):
        with pytest.raises(UsageError, match=words):
            cytopress.read(path, select=select)
    with pytest.raises(UsageError, match="axes"):
        cytopress.read(path, axes="YX")


def test_bytes_of_several_say_how_to_get_one(plate: tuple[Path, np.ndarray]) -> None:
    path, _ = plate
    with pytest.raises(UsageError, match=r"hold 24 images.*cytopress\.read\(FILE") as refused:
        cytopress.decode(path.read_bytes())
    assert str(refused.value).count("\n") == 0


def test_a_lone_container_is_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "cells.cyto").write_bytes(cytopress.encode(PLANE, "zstd"))
    (image,) = cytopress.read(tmp_path / "cells.cyto")
    assert (image, image.name) == (PLANE, "cells")


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (OME.format(c=3, x="<Channel/>" * 3), "another size"),
        (OME.format(c=2, x="<Channel/>"), "another size"),
        (OME.format(c=2, x="<Channel/>" * 2).replace('SizeX="8"', 'SizeX="9"'), "another size"),
        ("<OME/>", "describes 0 images"),
        ("<OME><Image/></OME>", "another size"),
        ("<OME", "damaged"),
        ("<html/>", "not OME"),
        (OME.format(c=2, x="<Channel/>" * 2 + "<a>" * 2**16 + "</a>" * 2**16), "64 levels"),
        (OME.format(c=2, x="<Channel/>" * 2 + "<a/>" * 2**21), "1048576 elements"),
        ('<!DOCTYPE OME [<!ENTITY a "b">]>' + OME.format(c=2, x="<Channel/>" * 2), "document type"),
    ],
)
def test_metadata_of_other_images_are_damage(tmp_path: Path, xml: str, words: str) -> None:
    path = tmp_path / "x.cyto"
    path.write_bytes(file_of([PLANE, PLANE], [(1, 2)], xml))
    for work in (cytopress.read, lambda path: decode_file(path, tmp_path / "x.tif")):
        with pytest.raises(CorruptDataError, match=words):
            work(path)
    assert not (tmp_path / "x.tif").exists()


def test_a_damaged_container_is_named(plate: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    data = bytearray(plate[0].read_bytes())
    with open_cyto(bytes(data)) as file:
        data[file.parts[9].position + 30] ^= 1
    (tmp_path / "x.cyto").write_bytes(data)
    with pytest.raises(CorruptDataError, match=r"x\.cyto \(C=AGP,T=1,S=0\): .*checksum"):
        cytopress.read(tmp_path / "x.cyto")
    # The others can still be read.
    assert len(cytopress.read(tmp_path / "x.cyto", select={"C": "DNA"})) == 4


def test_a_file_inside_a_file_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = Writer(stream)
    writer.add(file_of([PLANE], [(1, 1)]))
    writer.finish([(1, 1)], "")
    with pytest.raises(CorruptDataError, match="not start with 'cyto'"):
        cytopress.decode(stream.getvalue())


def test_images_of_a_scene_have_one_form(tmp_path: Path) -> None:
    other = Image(np.zeros((5, 9), np.uint16))
    (tmp_path / "x.cyto").write_bytes(file_of([PLANE, other], [(1, 2)]))
    with pytest.raises(CorruptDataError, match="differ in form"):
        decode_file(tmp_path / "x.cyto", tmp_path / "x.tif")


def test_the_sum_of_all_images_is_limited(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "x.cyto"
    path.write_bytes(file_of([PLANE] * 5, [(5, 1)]))
    narrow = replace(settings, max_bytes=4 * PLANE.raw_bytes)
    for trusted in (True, False):
        with pytest.raises(LimitError, match="400 bytes of pixels, and the limit is 320"):
            decode_file(path, tmp_path / "x.tif", settings=narrow, trusted=trusted)
    decode_file(path, tmp_path / "x.tif", settings=narrow, select={"T": 4})
    decode_file(path, tmp_path / "last.tif", trusted=False, select={"T": 4})
    assert cytopress.read(tmp_path / "last.tif") == [PLANE]


def test_many_blank_images_are_a_bomb(tmp_path: Path) -> None:
    form = replace(Form.of(PLANE), shape=(2**13, 2**13))
    blank = pack(registry.find_family("zstd")().recipe(), form, bytes(7000), {})
    stream = io.BytesIO()
    writer = Writer(stream)
    for _ in range(5):
        writer.add(blank)
    writer.finish([(5, 1)], "")
    (tmp_path / "x.cyto").write_bytes(stream.getvalue())
    with pytest.raises(LimitError, match="671088640 bytes of pixels in"):
        decode_file(tmp_path / "x.cyto", tmp_path / "x.tif")


def test_a_stranger_s_metadata_are_limited(tmp_path: Path) -> None:
    xml = OME.format(c=1, x="<Channel/>").replace("</OME>", "<a/>" * 2**20 + "</OME>")
    (tmp_path / "x.cyto").write_bytes(file_of([PLANE], [(1, 1)], xml))
    with (
        pytest.raises(LimitError, match="OME-XML, over 4194304"),
        open_cyto(tmp_path / "x.cyto", trusted=False),
    ):
        pass


BASE = file_of([PLANE, PLANE], [(1, 2)], OME.format(c=2, x="<Channel/>" * 2))
INDEX_AT = struct.unpack("<Q", BASE[5:13])[0]


@hypothesis.settings(max_examples=60)
@hypothesis.given(st.data())
def test_any_file_is_decoded_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Change the index and repair its checksum, as whoever crafts a file would."""
    body = bytearray(BASE[:-4])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(5, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    position = min(struct.unpack("<Q", body[5:13])[0], len(body))
    crc = google_crc32c.value(bytes(body[:13] + body[max(position, 13) :]))
    try:
        with open_cyto(bytes(body) + struct.pack("<I", crc)) as file:
            file.check_total(streamed=False)
            assert all(file.read(number).raw_bytes for number in range(len(file.places)))
            file.document()
    except CytopressError:
        pass


@hypothesis.settings(max_examples=60)
@hypothesis.given(st.data())
def test_any_metadata_are_written_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    xml = six_channels()
    for _ in range(data.draw(st.integers(1, 3))):
        at, end = sorted(data.draw(st.integers(0, len(xml))) for _ in range(2))
        end = min(end, at + data.draw(st.integers(0, 60)))
        words = st.sampled_from(
            ["<Image>", "<Channel/>", "</Pixels>", '"', "<Plane/>", "&lt;", "0"]
        )
        xml = xml[:at] + data.draw(words) + xml[end:]
    image = Image(np.zeros((HEIGHT, WIDTH), np.uint16))
    folder = tmp_path_factory.mktemp("any")
    (folder / "x.cyto").write_bytes(file_of([image] * 12, [(2, 6)], xml))
    try:
        decode_file(folder / "x.cyto", folder / "x.ome.tif")
    except CorruptDataError:
        assert [path.name for path in folder.iterdir()] == ["x.cyto"]
        return
    assert len(cytopress.read(folder / "x.ome.tif")) == 12
