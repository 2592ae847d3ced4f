"""``try`` writes a contact sheet, or says in a sentence why not."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

import cytopress
from cytopress.cli import main
from cytopress.image import Image
from cytopress.quick_look import look
from fakes.planted_fields import camera, fluorescence_light


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(look, "CODECS", ("htj2k", "jpegls"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        with pytest.raises(SystemExit) as leave:
            main(["try", *map(str, arguments)])
        out, err = capsys.readouterr()
        return int(leave.value.code or 0), out, err

    return call


@pytest.fixture
def cells(tmp_path):
    path = tmp_path / "cells.ome.tif"
    cytopress.write(path, [camera(fluorescence_light(side=96))])
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_page_and_a_picture_are_written_and_the_advice_is_printed(run, cells, tmp_path):
    code, out, err = run(cells)
    assert (code, err) == (0, "")
    assert names(tmp_path / "quick-look") == ["contact-sheet.html", "contact-sheet.png"]
    assert "htj2k" in out
    assert "not for `psnr`" in out
    assert "Page: quick-look/contact-sheet.html" in out


def test_a_second_run_replaces_the_first(run, cells, tmp_path):
    for _ in range(2):
        assert run(cells, "--out", tmp_path / "sheet", "--task", "measurement")[0] == 0
    assert names(tmp_path / "sheet") == ["contact-sheet.html", "contact-sheet.png"]
    assert "measurement" in (tmp_path / "sheet" / "contact-sheet.html").read_text(encoding="utf-8")


def test_every_channel_gets_a_picture_of_its_own(run, tmp_path):
    path = tmp_path / "plate.ome.tif"
    one, other = (camera(fluorescence_light(n, side=96)).pixels for n in (5, 20))
    tifffile.imwrite(
        path,
        np.stack([one, other]),
        ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": ["DNA", "ER/RNA"]}},
    )
    code, out, _ = run(path)
    assert code == 0
    expected = ["contact-sheet-DNA.png", "contact-sheet-ER_RNA.png", "contact-sheet.html"]
    assert names(tmp_path / "quick-look") == expected
    assert "plate.ome.tif: DNA\n" in out
    assert run(path, "--select", "C=DNA", "--out", "one")[0] == 0
    assert names(tmp_path / "one") == ["contact-sheet.html", "contact-sheet.png"]


def test_of_a_stack_the_sheet_says_which_plane_is_shown(run, tmp_path):
    stack = np.stack([camera(fluorescence_light(side=64), seed).pixels for seed in range(3)])
    cytopress.write(tmp_path / "stack.ome.tif", [Image(stack)])
    assert run(tmp_path / "stack.ome.tif")[0] == 0
    page = (tmp_path / "quick-look" / "contact-sheet.html").read_text(encoding="utf-8")
    assert "Plane 1 of 0 to 2" in page


def test_what_cannot_be_looked_at_is_refused_in_a_sentence(run, cells, tmp_path):
    color = tmp_path / "slide.tif"
    random = np.random.default_rng(0)
    tifffile.imwrite(color, random.integers(0, 255, (40, 48, 3), np.uint8), photometric="rgb")
    tiny = tmp_path / "tiny.tif"
    cytopress.write(tiny, [Image(np.zeros((8, 9), np.uint8))])
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\0 no tiff")
    coded = tmp_path / "coded.cyto"
    coded.write_bytes(cytopress.encode(cytopress.read(cells)[0], "zstd"))
    for arguments, expected in (
        ((coded,), "is coded already"),
        ((color,), "color"),
        ((tiny,), "at least 32 x 32 pixels"),
        ((broken,), "broken.tif"),
        ((tmp_path / "nothing.tif",), "no such file or folder"),
        ((cells, "--out", cells), "is a file; name a folder"),
        ((cells, "--out", tmp_path / "no" / "folder"), "there is no folder"),
        ((cells, "--task", "measurment"), "Did you mean 'measurement'"),
        ((cells, "--task", "labelfree/phantom-3d"), "ZYX"),
    ):
        code, out, err = run(*arguments)
        assert code in (1, 2)
        assert out == ""
        assert expected in err
        assert err.count("\n") == 1
    assert not (tmp_path / "quick-look").exists()
