import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

import cytopress
from cytopress import errors
from cytopress.cli import main
from cytopress.cli.progress_lines import Lines
from cytopress.image import Image
from fakes.ome_files import CHANNELS, facts, six_channels, write_six_channels

pytestmark = pytest.mark.both_numpy

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leave:
            main(arguments)
        out, err = capsys.readouterr()
        return int(leave.value.code or 0), out, err

    return call


@pytest.fixture
def image_file(tmp_path: Path, micrograph: Image) -> Path:
    path = tmp_path / "cells.ome.tif"
    cytopress.write(path, [micrograph])
    return path


def test_encode_info_decode(run: Run, image_file: Path, tmp_path: Path, micrograph: Image) -> None:
    coded, back = tmp_path / "cells.cyto", tmp_path / "back.ome.tif"
    code, out, err = run(
        "encode", str(image_file), "-o", str(coded), "--codec", "jpegls:max_error=3"
    )
    assert (code, err) == (0, "")
    assert str(coded.stat().st_size) in out
    code, out, _ = run("info", str(coded), "--json")
    (facts,) = json.loads(out)
    assert code == 0
    assert facts["asked"] == 3
    assert facts["reached"] == 3
    assert facts["coded_bytes"] == coded.stat().st_size
    assert facts["bits"] == 12
    code, _, _ = run("decode", str(coded), "-o", str(back))
    (image,) = cytopress.read(back)
    assert code == 0
    assert image.spacing_um == micrograph.spacing_um
    assert np.abs(image.pixels.astype(int) - micrograph.pixels).max() == 3


@pytest.mark.parametrize(
    ("codec", "code", "words"),
    [
        ("nonsense", 2, "no codec named 'nonsense'"),
        ("jpegls:ratio=3,psnr=40", 2, "ratio"),
        ("jpegls:ratio=100000", 1, "ratio=100000"),
        ("jpegls:wrong=3", 2, "'wrong'"),
        ("jpegls:ratio=many", 2, "many"),
        ("jpegls:near=3,ratio=4", 2, "near"),
    ],
)
def test_a_wrong_wish_is_one_sentence_and_writes_nothing(
    run: Run, image_file: Path, tmp_path: Path, codec: str, code: int, words: str
) -> None:
    before = sorted(tmp_path.iterdir())
    left, out, err = run(
        "encode", str(image_file), "-o", str(tmp_path / "x.cyto"), "--codec", codec
    )
    assert (left, out) == (code, "")
    assert words in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_a_ratio_exceeded_by_far_is_told(run: Run, tmp_path: Path) -> None:
    # With so few gray levels, JPEG-LS leaps from about 3 (lossless) to about 7 (one count).
    noise = np.random.default_rng(0).normal(100, 1.2, (96, 128))
    cytopress.write(tmp_path / "dim.png", [Image(np.rint(noise).astype(np.uint8))])
    arguments = ("encode", str(tmp_path / "dim.png"), "-o", str(tmp_path / "x.cyto"), "--codec")
    code, _, err = run(*arguments, "jpegls:ratio=4")
    assert code == 0
    assert "note: jpegls:ratio=4" in err
    assert err.count("\n") == 1
    assert run(*arguments, "jpegls")[2] == ""


def test_a_missing_input_or_folder_is_said_before_any_work(
    run: Run, image_file: Path, tmp_path: Path
) -> None:
    code, _, err = run("encode", "absent.tif", "-o", str(tmp_path / "x.cyto"), "--codec", "jpegls")
    assert code == 2
    assert "absent.tif" in err
    output = str(tmp_path / "nowhere" / "x.cyto")
    code, _, err = run("encode", str(image_file), "-o", output, "--codec", "jpegls")
    assert code == 2
    assert "nowhere" in err


def test_the_file_that_is_read_is_never_written_over(
    run: Run, image_file: Path, tmp_path: Path
) -> None:
    before = image_file.read_bytes()
    same = str(tmp_path / "." / image_file.name)
    link = tmp_path / "link.cyto"
    link.symlink_to(image_file)
    for command in (
        ("encode", str(image_file), "-o", same, "--codec", "jpegls"),
        ("encode", str(image_file), "-o", str(link), "--codec", "jpegls"),
        ("decode", str(image_file), "-o", same),
        ("predict", str(image_file), "-o", same, "--task", "labelfree/ecoli-phase"),
    ):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert "is the input" in err
        assert err.count("\n") == 1
    assert image_file.read_bytes() == before


