from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.errors import UsageError
from cytopress.formats.images import read
from cytopress.formats.selection import Selection, parse_selection


def test_selection_is_parsed() -> None:
    assert parse_selection("C=1,T=0") == {"C": "1", "T": "0"}
    assert parse_selection("C=DAPI 405") == {"C": "DAPI 405"}


@pytest.mark.parametrize("text", ["", "C", "C=", "=1", "C=1,", "C=1,C=2"])
def test_malformed_selection(text: str) -> None:
    with pytest.raises(UsageError, match="--select"):
        parse_selection(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pixels = np.arange(6 * 4 * 20, dtype=np.uint16).reshape(6, 4, 4, 5)
    names = {"Name": ["DNA", "CD4+", "CD4+CD8", "5:0"]}
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata={"axes": "TCYX", "Channel": names})
    return tmp_path / "a.ome.tif"


@pytest.mark.parametrize(
    ("select", "names"),
    [
        ({"C": "DNA+5:0", "T": 2}, ["C=DNA,T=2", "C=5:0,T=2"]),
        # A name with the sign is that name first.
        ({"C": "CD4+CD8", "T": 0}, ["C=CD4+CD8,T=0"]),
        ({"C": "CD4+", "T": 0}, ["C=CD4+,T=0"]),
        ({"C": "5:0", "T": 0}, ["C=5:0,T=0"]),
        ({"C": ["CD4+CD8", "DNA", 0], "T": 5}, ["C=DNA,T=5", "C=CD4+CD8,T=5"]),
        ({"C": 1, "T": "4:"}, ["C=CD4+,T=4", "C=CD4+,T=5"]),
        ({"C": 1, "T": ":2"}, ["C=CD4+,T=0", "C=CD4+,T=1"]),
        ({"C": 1, "T": range(0, 6, 3)}, ["C=CD4+,T=0", "C=CD4+,T=3"]),
        ({"C": "1:3", "T": "1+1"}, ["C=CD4+,T=1", "C=CD4+CD8,T=1"]),
    ],
)
def test_some_along_an_axis(file: Path, select: Selection, names: list[str]) -> None:
    assert [image.name for image in read(file, select=select)] == names


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ({"T": "6:9"}, "names nothing along T"),
        ({"T": []}, "names nothing along T"),
        ({"T": "0+9"}, "there is no T=9"),
        ({"C": "DNA+"}, "there is no C="),
        ({"C": "DNA+GFP"}, "there is no C=GFP; the file has C=0 to 3"),
        ({"T": "0:2:1"}, "there is no T=0:2:1"),
    ],
)
def test_some_that_are_not_there(file: Path, select: Selection, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(file, select=select)


def test_planes_are_taken_one_by_one(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 4, 5), np.uint8), imagej=True,
                     metadata={"axes": "ZYX"})  # fmt: skip
    with pytest.raises(UsageError, match="one plane along Z"):
        read(tmp_path / "a.tif", select={"Z": "0:2"})
    assert len(read(tmp_path / "a.tif", select={"Z": "1:2"})) == 1
