"""The table of metadata in the docs: each field is kept, or not there, as its row says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tifffile

from cytopress.errors import CytopressWarning
from cytopress.files import channel_codecs, decode_file, encode_file
from fakes.microscopes import Microscope, use, write_hyperstack
from fakes.ome_files import facts, six_channels, write_six_channels

PAGE = Path(__file__).parents[2] / "docs" / "files.md"
SOURCES = ("OME-TIFF", "ND2 and other formats of bioio", "ImageJ hyperstack")


def rows() -> list[list[str]]:
    """Return the rows of the table, the first its head."""
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("| field |") :].partition("\n\n")[0]
    lines = [line for line in table.splitlines() if not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(text: str) -> set[str]:
    """Return what a document says something of: elements with their attributes, or keys."""
    found = set()
    for place, key, _ in facts(text):
        element = place.rpartition(">")[2]
        tag, known = element.split(" ", 1)
        found.add(
            tag if key == "text" and tag != "M" else f"M {known}" if tag == "M" else f"{tag} {key}"
        )
    return found


def through(source: Path) -> str:
    """Return the OME-XML of a file after encoding and decoding."""
    coded, back = source.with_name("x.cyto"), source.with_name("back.ome.tif")
    encode_file(source, coded, channel_codecs(["jpegls"]))
    decode_file(coded, back)
    with tifffile.TiffFile(back) as file:
        return file.ome_metadata


@pytest.fixture(params=range(len(SOURCES)), ids=SOURCES)
def source(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    """Return the number of each source, and the OME-XML that comes out of it."""
    column = request.param
    if column == 0:
        write_six_channels(tmp_path / "a.ome.tif")
        text = through(tmp_path / "a.ome.tif")
    elif column == 1:
        text = through(use(monkeypatch, Microscope, tmp_path))
        assert not facts(six_channels(2)) - facts(text)
    else:
        write_hyperstack(tmp_path / "a.tif", Overlays=[b"Iout" + bytes(60)])
        with pytest.warns(CytopressWarning, match="not carried over: ImageJ's overlays"):
            text = through(tmp_path / "a.tif")
    return column, text


def test_the_table_tells_what_is_kept(source: tuple[int, str]) -> None:
    column, text = source
    head, *fields = rows()
    assert tuple(head[2:]) == SOURCES
    assert len(fields) > 15
    found = names(text)
    for field, elements, *cells in fields:
        kept = cells[column].startswith("kept")
        assert kept or cells[column] in ("no such field", "left out, and said"), field
        for element in re.findall("`([^`]+)`", elements):
            assert (element in found) == kept, f"{field}: {element}"