@pytest.mark.parametrize("option", [("--select", "Z=0"), ("--axes", "YX")])
def test_choices_that_a_coded_file_does_not_offer_are_refused(
    run: Run, tmp_path: Path, micrograph: Image, option: tuple[str, str]
) -> None:
    path = tmp_path / "a.cyto"
    path.write_bytes(cytopress.encode(micrograph, "jpegls"))
    output = tmp_path / "b.cyto"
    code, _, err = run("encode", str(path), "-o", str(output), "--codec", "png", *option)
    assert code == 2
    assert "do not apply" in err
    assert not output.exists()


def test_some_of_several_images_are_selected(run: Run, tmp_path: Path, micrograph: Image) -> None:
    path = tmp_path / "two.ome.tif"
    other = Image(micrograph.pixels[::-1], bits=12, spacing_um=micrograph.spacing_um, name="other")
    cytopress.write(path, [micrograph, other])
    arguments = ("encode", str(path), "-o", str(tmp_path / "x.cyto"), "--codec", "jpegls")
    for select in ("C=1", "C=other"):
        assert run(*arguments, "--select", select)[0] == 0
        decoded = cytopress.decode((tmp_path / "x.cyto").read_bytes())
        np.testing.assert_array_equal(decoded.pixels, other.pixels)
    assert run(*arguments, "--select", "C=7")[0] == 2
    assert run(*arguments, "--select", "C")[0] == 2


def test_every_image_of_a_file_goes_in_and_comes_out(run: Run, tmp_path: Path) -> None:
    source, coded, back = (tmp_path / name for name in ("a.ome.tif", "a.cyto", "b.ome.tif"))
    pixels = write_six_channels(source, 2)
    code, out, err = run(
        "encode", str(source), "-o", str(coded), "--codec", "jpegls:max_error=4", "--codec",
        "DNA=jpegls",
    )  # fmt: skip
    assert (code, err) == (0, "")
    first, dna, *others = out.splitlines()
    assert first.startswith(f"{coded}: 24 images, 23040 -> {coded.stat().st_size} bytes, ")
    assert dna.startswith("  DNA: ")
    assert dna.endswith("x smaller, jpegls")
    assert [line.split(":")[0].strip() for line in others] == list(CHANNELS[1:])
    code, out, _ = run("decode", str(coded), "-o", str(back))
    assert code == 0
    assert out.startswith(f"{back}: 24 images, the first: Image('C=DNA,T=0,S=0', YX 20 x 24 uint16")
    with tifffile.TiffFile(back) as file:
        error = [series.asarray().astype(int) for series in file.series] - pixels
        assert not facts(six_channels(2)) - facts(file.ome_metadata)
    assert np.abs(error).max(axis=(0, 1, 3, 4)).tolist() == [0, 4, 4, 4, 4, 4]


def test_info_tells_the_resolution(run: Run, image_file: Path, tmp_path: Path) -> None:
    for number, (spec, told) in enumerate(
        (("jpegls:near=2", None), ("jpegls:near=2,scale=4", "1/4 along y and x"))
    ):
        coded = tmp_path / f"{number}.cyto"
        run("encode", str(image_file), "-o", str(coded), "--codec", spec)
        (facts,) = json.loads(run("info", str(coded), "--json")[1])
        assert facts.get("resolution") == told


