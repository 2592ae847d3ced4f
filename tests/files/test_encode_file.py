"""Whole files: what went in comes out, pixels and metadata."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

import cytopress
from cytopress.errors import CytopressWarning, ImageError, UnreachableTargetError, UsageError
from cytopress.files import channel_codecs, decode_file, encode_file, open_cyto
from cytopress.image import Image
from fakes.ome_files import CHANNELS, facts, six_channels, write_six_channels

pytestmark = pytest.mark.both_numpy

LOSSLESS = channel_codecs(["jpegls"])
RANDOM = np.random.default_rng(3)


def through(source: Path, specs: list[str] | None = None, **options: object) -> tuple[str, list]:
    """Encode and decode a file; return the OME-XML and the pixels of what came out."""
    coded, back = source.with_name("x.cyto"), source.with_name("back.ome.tif")
    encode_file(source, coded, channel_codecs(specs or ["jpegls"]), **options)
    decode_file(coded, back, overwrite=True)
    with tifffile.TiffFile(back) as file:
        return file.ome_metadata, [series.asarray() for series in file.series]


@pytest.mark.parametrize("images", [1, 3])
def test_what_went_in_comes_out(tmp_path: Path, images: int) -> None:
    pixels = write_six_channels(tmp_path / "plate.ome.tif", images)
    text, arrays = through(tmp_path / "plate.ome.tif")
    np.testing.assert_array_equal(arrays, pixels)
    before, after = facts(six_channels(images)), facts(text)
    assert not before - after
    # What is new says how it was coded, and nothing else.
    assert all("Annotation:cytopress-" in place for place, _, _ in after - before)


@pytest.mark.parametrize("version", ["2013-06", "2015-01"])
def test_older_schemas_keep_their_metadata(tmp_path: Path, version: str) -> None:
    namespace = f"http://www.openmicroscopy.org/Schemas/OME/{version}"
    write_six_channels(tmp_path / "old.ome.tif", namespace=namespace)
    text, _ = through(tmp_path / "old.ome.tif")
    assert not facts(six_channels(namespace=namespace)) - facts(text)
    # Annotations had a namespace of their own.
    assert f'"http://www.openmicroscopy.org/Schemas/SA/{version}"' in text
    assert len(cytopress.read(tmp_path / "back.ome.tif")) == 12


@pytest.mark.extras
@pytest.mark.parametrize("select", [{}, {"C": "RNA", "S": 1}, {"T": 1}])
def test_what_is_written_is_valid_ome_xml(tmp_path: Path, select: dict[str, int | str]) -> None:
    ome_types = pytest.importorskip("ome_types", reason="needs the extra io")
    write_six_channels(tmp_path / "plate.ome.tif", 2)
    text, _ = through(tmp_path / "plate.ome.tif", ["jpegxl:ratio=3"], select=select)
    assert ome_types.from_xml(text, validate=True).instruments[0].objectives[0].lens_na == 0.75


def test_a_selection_takes_its_metadata_along(tmp_path: Path) -> None:
    pixels = write_six_channels(tmp_path / "plate.ome.tif", 3)
    text, (array,) = through(tmp_path / "plate.ome.tif", select={"S": 1, "C": "AGP", "T": 1})
    np.testing.assert_array_equal(array, pixels[1, 1, 3])
    found = {value for _, _, value in facts(text)}
    # Exposure and time of that plane, stage of that field, wavelength of that channel.
    assert {"25", "60.375", "101.5", "600.0", "AGP", "B12 field 1"} <= found
    assert not {"DNA", "461.0", "100.5", "B12 field 0", "Image:0"} & found


def test_a_selection_of_several_keeps_their_order(tmp_path: Path) -> None:
    pixels = write_six_channels(tmp_path / "plate.ome.tif", 3)
    select = {"S": "1:", "C": ["Mito", "DNA"]}
    text, arrays = through(tmp_path / "plate.ome.tif", select=select)
    np.testing.assert_array_equal(arrays, pixels[1:][:, :, [0, 4]])
    images = cytopress.read(tmp_path / "x.cyto", select={"C": "Mito+DNA", "T": 0})
    assert [image.name for image in images] == [
        f"C={name},T=0,S={scene}" for scene in (0, 1) for name in ("DNA", "Mito")
    ]
    found = {value for _, _, value in facts(text)}
    assert {"DNA", "Mito", "461.0", "690.0", "30"} <= found
    assert not {"ER", "525.0", "15"} & found


def test_each_channel_has_its_codec(tmp_path: Path) -> None:
    pixels = write_six_channels(tmp_path / "plate.ome.tif")
    specs = ["jpegls:max_error=9", "DNA=jpegls", "5=zstd"]
    text, (array,) = through(tmp_path / "plate.ome.tif", specs)
    worst = np.abs(array.astype(int) - pixels[0]).max(axis=(0, 2, 3))
    assert worst.tolist() == [0, 9, 9, 9, 9, 0]
    codings = [text.count(f'<M K="{key}">{value}</M>') for key, value in (
        ("lossless", "true"), ("lossless", "false"), ("target", "max_error=9"),
        ("summary", "Pixels were coded with loss."),
        ("reached", "9 counts, the largest error of a pixel"),
    )]  # fmt: skip
    assert codings == [2, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        (["DNA=jpegls"], "channel ER has no codec"),
        (["jpegls", "GFP=zstd"], "names the channel 'GFP', and the channels are DNA, ER, RNA"),
        (["jpegls", "zstd"], "given twice for all channels"),
        (["jpegls", "DNA=zstd", "DNA=png"], "given twice for channel DNA"),
        ([], "a codec is needed"),
    ],
)
def test_a_codec_for_every_channel_and_no_other(
    tmp_path: Path, specs: list[str], words: str
) -> None:
    write_six_channels(tmp_path / "plate.ome.tif")
    with pytest.raises(UsageError, match=words):
        encode_file(tmp_path / "plate.ome.tif", tmp_path / "x.cyto", channel_codecs(specs))
    assert not (tmp_path / "x.cyto").exists()


def test_one_image_without_metadata_stays_a_container(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 4000, (16, 20)).astype(np.uint16)
    image = Image(pixels, bits=12, spacing_um=(0.5, 0.25))
    tifffile.imwrite(tmp_path / "plain.tif", pixels)
    cytopress.write(tmp_path / "cells.ome.tif", [image])
    cytopress.write(tmp_path / "cells.png", [image])
    for name, same in (("plain.tif", Image(pixels)), ("cells.ome.tif", image),
                       ("cells.png", Image(pixels))):  # fmt: skip
        encode_file(tmp_path / name, tmp_path / "x.cyto", LOSSLESS)
        assert (tmp_path / "x.cyto").read_bytes() == cytopress.encode(same, "jpegls")


@pytest.mark.parametrize(
    "metadata",
    [
        {"Channel": {"Name": ["DNA"]}},
        {"Channel": {"EmissionWavelength": [461]}},
        {"AcquisitionDate": "2024-01-02T03:04:05"},
        {"Plane": {"ExposureTime": [0.1]}},
        {"Name": "well B12"},
        # No known unit: the container has no spacing.
        {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "furlong"},
    ],
)
def test_one_image_with_metadata_keeps_them(tmp_path: Path, metadata: dict) -> None:
    pixels = RANDOM.integers(0, 4000, (16, 20)).astype(np.uint16)
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, pixels, metadata={"axes": "YX", **metadata})
    with tifffile.TiffFile(path) as file:
        before = facts(file.ome_metadata)
    with pytest.warns() if "PhysicalSizeX" in metadata else contextlib.nullcontext():
        text, (array,) = through(path)
    np.testing.assert_array_equal(array, pixels)
    assert not before - facts(text)
    data = (tmp_path / "x.cyto").read_bytes()
    # Python reads it as it reads any other image.
    np.testing.assert_array_equal(cytopress.decode(data).pixels, pixels)


def test_containers_inside_are_unchanged(tmp_path: Path) -> None:
    pixels = write_six_channels(tmp_path / "plate.ome.tif", 2)
    encode_file(tmp_path / "plate.ome.tif", tmp_path / "x.cyto", LOSSLESS)
    with open_cyto(tmp_path / "x.cyto") as file:
        for number, place in enumerate(file.places):
            plane = pixels[place.scene, place.time, place.channel]
            image = Image(plane, bits=12, spacing_um=(0.598, 0.598))
            assert file.container(number) == cytopress.encode(image, "jpegls")
            assert place.channel_name == CHANNELS[place.channel]


def test_a_failure_names_the_image_and_leaves_nothing(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 60000, (2, 16, 20)).astype(np.uint16)
    pixels[0] = 7
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata={"axes": "CYX"})
    codecs = channel_codecs(["jpegls:ratio=4"])
    with pytest.raises(UnreachableTargetError, match=r"^C=1: .*ratio=4"):
        encode_file(tmp_path / "a.ome.tif", tmp_path / "x.cyto", codecs)
    assert [path.name for path in tmp_path.iterdir()] == ["a.ome.tif"]


def test_kinds_of_warnings_are_said_once(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 4000, (5, 16, 20)).astype(np.uint16)
    facts_8 = {"axes": "TYX", "SignificantBits": 8}
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata=facts_8)
    with pytest.warns(CytopressWarning) as issued:
        encode_file(tmp_path / "a.ome.tif", tmp_path / "x.cyto", LOSSLESS)
    (text,) = (str(one.message) for one in issued)
    assert text.endswith("read as 16 bits (T=0 and 4 more).")


def test_what_was_coded_twice_says_so_twice(tmp_path: Path) -> None:
    write_six_channels(tmp_path / "plate.ome.tif")
    first, second = tmp_path / "first.cyto", tmp_path / "second.cyto"
    encode_file(tmp_path / "plate.ome.tif", first, channel_codecs(["jpegls:max_error=3"]))
    encode_file(first, second, channel_codecs(["jpegls:max_error=5"]), select={"C": "ER"})
    decode_file(second, tmp_path / "back.ome.tif")
    with tifffile.TiffFile(tmp_path / "back.ome.tif") as file:
        text = file.ome_metadata
    assert text.count("max_error=3") == text.count("max_error=5") == 1
    assert text.count('<AnnotationRef ID="Annotation:cytopress-0-') == 2
    # And so does an OME-TIFF that was decoded before.
    again, _ = through(tmp_path / "back.ome.tif", ["jpegls:max_error=8"])
    assert [again.count(f"max_error={n}") for n in (3, 5, 8)] == [1, 1, 1]


def test_other_axes_than_the_metadata_s(tmp_path: Path) -> None:
    pixels = write_six_channels(tmp_path / "plate.ome.tif")
    with pytest.warns(CytopressWarning) as issued:
        text, (array,) = through(tmp_path / "plate.ome.tif", axes="ZCYX")
    np.testing.assert_array_equal(array, pixels[0].transpose(1, 0, 2, 3))
    assert any("not carried over: what it says of planes" in str(one.message) for one in issued)
    found = {value for _, _, value in facts(text)}
    assert {"DNA", "461.0", "2024-03-05T06:07:08"} <= found
    assert "60.375" not in found


def test_a_source_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0")
    with pytest.raises(ImageError, match=r"a\.tif"):
        encode_file(tmp_path / "a.tif", tmp_path / "x.cyto", LOSSLESS)
    with pytest.raises(UsageError, match="no such file"):
        encode_file(tmp_path / "b.tif", tmp_path / "x.cyto", LOSSLESS)
    assert not (tmp_path / "x.cyto").exists()
