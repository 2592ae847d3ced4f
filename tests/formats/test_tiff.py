import contextlib
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

from cytopress.errors import CytopressError, CytopressWarning, ImageError, UsageError
from cytopress.formats.images import read, read_labels, read_one, read_shape, write
from cytopress.image import Image

PIXELS = np.random.default_rng(1).integers(0, 4096, (2, 3, 4, 9, 7), dtype=np.uint16)  # TCZYX


def test_ome_tiff_gives_an_image_for_each_channel_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path,
        PIXELS,
        metadata={
            "axes": "TCZYX",
            "SignificantBits": 12,
            "PhysicalSizeX": 108.333,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 0.25,
            "PhysicalSizeZ": 0.002,
            "PhysicalSizeZUnit": "mm",
            "Channel": {"Name": ["DAPI", "GFP", "DAPI"]},
        },
    )
    # Two channels bear one name: their numbers tell them apart.
    with pytest.warns(CytopressWarning, match="named 'DAPI', 'DAPI' are selected by their number"):
        images = read(path)
    assert [image.name for image in images] == [
        "C=0,T=0", "C=GFP,T=0", "C=2,T=0", "C=0,T=1", "C=GFP,T=1", "C=2,T=1",
    ]  # fmt: skip
    np.testing.assert_array_equal([image.pixels for image in images], PIXELS.reshape(6, 4, 9, 7))
    assert {image.bits for image in images} == {12}
    assert images[0].spacing_um == pytest.approx((2.0, 0.25, 0.108333))


def test_selection_takes_numbers_names_and_planes(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, PIXELS, metadata={"axes": "TCZYX", "Channel": {"Name": [*"abc"]}})
    image = read_one(path, select={"C": "b", "T": "1"})
    np.testing.assert_array_equal(image.pixels, PIXELS[1, 1])
    assert image.name == "C=b,T=1"
    plane = read_one(path, select={"C": 2, "T": 0, "Z": 3})
    np.testing.assert_array_equal(plane.pixels, PIXELS[0, 2, 3])
    assert plane.axes == "YX"
    assert len(read(path, select={"C": 1})) == 2


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ({"C": 3}, r"no C=3; the file has C=0 to 2 \(a, b, c\), T=0 to 1, Z=0 to 3"),
        ({"C": -1}, "no C=-1"),
        ({"C": "d"}, "no C=d"),
        ({"T": 2}, "no T=2"),
        ({"S": 1}, "no S=1"),
        ({"Q": 0}, "takes C, T, Z and S, not Q"),
        ({"Y": 0}, "takes C, T, Z and S, not Y"),
    ],
)
def test_selection_that_is_not_there(
    tmp_path: Path, select: dict[str, int | str], message: str
) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, PIXELS, metadata={"axes": "TCZYX", "Channel": {"Name": [*"abc"]}})
    with pytest.raises(UsageError, match=message):
        read(path, select=select)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_one_plane_of_many_is_read_alone(
    tmp_path: Path, compression: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, PIXELS, metadata={"axes": "TCZYX"}, compression=compression)
    sizes = []
    original = tifffile.TiffFile.asarray

    def spy(self: Any, *args: Any, **options: Any) -> Any:
        pixels = original(self, *args, **options)
        sizes.append(pixels.size)
        return pixels

    monkeypatch.setattr(tifffile.TiffFile, "asarray", spy)
    plane = read_one(path, select={"C": 1, "T": 1, "Z": 2})
    np.testing.assert_array_equal(plane.pixels, PIXELS[1, 1, 2])
    assert sizes == [9 * 7]


def test_imagej_axes_and_spacing(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        PIXELS.transpose(0, 2, 1, 3, 4),
        imagej=True,
        resolution=(4.0, 2.0),
        metadata={"axes": "TZCYX", "spacing": 1.5, "unit": "um"},
    )
    images = read(path)
    np.testing.assert_array_equal([image.pixels for image in images], PIXELS.reshape(6, 4, 9, 7))
    assert images[0].spacing_um == (1.5, 0.5, 0.25)
    # ImageJ writes one page directory for all planes of a large stack, and so does tifffile here.
    plane = read_one(path, select={"T": 1, "C": 2, "Z": 3})
    np.testing.assert_array_equal(plane.pixels, PIXELS[1, 2, 3])


def test_imagej_pixels_are_no_micrometers(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS[0, 0], imagej=True, metadata={"axes": "ZYX", "unit": "pixel"})
    assert read_one(path).spacing_um is None