def test_info_of_several_images(run: Run, tmp_path: Path) -> None:
    source, coded = tmp_path / "a.ome.tif", tmp_path / "a.cyto"
    write_six_channels(source)
    run("encode", str(source), "-o", str(coded), "--codec", "jpegls")
    told = json.loads(run("info", str(coded), "--json")[1])
    assert [fact["name"] for fact in told[:2]] == ["C=DNA,T=0", "C=ER,T=0"]
    assert len(told) == 12
    assert sum(fact["coded_bytes"] for fact in told) < coded.stat().st_size
    shown = run("info", str(coded))[1]
    whole, first, *_ = shown.split("\n\n")
    assert "12: C=0 to 5 (DNA, ER, RNA, AGP, Mito, Brightfield), T=0 to 1" in whole
    assert str(coded.stat().st_size) in whole
    assert "name  C=DNA,T=0\n" in first
    text = run("info", str(coded), "--ome-xml")[1]
    assert not facts(six_channels()) - facts(text)
    assert run("info", str(source), "--ome-xml")[0] == 2


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_some_images_of_a_coded_file(run: Run, tmp_path: Path) -> None:
    source, coded, back = (tmp_path / name for name in ("a.ome.tif", "a.cyto", "b.png"))
    pixels = write_six_channels(source)
    run("encode", str(source), "-o", str(coded), "--codec", "jpegls")
    code, _, err = run("decode", str(coded), "-o", str(back))
    assert (code, err.count("\n")) == (2, 1)
    assert "takes one plane" in err
    code, _, err = run("decode", str(coded), "-o", str(back), "--select", "C=ER,T=1")
    assert (code, err.count("\n")) == (0, 1)
    assert "metadata are not in it" in err
    np.testing.assert_array_equal(cytopress.read(back)[0].pixels, pixels[0, 1, 1])
    # What codes a coded file again takes some of it, too.
    again = ("encode", str(coded), "-o", str(tmp_path / "c.cyto"), "--codec", "png")
    assert run(*again, "--select", "C=ER,T=1")[0] == 0
    data = (tmp_path / "c.cyto").read_bytes()
    np.testing.assert_array_equal(cytopress.decode(data).pixels, pixels[0, 1, 1])
    code, _, err = run(*again, "--axes", "TCYX")
    assert (code, err.count("\n")) == (2, 1)
    predicting = ("predict", str(coded), "-o", str(back), "--task", "labelfree/ecoli-phase")
    code, _, err = run(*predicting)
    assert (code, err.count("\n")) == (2, 1)
    assert "has 12: C=0 to 5 (DNA, ER, RNA, AGP, Mito, Brightfield), T=0 to 1; choose one" in err


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_a_recommendation_for_several_channels_is_noted(run: Run, tmp_path: Path) -> None:
    write_six_channels(tmp_path / "a.ome.tif")
    row = {"name": "nuclei", "task": "count", "metric": "change", "margin": 0.02, "bound": 0.01,
           "margin_from": "given", "confidence": 0.95, "spec": "jpegls:near=2"}  # fmt: skip
    (tmp_path / "recommendation.json").write_text(json.dumps([row]))
    words = ("encode", str(tmp_path / "a.ome.tif"), "-o", str(tmp_path / "a.cyto"))
    code, out, err = run(*words, "--recommended", str(tmp_path))
    assert (code, err.count("\n")) == (0, 1)
    assert "codes all 6 channels" in err
    assert out.count("jpegls:near=2") == 6
    assert run(*words, "--recommended", str(tmp_path), "--select", "C=DNA")[::2] == (0, "")


