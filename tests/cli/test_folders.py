"""``encode`` and ``decode`` of a folder: the table, the exit code, what is said of bad files."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import cytopress
from cytopress.cli import main, progress_bars, progress_lines
from cytopress.files import open_cyto
from cytopress.image import Image

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leave:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(leave.value.code or 0), out, err

    return call


@pytest.fixture
def plate(tmp_path: Path, micrograph: Image) -> Path:
    """A folder of three fields of two stains, in two folders, with a file that is no image."""
    folder = tmp_path / "my plate"
    for well in ("B02", "B03"):
        (folder / well).mkdir(parents=True)
        for stain in ("DNA", "ER"):
            image = micrograph.with_pixels(micrograph.pixels[:: 1 if well == "B02" else -1])
            cytopress.write(folder / well / f"f1_{stain}.tif", [image])
    (folder / "layout.csv").write_text("well\n", encoding="utf-8")
    return folder


def test_a_folder_goes_in_and_comes_out(run: Run, plate: Path, tmp_path: Path) -> None:
    (plate / "B03" / "f1_ER.tif").write_bytes(b"II*\0 cut short")
    out, back = tmp_path / "coded", tmp_path / "back"
    code, text, err = run("encode", plate, "-o", out, "--codec", "jpegls:max_error=2", "--jobs", 2)
    assert code == 1
    lines = text.splitlines()
    assert lines[0].split() == ["file", "bytes", "coded", "ratio", "metadata", "pixels", "codec"]
    names = ["B02/f1_DNA.tif", "B02/f1_ER.tif", "B03/f1_DNA.tif", "B03/f1_ER.tif"]
    assert [line.split()[0] for line in lines[1:5]] == names
    size = (out / "B02" / "f1_ER.cyto").stat().st_size
    name, raw, coded, ratio, metadata, pixels, codec = lines[2].split()
    assert (name, raw, coded) == ("B02/f1_ER.tif", "24576", str(size))
    assert (ratio, codec) == (f"{24576 / size:.2f}", "jpegls:max_error=2")
    assert pixels == f"{24576 / (size - int(metadata)):.2f}" != ratio
    assert re.search(r"failed +the file is damaged or cut short", lines[4])
    assert lines[5].startswith(f"{out}: 3 of 4 files, 73.7 kB in ")
    assert "1 other file was left out: 1 .csv." in err
    assert "cytopress: 1 of 4 files failed, such as B03/f1_ER.tif: the file is damaged" in err
    good = cytopress.read(plate / "B03" / "f1_DNA.tif")
    cytopress.write(plate / "B03" / "f1_ER.tif", good)
    code, text, err = run("encode", plate, "-o", out, "--codec", "jpegls:max_error=2", "--jobs", 1)
    assert (code, "4 of 4 files" in text, "3 of them done before" in text) == (0, True, True)
    code, text, err = run("decode", out, "-o", back, "--jobs", 1)
    assert code == 0
    assert "JpegLS(near=2)" in text
    for name in names:
        (image,) = cytopress.read(back / name.replace(".tif", ".ome.tif"))
        (original,) = cytopress.read(plate / name)
        assert image.spacing_um == original.spacing_um
        assert np.abs(image.pixels.astype(int) - original.pixels).max() == 2


def test_files_of_one_stain_get_their_codec(run: Run, plate: Path, tmp_path: Path) -> None:
    out = tmp_path / "coded"
    code, text, _ = run(
        "encode", plate, "-o", out, "--codec", "*_DNA.tif=round-zstd:step=9", "--codec", "zstd",
        "--jobs", 1,
    )  # fmt: skip
    assert code == 0
    coded = {line.split()[0]: line.split()[-1] for line in text.splitlines()[1:5]}
    assert {coded[name] for name in coded if "DNA" in name} == {"round-zstd:step=9"}
    assert {coded[name] for name in coded if "ER" in name} == {"zstd"}
    other = tmp_path / "other"
    code, _, err = run("encode", plate, "-o", other, "--codec", "*_DNA.tif=zstd", "--jobs", 1)
    assert code == 1
    assert "2 of 4 files failed" in err
    assert "no --codec is for this name (there are *_DNA.tif)" in err
    code, _, err = run("encode", plate, "-o", other, "--codec", "*_DNA.tif=nothing")
    assert (code, "no codec named 'nothing'" in err) == (2, True)


def test_a_folder_of_tiffs_for_other_programs(run: Run, plate: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiffs"
    code, text, _ = run(
        "encode",
        plate,
        "-o",
        out,
        "--readers",
        "everyone",
        "--codec",
        "round-deflate:step=8",
        "--jobs",
        1,
    )
    assert code == 0, text
    with tifffile.TiffFile(out / "B02" / "f1_ER.ome.tif") as file:
        assert file.pages.first.compression == 8
        (original,) = cytopress.read(plate / "B02" / "f1_ER.tif")
        error = np.abs(file.asarray().astype(int) - original.pixels)
        assert error.max() == 4


def test_one_file_to_a_tiff_says_what_was_read_back(run: Run, plate: Path, tmp_path: Path) -> None:
    source, out = plate / "B02" / "f1_ER.tif", tmp_path / "a.ome.tif"
    code, text, _ = run("encode", source, "-o", out, "--codec", "round-zstd:max_error=3")
    assert code == 0
    assert "read back with tifffile: pixels are off by up to 3 counts, root-mean-square" in text
    assert "max_error=3 asked, 3" in text
    code, text, _ = run("encode", source, "-o", out, "--codec", "deflate")
    assert "read back with tifffile: every pixel is exact" in text
    code, _, err = run("encode", source, "-o", out, "--codec", "jpegxl:ratio=3")
    assert (code, "give --readers tifffile" in err) == (2, True)
    for name in ("a.cyto", "a.png"):
        code, _, err = run(
            "encode", source, "-o", tmp_path / name, "--codec", "zstd", "--readers", "everyone"
        )
        assert (code, "name the output FILE.ome.tif" in err) == (2, True)


@pytest.mark.parametrize("command", ["encode", "decode"])
def test_wrong_folders_are_refused_in_a_sentence(
    run: Run, plate: Path, tmp_path: Path, command: str
) -> None:
    codec = ["--codec", "zstd"] if command == "encode" else []
    (tmp_path / "empty").mkdir()
    code, _, err = run(command, tmp_path / "empty", "-o", tmp_path / "out", *codec)
    assert (code, "holds no file that" in err) == (2, True)
    code, _, err = run(command, plate, "-o", plate, *codec)
    assert (code, "is the input" in err) == (2, True)
    (tmp_path / "file").touch()
    code, _, err = run(command, plate, "-o", tmp_path / "file", *codec)
    assert code in (1, 2)
    assert len(err.strip().splitlines()) == 1
    code, _, err = run(command, plate, "-o", "-", *codec)
    assert (code, "a folder" in err) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_notes_are_shown_once_with_the_number_of_files(
    run: Run, tmp_path: Path, micrograph: Image
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "ab":
        pixels = np.repeat(micrograph.pixels[..., None] >> 4, 3, axis=2).astype(np.uint8)
        tifffile.imwrite(folder / f"{name}.tif", pixels, photometric="rgb")
    code, _, err = run("encode", folder, "-o", tmp_path / "out", "--codec", "zstd", "--jobs", 1)
    assert code == 0
    assert err.count("stored as color") == 1
    assert "cytopress: note: 2 files, such as a.tif: stored as color" in err


def test_the_ledger_can_be_read_by_programs(run: Run, plate: Path, tmp_path: Path) -> None:
    run("encode", plate, "-o", tmp_path / "out", "--codec", "zstd", "--jobs", 1)
    lines = (tmp_path / "out" / "cytopress.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows[0] == {
        "command": "encode", "folder": str(plate.resolve()), "options": {"--codec": "zstd"},
    }  # fmt: skip
    assert sum("coded_bytes" in row for row in rows) == 4


def test_without_a_terminal_a_line_says_how_far_a_folder_is(
    run: Run, plate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class EveryUpdate(progress_lines.Lines):
        """Write a line at each update, so that none depends on how fast the files are."""

        def update(self, *arguments: Any, **options: Any) -> None:
            super().update(*arguments, **options)
            print(self.line(), file=sys.stderr)

    monkeypatch.setattr(progress_bars, "Lines", EveryUpdate)
    code, _, err = run("encode", plate, "-o", tmp_path / "out", "--codec", "zstd", "--jobs", 1)
    assert code == 0
    lines = [line for line in err.splitlines() if line.startswith("cytopress: Encoding my plate")]
    assert "0 of 4 files, 0 bytes of " in lines[0]
    assert re.search(r"4 of 4 files, \S+ kB of \S+ kB, \S+x smaller", lines[-1])


def several(folder: Path, *names: Sequence[str]) -> Path:
    """Write a file for each list of channels."""
    folder.mkdir()
    pixels = np.random.default_rng(0).poisson(200, (24, 32)).astype(np.uint16)
    for number, channels in enumerate(names):
        images = [Image(pixels + shift, name=name) for shift, name in enumerate(channels)]
        cytopress.write(folder / f"f{number}.ome.tif", images)
    return folder


@pytest.mark.parametrize("readers", [[], ["--readers", "everyone"]])
def test_a_channel_that_no_file_has_is_one_sentence_and_nothing_is_coded(
    run: Run, plate: Path, tmp_path: Path, readers: list[str]
) -> None:
    inside = several(tmp_path / "inside", ("DNA", "ER"), ("DNA", "Mito"))
    for folder, known in ((inside, "DNA, ER, Mito"), (plate, "DNA, ER")):
        codecs = ("--codec", "DANN=zstd", "--codec", "zstd")
        code, text, err = run("encode", folder, "-o", tmp_path / "out", *codecs, *readers)
        assert (code, text) == (2, "")
        assert err == (
            f"cytopress: There is no channel named 'DANN' in the files of {folder}."
            f" Known: {known}.\n"
        )
        assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_a_channel_that_some_files_lack_is_coded_where_it_is(run: Run, tmp_path: Path) -> None:
    folder = several(tmp_path / "in", ("DNA", "ER"), ("ER", "RNA"), ("RNA", "Mito"))
    codecs = ("--codec", "DNA=jpegls:max_error=3", "--codec", "zstd", "--jobs", 1)
    code, text, err = run("encode", folder, "-o", tmp_path / "out", *codecs)
    assert code == 0
    assert [line.split()[-1] for line in text.splitlines()[2:4]] == ["zstd", "zstd"]
    assert "jpegls:max_error=3, zstd" in text.splitlines()[1]
    assert "2 files, such as f1.ome.tif: has no channel DNA, which --codec names" in err


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_a_pattern_that_no_name_fits_is_noted(run: Run, plate: Path, tmp_path: Path) -> None:
    codecs = ("--codec", "*_DANN.tif=png", "--codec", "*_ER.tif=png", "--codec", "zstd")
    code, _, err = run("encode", plate, "-o", tmp_path / "out", *codecs)
    assert code == 0
    assert err.count("no file has such a name") == 1
    assert "--codec *_DANN.tif=..." in err


def test_what_fits_no_file_is_refused_before_any_is_coded(run: Run, tmp_path: Path) -> None:
    folder, out = several(tmp_path / "in", ("DNA", "ER"), ("ER", "RNA")), tmp_path / "out"
    for options, words in (
        (("--codec", "zstd", "--select", "C=Mito"), "there is no C=Mito; the file has C="),
        (("--codec", "zstd", "--select", "T=7"), "there is no T=7"),
        (("--codec", "DNA=zstd"), "channel ER has no codec"),
    ):
        code, text, err = run("encode", folder, "-o", out, *options)
        assert (code, text, err.count("\n")) == (2, "", 1)
        assert "what is asked fits no file of 2" in err
        assert words in err
        assert not out.exists()
    assert run("encode", folder, "-o", out, "--codec", "zstd")[0] == 0
    code, _, err = run("decode", out, "-o", tmp_path / "back", "--select", "C=Mito")
    assert (code, "there is no C=Mito" in err) == (2, True)
    assert not (tmp_path / "back").exists()
    # What fits one file is told of the others in the table.
    code, text, _ = run(
        "encode", folder, "-o", tmp_path / "dna", "--codec", "zstd", "--select", "C=DNA"
    )
    assert (code, text.count("there is no C=DNA")) == (1, 1)


def test_metadata_have_columns_where_they_matter(run: Run, tmp_path: Path) -> None:
    folder, out = several(tmp_path / "in", ("DNA",), ("ER",)), tmp_path / "out"
    code, text, _ = run("encode", folder, "-o", out, "--codec", "zstd", "--jobs", 1)
    assert code == 0
    head, first, second, last = text.splitlines()
    assert head.split() == ["file", "bytes", "coded", "ratio", "metadata", "pixels", "codec"]
    for line, name in ((first, "f0.cyto"), (second, "f1.cyto")):
        _, raw, coded, ratio, metadata, pixels, _ = line.split()
        with open_cyto(out / name) as file:
            (part,) = file.parts
        assert int(coded) == (out / name).stat().st_size == part.length + int(metadata)
        assert (ratio, pixels) == tuple(f"{int(raw) / n:.2f}" for n in (int(coded), part.length))
    assert re.search(r"of it metadata and the pixels \S+x smaller", last)