def test_plain_stack_needs_its_axes_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for plane in PIXELS[0, 0]:
            file.write(plane, metadata=None, contiguous=False)
    with pytest.raises(UsageError, match=r"\(4, 9, 7\).*--axes"):
        read(path)
    stack = read_one(path, axes="ZYX")
    np.testing.assert_array_equal(stack.pixels, PIXELS[0, 0])
    assert [image.name for image in read(path, axes="TYX")] == ["T=0", "T=1", "T=2", "T=3"]
    channel = read_one(path, axes="CYX", select={"C": 3})
    np.testing.assert_array_equal(channel.pixels, PIXELS[0, 0, 3])


@pytest.mark.parametrize("axes", ["YX", "TZYX", "ZZYX", "ZY", "QYX", ""])
def test_axes_that_do_not_fit(tmp_path: Path, axes: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS[0, 0], metadata=None, photometric="minisblack")
    with pytest.raises(UsageError, match="axes"):
        read(tmp_path / "a.tif", axes=axes)


def test_axes_in_another_order_are_put_right(tmp_path: Path) -> None:
    turned = PIXELS[0, 0].transpose(1, 2, 0)
    tifffile.imwrite(tmp_path / "a.tif", turned, metadata=None, photometric="minisblack")
    image = read_one(tmp_path / "a.tif", axes="YXZ")
    np.testing.assert_array_equal(image.pixels, PIXELS[0, 0])


def test_axes_of_length_one_are_dropped_or_kept(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS[:1, :1, :1], metadata={"axes": "TCZYX"}, ome=True)
    assert read_one(tmp_path / "a.tif").axes == "YX"
    assert read_one(tmp_path / "a.tif", axes="TCZYX").shape == (1, 9, 7)
    assert read_one(tmp_path / "a.tif", axes="YX").shape == (9, 7)
    # A dataset that says ZYX keeps its one-plane stacks stacks.
    assert read_one(tmp_path / "a.tif", axes="ZYX").shape == (1, 9, 7)


def test_time_that_may_be_depth_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS[0, 0], imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(UsageError, match=r"--select T=0\. If T is depth, .*--axes ZYX"):
        read_one(path)
    with pytest.warns(CytopressWarning, match="a time series is no stack"):
        stack = read_one(path, axes="ZYX")
    np.testing.assert_array_equal(stack.pixels, PIXELS[0, 0])


def test_color_is_refused(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    for axes in (None, "ZYX", "YX"):
        with pytest.raises(ImageError, match=r"color image .* --axes YXC"):
            read(tmp_path / "a.tif", axes=axes)
    # Named as channels they are grey images.
    assert [image.name for image in read(tmp_path / "a.tif", axes="YXC")] == ["C=0", "C=1", "C=2"]


def test_planes_tagged_as_color_are_a_stack_where_it_is_named_one(tmp_path: Path) -> None:
    # What writers make of three or four grey planes unless told otherwise.
    tifffile.imwrite(tmp_path / "a.tif", PIXELS[0, 0], photometric="rgb", planarconfig="separate")
    with pytest.raises(ImageError, match="--axes CYX"):
        read(tmp_path / "a.tif")
    stack = read_one(tmp_path / "a.tif", axes="ZYX")
    np.testing.assert_array_equal(stack.pixels, PIXELS[0, 0])
    plane = read_one(tmp_path / "a.tif", axes="TYX", select={"T": 2})
    np.testing.assert_array_equal(plane.pixels, PIXELS[0, 0, 2])


@pytest.mark.parametrize("bigtiff", [False, True])
def test_big_endian_files_give_native_pixels(tmp_path: Path, bigtiff: bool) -> None:
    pixels = PIXELS[0, 0]
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels,
        byteorder=">",
        bigtiff=bigtiff,
        photometric="minisblack",
        metadata={"axes": "ZYX"},
    )
    image = read_one(tmp_path / "a.tif")
    assert image.dtype.isnative
    np.testing.assert_array_equal(image.pixels, pixels)