def test_decode_replaces_a_file_only_where_that_is_asked(
    run: Run, tmp_path: Path, micrograph: Image
) -> None:
    coded, back = tmp_path / "a.cyto", tmp_path / "b.tif"
    coded.write_bytes(cytopress.encode(micrograph, "jpegls"))
    back.write_text("dear")
    code, out, err = run("decode", str(coded), "-o", str(back))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--overwrite" in err
    assert back.read_text() == "dear"
    assert run("decode", str(coded), "-o", str(back), "--overwrite")[0] == 0
    assert cytopress.read(back) == [micrograph]


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-9], lambda data: data[:40] + b"\0" + data[41:], lambda data: b"PK" + data],
)
def test_a_damaged_file_is_refused(
    run: Run, tmp_path: Path, micrograph: Image, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "bad.cyto"
    path.write_bytes(damage(cytopress.encode(micrograph, "jpegls")))
    code, out, err = run("decode", str(path), "-o", str(tmp_path / "x.tif"))
    assert (code, out) == (1, "")
    assert str(path) in err
    assert err.count("\n") == 1
    assert not (tmp_path / "x.tif").exists()
    assert run("info", str(path))[0] == 1


def test_a_traceback_only_where_it_is_asked_for(image_file: Path) -> None:
    with pytest.raises(errors.UsageError):
        main(["encode", str(image_file), "-o", "x.cyto", "--codec", "nonsense", "--debug"])


def test_a_stack_moves_the_bar_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[float] = []
    monkeypatch.setattr(Lines, "update", lambda self, task, completed, **_: moved.append(completed))
    stack, coded = tmp_path / "stack.tif", tmp_path / "stack.cyto"
    cytopress.write(
        stack, [Image(np.random.default_rng(0).integers(0, 99, (4, 9, 8), dtype=np.uint16))]
    )
    for words in (
        ["encode", str(stack), "-o", str(coded), "--codec", "jpegls"],
        ["decode", str(coded), "-o", str(tmp_path / "back.tif")],
    ):
        moved.clear()
        with pytest.raises(SystemExit) as leave:
            main(words)
        assert not leave.value.code
        assert moved == sorted(moved)
        assert moved[-1] == pytest.approx(1)


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_metadata_that_cannot_be_used_are_one_note(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    pixels = np.random.default_rng(0).integers(0, 4096, (3, 16, 24), dtype=np.uint16)
    facts = {"PhysicalSizeX": 1, "PhysicalSizeXUnit": "furlong", "SignificantBits": 8}
    names = {"Channel": {"Name": ["405", "488", "561"]}}
    tifffile.imwrite(path, pixels, metadata={"axes": "CYX", **facts, **names})
    output = ("-o", str(tmp_path / "a.cyto"), "--codec", "jpegls")
    code, out, err = run("encode", str(path), "--select", "C=488", *output)
    assert (code, len(out.splitlines())) == (0, 1)
    size, bits = sorted(err.splitlines())
    assert size.startswith(f"cytopress: note: {path}: the metadata say 8 significant bits")
    assert bits == f"cytopress: note: {path}: the unit of X, 'furlong', is no known unit of length."
    code, out, err = run("encode", str(path), *output)
    assert (code, err.count("\n")) == (0, 2)
    assert err.count("(C=405 and 2 more).") == 2
    assert [line.split(":")[0].strip() for line in out.splitlines()[1:]] == ["405", "488", "561"]


def test_metadata_are_told_apart_where_they_matter(run: Run, tmp_path: Path) -> None:
    """The ratio that was asked for is that of the pixels; a small file holds as much metadata."""
    source, coded = tmp_path / "a.ome.tif", tmp_path / "a.cyto"
    cytopress.write(source, [Image(noisy((160, 160)), name="DNA")])
    code, out, _ = run("encode", str(source), "-o", str(coded), "--codec", "htj2k:ratio=40")
    assert code == 0
    found = re.search(r"(\d+)x smaller \(pixels (\d+) bytes, (\d+)x; metadata (\d+) bytes\)", out)
    assert found is not None, out
    whole, pixels, ratio, metadata = (int(one) for one in found.groups())
    assert pixels + metadata == coded.stat().st_size
    assert whole == round(51200 / coded.stat().st_size) < 40 <= ratio == round(51200 / pixels)
    code, out, _ = run("info", str(coded), "--json")
    (facts,) = json.loads(out)
    assert (facts["coded_bytes"], facts["metadata_bytes"]) == (pixels + metadata, metadata)
    assert facts["pixel_ratio"] >= 40 > facts["ratio"]
    # Without a name there is nothing but the image.
    cytopress.write(tmp_path / "b.png", [Image(noisy((160, 160)))])
    code, out, _ = run(
        "encode", str(tmp_path / "b.png"), "-o", str(coded), "--codec", "htj2k:ratio=40"
    )
    assert (code, "; metadata " in out) == (0, False)


def noisy(shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).poisson(300, shape).astype(np.uint16)


def test_a_channel_with_a_spec_is_refused_where_it_chooses_a_channel(
    run: Run, tmp_path: Path, image_file: Path
) -> None:
    code, _, err = run(
        "encode", str(image_file), "-o", str(tmp_path / "a.cyto"), "--channel", "DNA=jpegls"
    )
    assert (code, err.count("\n")) == (2, 1)
    assert "a codec for one channel is --codec DNA=jpegls" in err
    code, _, err = run(
        "archive", "plan", str(image_file), str(tmp_path / "out"), "--codec", "DNA=jpegls"
    )
    assert (code, err.count("\n")) == (2, 1)
    assert "a codec for one channel is --channel DNA=jpegls" in err


PROCESSES = (
    "demo",
    "study run",
    "encode",
    "decode",
    "archive run",
    "archive create",
    "archive verify",
    "archive export",
)


@pytest.mark.parametrize("command", PROCESSES)
def test_jobs_and_workers_are_one_option(run: Run, command: str) -> None:
    # Below the least that is allowed, so both are known and neither is run.
    for name in ("--jobs", "--workers"):
        for given in ((name, "0"), (f"{name}=0",)):
            code, _, err = run(*command.split(), "x", "y", *given)
            assert code == 2
            assert "No such option" not in err
            assert re.search(r"greater than or equal to 1|not in the range", err)
    code, out, _ = run(*command.split(), "--help")
    assert (code, ("--jobs " in out) + ("--workers " in out)) == (0, 1)


def test_info_tells_what_structured_noise_was_found(run: Run, tmp_path: Path) -> None:
    y, x = np.mgrid[:128, :160]
    wave = 3 * np.cos(2 * np.pi * (0.221 * x + 0.31 * y + 1.5 * (y / 128) ** 2))
    plane = np.rint(100 + wave + np.random.default_rng(0).normal(0, 1.5, wave.shape))
    image = Image(plane.astype(np.uint8))
    for spec, told in (("avif:quality=40,lines=1", True), ("avif:quality=40", False)):
        (tmp_path / "a.cyto").write_bytes(cytopress.encode(image, spec))
        out = run("info", str(tmp_path / "a.cyto"))[1]
        assert ("pickup at 0.22" in out) == told
        assert ("cycles/px along x, 2" in out) == told
