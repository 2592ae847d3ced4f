"""Multi-file OME-TIFF, written by hand as the specification says."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cytopress.errors import CytopressWarning, ImageError, UsageError
from cytopress.formats.images import read, read_one
from fakes.micro_manager import write_stack

FIRST, SECOND = np.random.default_rng(1).integers(0, 4096, (2, 9, 7), dtype=np.uint16)
XMLNS = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def planes(file: str = "", uuid: str = "", **attributes: int) -> str:
    given = "".join(f' {key}="{value}"' for key, value in attributes.items())
    inner = f'<UUID FileName="{file}">{uuid}</UUID>' if file else ""
    return f"<TiffData{given}>{inner}</TiffData>"


def image(name: str, size: float, bits: int, data: str, *, channels: int = 1, y: int = 9) -> str:
    named = "".join(f'<Channel Name="{name}{n or ""}"/>' for n in range(channels))
    return (
        f'<Image><Pixels DimensionOrder="XYZCT" Type="uint16" SignificantBits="{bits}" SizeX="7"'
        f' SizeY="{y}" SizeZ="1" SizeC="{channels}" SizeT="1" PhysicalSizeX="{size}"'
        f' PhysicalSizeY="{size}">{named}{data}</Pixels></Image>'
    )


def write_part(path: Path, uuid: str, body: str, *pages: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    xml = f'<OME xmlns="{XMLNS}" UUID="{uuid}">{body}</OME>'
    with tifffile.TiffWriter(path) as file:
        for number, page in enumerate(pages):
            text = xml.encode() if number == 0 else None
            file.write(page, contiguous=False, metadata=None, description=text)


def write_positions(folder: Path) -> None:
    """Write two positions of one acquisition, each in its file; both describe both."""
    body = image("DAPI", 0.1, 16, planes("p0.ome.tif", "u:a", IFD=0))
    body += image("GFP", 0.5, 12, planes("p1.ome.tif", "u:b", IFD=0))
    write_part(folder / "p0.ome.tif", "u:a", body, FIRST)
    write_part(folder / "p1.ome.tif", "u:b", body, SECOND)


def facts(path: Path, **options: Any) -> tuple[str, int, tuple[float, ...] | None]:
    found = read_one(path, **options)
    return found.name, found.bits, found.spacing_um


def test_a_position_that_was_copied_alone_keeps_its_own_metadata(tmp_path: Path) -> None:
    write_positions(tmp_path / "set")
    for name, pixels, expected in (
        ("p0.ome.tif", FIRST, ("DAPI", 16, (0.1, 0.1))),
        ("p1.ome.tif", SECOND, ("GFP", 12, (0.5, 0.5))),
    ):
        alone = tmp_path / name.removesuffix(".ome.tif")
        alone.mkdir()
        shutil.copy(tmp_path / "set" / name, alone / name)
        assert facts(alone / name) == expected
        np.testing.assert_array_equal(read_one(alone / name).pixels, pixels)
        # Known by its UUID under another name, too.
        (alone / name).rename(alone / "renamed.ome.tif")
        assert facts(alone / "renamed.ome.tif") == expected


def test_an_image_without_data_lends_its_metadata_to_no_other(tmp_path: Path) -> None:
    body = image("overview", 5.0, 16, "<MetadataOnly/>") + image("GFP", 0.5, 12, planes(IFD=0))
    write_part(tmp_path / "a.ome.tif", "u:a", body, FIRST)
    assert facts(tmp_path / "a.ome.tif") == ("GFP", 12, (0.5, 0.5))


def test_images_are_told_apart_by_their_pages_and_not_by_their_order(tmp_path: Path) -> None:
    body = image("second", 0.5, 12, planes(IFD=1)) + image("first", 0.1, 16, planes(IFD=0))
    write_part(tmp_path / "a.ome.tif", "u:a", body, FIRST, SECOND)
    second, first = read(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(first.pixels, FIRST)
    np.testing.assert_array_equal(second.pixels, SECOND)
    assert (first.spacing_um, second.spacing_um) == ((0.1, 0.1), (0.5, 0.5))


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (image("a", 0.1, 12, planes("b.ome.tif", "u:b", IFD=0)), r"other files \(b\.ome\.tif\)"),
        (image("a", 0.1, 12, planes(IFD=0)) + image("b", 0.5, 12, planes(IFD=0)), "differ"),
        (image("a", 0.1, 12, planes(IFD=0), y=18), "18 x 7 pixels, not 9 x 7"),
        (image("a", 0.1, 12, planes(IFD=0)).replace("<Image>", "<Image><"), "malformed"),
        ("", "describes no image"),
        ('<BinaryOnly MetadataFile="a.companion.ome"/>', r"in a\.companion\.ome \(No such file"),
    ],
)
def test_metadata_in_doubt_are_not_used_and_one_line_says_so(
    tmp_path: Path, body: str, note: str
) -> None:
    write_part(tmp_path / "a.ome.tif", "u:a", body, FIRST)
    with pytest.warns(CytopressWarning, match=f"{note}.* so its pixel size") as said:
        found = read(tmp_path / "a.ome.tif", select={"S": 0})[0]
    assert len(said) == 1
    assert (found.bits, found.spacing_um) == (16, None)
    np.testing.assert_array_equal(found.pixels, FIRST)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    data = planes("c0.ome.tif", "u:a", IFD=0, FirstC=0) + planes("c1.ome.tif", "u:b", FirstC=1,
                                                                IFD=0)  # fmt: skip
    write_part(tmp_path / "c0.ome.tif", "u:a", image("c", 0.1, 12, data, channels=2), FIRST)
    with pytest.raises(ImageError, match=r"lacks the data of a plane .* put c1\.ome\.tif beside"):
        read(tmp_path / "c0.ome.tif")
    np.testing.assert_array_equal(read_one(tmp_path / "c0.ome.tif", select={"C": 0}).pixels, FIRST)


def test_a_part_of_another_set_is_refused(tmp_path: Path) -> None:
    def write(folder: Path, one: str, two: str) -> None:
        data = planes("c0.ome.tif", one, IFD=0) + planes("c1.ome.tif", two, IFD=0, FirstC=1)
        body = image("c", 0.1, 12, data, channels=2)
        write_part(folder / "c0.ome.tif", one, body, FIRST)
        write_part(folder / "c1.ome.tif", two, body, SECOND)

    write(tmp_path / "a", "u:a", "u:b")
    write(tmp_path / "b", "u:c", "u:d")
    assert len(read(tmp_path / "a" / "c0.ome.tif")) == 2
    shutil.copy(tmp_path / "b" / "c1.ome.tif", tmp_path / "a" / "c1.ome.tif")
    with pytest.raises(ImageError, match=r"c1\.ome\.tif .* is of another set \(u:d\)"):
        read(tmp_path / "a" / "c0.ome.tif")


def test_a_companion_file_describes_its_parts(tmp_path: Path) -> None:
    data = planes("c0.ome.tif", "u:a", IFD=0) + planes("c1.ome.tif", "u:b", IFD=0, FirstC=1)
    companion = tmp_path / "set.companion.ome"
    body = image("c", 0.1, 12, data, channels=2)
    companion.write_text(f'<OME xmlns="{XMLNS}" UUID="u:x">{body}</OME>')
    with pytest.raises(UsageError, match=r"lists c0\.ome\.tif, c1\.ome\.tif, but none"):
        read(companion)
    reference = '<BinaryOnly MetadataFile="set.companion.ome" UUID="u:x"/>'
    write_part(tmp_path / "c0.ome.tif", "u:a", reference, FIRST)
    write_part(tmp_path / "c1.ome.tif", "u:b", reference, SECOND)
    for path in (companion, tmp_path / "c0.ome.tif", tmp_path / "c1.ome.tif"):
        found = read(path)
        assert [one.name for one in found] == ["C=c", "C=c1"]
        assert {one.spacing_um for one in found} == {(0.1, 0.1)}
        np.testing.assert_array_equal([one.pixels for one in found], [FIRST, SECOND])


@pytest.mark.parametrize("tail", ["\x01", "\0\0", "\n \n", "garbage"])
def test_what_follows_the_xml_does_no_harm(tmp_path: Path, tail: str) -> None:
    xml = f'<OME xmlns="{XMLNS}">{image("a", 0.1, 12, planes(IFD=0))}</OME>{tail}'
    tifffile.imwrite(tmp_path / "a.ome.tif", FIRST, metadata=None, description=xml.encode())
    assert facts(tmp_path / "a.ome.tif") == ("a", 12, (0.1, 0.1))


def test_control_characters_in_a_name_are_left_out_and_said(tmp_path: Path) -> None:
    write_part(tmp_path / "a.ome.tif", "u:a", image("D\x01API", 0.1, 12, planes(IFD=0)), FIRST)
    with pytest.warns(CytopressWarning, match="characters that XML forbids"):
        assert facts(tmp_path / "a.ome.tif") == ("DAPI", 12, (0.1, 0.1))


def test_positions_of_micro_manager_are_scenes_with_their_metadata(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 4096, (2, 2, 9, 7), dtype=np.uint16)
    body = "".join(
        image(name, size, 12, planes(IFD=first, PlaneCount=2), channels=2)
        for name, size, first in (("b", 0.5, 2), ("a", 0.25, 0))
    )
    write_stack(tmp_path / "a_MMStack.ome.tif", pixels, f'<OME xmlns="{XMLNS}">{body}</OME>')
    found = read(tmp_path / "a_MMStack.ome.tif")
    np.testing.assert_array_equal([one.pixels for one in found], pixels.reshape(4, 9, 7))
    assert [(one.name, one.spacing_um) for one in found] == [
        ("C=a,S=0", (0.25, 0.25)), ("C=a1,S=0", (0.25, 0.25)),
        ("C=b,S=1", (0.5, 0.5)), ("C=b1,S=1", (0.5, 0.5)),
    ]  # fmt: skip
    chosen = read_one(tmp_path / "a_MMStack.ome.tif", select={"S": 1, "C": "b1"})
    np.testing.assert_array_equal(chosen.pixels, pixels[1, 1])


def test_malformed_metadata_of_a_stack_are_named_where_its_axes_are_asked_for(
    tmp_path: Path,
) -> None:
    body = image("a & b", 0.1, 12, planes(IFD=0), channels=2)
    write_part(tmp_path / "a.ome.tif", "u:a", body, FIRST, SECOND)
    with pytest.raises(UsageError, match=r"what its axes are .*its OME-XML is malformed"):
        read(tmp_path / "a.ome.tif")