def test_scenes_of_different_shapes(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(PIXELS[0, 0, 0], metadata={"axes": "YX", "PhysicalSizeX": 1, "PhysicalSizeY": 1})
        file.write(PIXELS[0, 0, 0, :4], metadata={"axes": "YX"})
    images = read(path)
    assert [(image.name, image.shape) for image in images] == [("S=0", (9, 7)), ("S=1", (4, 7))]
    assert [image.spacing_um for image in images] == [(1.0, 1.0), None]
    assert read_one(path, select={"S": 1}).shape == (4, 7)


def test_pyramid_is_read_at_full_resolution(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(PIXELS[0, 0, 0], subifds=1, metadata={"axes": "YX"})
        file.write(PIXELS[0, 0, 0, ::2, ::2], subfiletype=1)
    np.testing.assert_array_equal(read_one(path).pixels, PIXELS[0, 0, 0])


def test_significant_bits_that_cannot_be_true_are_said_and_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, PIXELS[0, 0, 0], metadata={"axes": "YX", "SignificantBits": 8})
    with pytest.warns(UserWarning, match="say 8 significant bits"):
        image = read_one(path)
    assert image.bits == 16


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("ome", [False, True])
@pytest.mark.parametrize("planes", [1, 3])
def test_a_file_cut_short_anywhere_is_an_error(
    tmp_path: Path, compression: str | None, ome: bool, planes: int
) -> None:
    whole = tmp_path / "a.tif"
    tifffile.imwrite(
        whole,
        PIXELS[0, 0, :planes],
        compression=compression,
        ome=ome,
        photometric="minisblack",
        metadata={"axes": "ZYX"} if ome else None,
    )
    data = whole.read_bytes()
    expected = read_one(whole, axes="ZYX")
    cut = tmp_path / "cut.tif"
    # tifffile leaves up to 16 bytes of padding at the end, which may be missing.
    last = len(data) - 16
    for length in (*range(0, last, 7), *range(last - 30, last)):
        cut.write_bytes(data[:length])
        with pytest.raises(ImageError, match=r"cut\.tif"):
            read(cut, axes="ZYX")
    assert expected == Image(PIXELS[0, 0, :planes])


def test_planes_without_data_are_an_error_and_not_zeros(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, PIXELS[0, 0, :3], photometric="minisblack", metadata={"axes": "ZYX"})
    data = path.read_bytes()
    # One plane more in the metadata than in the file.
    path.write_bytes(data.replace(b'SizeZ="3"', b'SizeZ="4"'))
    with pytest.raises(ImageError, match="lacks the data of a plane"):
        read(path)
    assert read_one(path, select={"Z": 2}) == Image(PIXELS[0, 0, 2])
    tifffile.imwrite(path, PIXELS[0, 0, 0], compression="zlib", ome=False)
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages.first.tags["StripByteCounts"].overwrite(0)
    with pytest.raises(ImageError, match="lacks the data of a plane"):
        read(path)


def test_garbage_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for data in (b"", b"x", b"II*\0", b"not an image at all", b"II*\0\xff\xff\xff\xff"):
        path.write_bytes(data)
        with pytest.raises(ImageError, match=r"a\.tif"):
            read(path)


def test_flipped_bytes_never_escape_as_another_exception(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    write(path, [Image(PIXELS[0, 0, 0], bits=12, spacing_um=(1, 1))])
    data = bytearray(path.read_bytes())
    for position in range(0, len(data), 3):
        flipped = data.copy()
        flipped[position] ^= 0xFF
        path.write_bytes(flipped)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # TIFF has no checksum, so some flips read as other pixels; none may crash.
            with contextlib.suppress(CytopressError):
                assert all(isinstance(image, Image) for image in read(path))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_that_is_zero_is_read_as_black_that_is_zero(tmp_path: Path, dtype: Any) -> None:
    pixels = PIXELS[0, 0].astype(dtype)
    most = np.iinfo(dtype).max
    tifffile.imwrite(
        tmp_path / "a.tif", most - pixels, photometric="miniswhite", metadata={"axes": "ZYX"}
    )
    with pytest.warns(CytopressWarning, match=f"read as {most} minus what is stored"):
        np.testing.assert_array_equal(read_one(tmp_path / "a.tif").pixels, pixels)
    # Pillow inverts 8 bits, too.
    if dtype is np.uint8:
        with PIL.Image.open(tmp_path / "a.tif") as picture:
            np.testing.assert_array_equal(np.asarray(picture), pixels[0])
    with pytest.raises(ImageError, match="in doubt which number is the background"):
        read_labels(tmp_path / "a.tif")


RGB = np.random.default_rng(3).integers(0, 256, (4, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("reduced", [False, True])
def test_a_gray_image_beside_a_color_thumbnail(tmp_path: Path, reduced: bool) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(PIXELS[0, 0, 0], metadata=None)
        file.write(RGB, photometric="rgb", subfiletype=int(reduced), metadata=None)
    said = contextlib.nullcontext() if reduced else pytest.warns(match="S=1 is left out")
    with said:
        np.testing.assert_array_equal(read_one(path).pixels, PIXELS[0, 0, 0])
    np.testing.assert_array_equal(read_one(path, select={"S": 0}).pixels, PIXELS[0, 0, 0])
    if not reduced:
        with pytest.raises(ImageError, match="color image"):
            read_one(path, select={"S": 1})


def test_a_scene_of_unknown_axes_leaves_the_others_readable(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(PIXELS[0, 0], photometric="minisblack", contiguous=True, metadata=None)
        file.write(PIXELS[0, 0, 0, :4], metadata=None)
    with pytest.warns(CytopressWarning, match="S=0 is left out .*what its axes are"):
        np.testing.assert_array_equal(read_one(path).pixels, PIXELS[0, 0, 0, :4])
    with pytest.raises(UsageError, match="what its axes are"):
        read_one(path, select={"S": 0})


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("axes", [None, "YX"])
def test_gray_stored_as_color_is_one_plane(tmp_path: Path, planar: Any, axes: str | None) -> None:
    plane = PIXELS[0, 0, 0]
    pixels = np.stack([plane] * 3, -1 if planar == "contig" else 0)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", planarconfig=planar)
    with pytest.warns(CytopressWarning, match="its channels are equal"):
        image = read_one(tmp_path / "a.tif", axes=axes)
    np.testing.assert_array_equal(image.pixels, plane)
    assert read_shape(tmp_path / "a.tif", axes=axes) == plane.shape


@pytest.mark.parametrize("tag", [51023, 306])
def test_a_tag_that_points_outside_the_file_is_ignored_and_said(tmp_path: Path, tag: int) -> None:
    path = tmp_path / "a.tif"
    extra = [(tag, "s", 0, "x" * 40, True)]
    tifffile.imwrite(path, PIXELS[0, 0, 0], metadata=None, extratags=extra)
    data = bytearray(path.read_bytes())
    entry = data.index(struct.pack("<HHI", tag, 2, 41))
    data[entry + 8 : entry + 12] = struct.pack("<I", 10**6)
    path.write_bytes(data)
    with pytest.warns(CytopressWarning, match=f"values of its tags {tag} lie outside the file"):
        np.testing.assert_array_equal(read_one(path).pixels, PIXELS[0, 0, 0])


@pytest.mark.parametrize("suffix", ["btf", "tf2", "tf8", "TF8", "ome.btf"])
def test_other_suffixes_of_tiff(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    metadata = {"axes": "YX", "PhysicalSizeX": 0.1, "PhysicalSizeY": 0.1}
    tifffile.imwrite(path, PIXELS[0, 0, 0], bigtiff=True, ome=True, metadata=metadata)
    assert read_one(path) == Image(PIXELS[0, 0, 0], spacing_um=(0.1, 0.1))


@pytest.mark.filterwarnings("ignore:.*selected by their number")
def test_channels_named_by_digits_are_selected_by_them(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    names = {"Channel": {"Name": ["405", "488 ", "1"]}}
    tifffile.imwrite(path, PIXELS[0, :, 0], metadata={"axes": "CYX", **names})
    assert [image.name for image in read(path)] == ["C=405", "C=488", "C=2"]
    np.testing.assert_array_equal(read_one(path, select={"C": "488"}).pixels, PIXELS[0, 1, 0])
    np.testing.assert_array_equal(read_one(path, select={"C": "0"}).pixels, PIXELS[0, 0, 0])
    with pytest.raises(UsageError, match=r"the file has C=0 to 2 \(405, 488\)"):
        read(path, select={"C": "561"})
    # A name that is also another channel's number: the number is meant.
    with pytest.warns(CytopressWarning) as caught:
        np.testing.assert_array_equal(read_one(path, select={"C": "1"}).pixels, PIXELS[0, 1, 0])
    assert any("the channel named 1 is C=2" in str(one.message) for one in caught)


def test_packed_samples_keep_their_significant_bits(tmp_path: Path) -> None:
    rows = [[0x123, 0xFFF], [0x001, 0xABC]]
    data = bytes.fromhex("123fff001abc")
    tags = [
        (256, 4, 1, 2), (257, 4, 1, 2), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 2), (279, 4, 1, len(data)),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data
    path = tmp_path / "a.tif"
    path.write_bytes(head + struct.pack("<H", len(tags)) + entries + bytes(4))
    image = read_one(path)
    assert (image.pixels.tolist(), image.bits) == (rows, 12)


def test_an_orientation_that_is_not_applied_is_said(tmp_path: Path) -> None:
    extra = [(274, "H", 1, 8, True)]
    tifffile.imwrite(tmp_path / "a.tif", PIXELS[0, 0, 0], metadata=None, extratags=extra)
    with pytest.warns(CytopressWarning, match=r"orientation \(8\) is not applied"):
        np.testing.assert_array_equal(read_one(tmp_path / "a.tif").pixels, PIXELS[0, 0, 0])


def test_other_suffixes_are_read_only(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"can be written as \.ome\.tif, \.tif or \.png"):
        write(tmp_path / "a.tf8", [Image(PIXELS[0, 0, 0])])
