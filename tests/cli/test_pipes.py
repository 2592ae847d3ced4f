import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import cytopress
from cytopress.cli import main
from cytopress.image import Image

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
COMMAND = [sys.executable, "-c", "from cytopress.cli import main; main()"]
IMAGE = Image(np.arange(4000, dtype=np.uint16).reshape(50, 80), bits=12)


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    cytopress.write(path, [IMAGE])
    return path


@pytest.fixture
def pipe(tmp_path: Path) -> Callable[[str], tuple[Path, list[bytes], threading.Thread]]:
    """Make a named pipe, and collect what is written into it."""

    def make(name: str) -> tuple[Path, list[bytes], threading.Thread]:
        path, came = tmp_path / name, []
        os.mkfifo(path)
        thread = threading.Thread(target=lambda: came.append(path.read_bytes()), daemon=True)
        thread.start()
        return path, came, thread

    return make


def cli(*arguments: object) -> int:
    with pytest.raises(SystemExit) as leave:
        main([str(argument) for argument in arguments])
    return int(leave.value.code or 0)


def test_a_named_pipe_is_written_through(png: Path, pipe: Callable) -> None:
    path, came, thread = pipe("out.fifo")
    assert cli("encode", png, "-o", path, "--codec", "png") == 0
    thread.join(10)
    assert path.is_fifo()
    np.testing.assert_array_equal(cytopress.decode(came[0]).pixels, IMAGE.pixels)


def test_an_image_goes_into_a_pipe_without_a_suffix(tmp_path: Path, pipe: Callable) -> None:
    coded = tmp_path / "a.cyto"
    coded.write_bytes(cytopress.encode(IMAGE, "png"))
    path, came, thread = pipe("image")
    assert cli("decode", coded, "-o", path) == 0
    thread.join(10)
    back = tmp_path / "back.tif"
    back.write_bytes(came[0])
    assert cytopress.read(back)[0].bits == 12


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_file_is_written(png: Path, tmp_path: Path, there: bool) -> None:
    (tmp_path / "sub").mkdir()
    target, link = tmp_path / "sub" / "target.cyto", tmp_path / "link.cyto"
    if there:
        target.write_bytes(b"before")
    link.symlink_to(Path("sub") / "target.cyto")
    assert cli("encode", png, "-o", link, "--codec", "png") == 0
    assert link.is_symlink()
    assert cytopress.decode(target.read_bytes()).shape == IMAGE.shape
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "link.cyto", "sub"]


def test_a_circle_of_links_is_an_error(
    png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.cyto").symlink_to("b.cyto")
    (tmp_path / "b.cyto").symlink_to("a.cyto")
    assert cli("encode", png, "-o", tmp_path / "a.cyto", "--codec", "png") != 0
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_is_read_from_a_pipe(png: Path, tmp_path: Path) -> None:
    path = tmp_path / "in.fifo"
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_bytes(png.read_bytes()), daemon=True).start()
    assert cli("encode", path, "-o", tmp_path / "b.cyto", "--codec", "png") == 0
    decoded = cytopress.decode((tmp_path / "b.cyto").read_bytes())
    np.testing.assert_array_equal(decoded.pixels, IMAGE.pixels)


def test_stdin_and_stdout_are_a_dash(png: Path, tmp_path: Path) -> None:
    encode = [*COMMAND, "encode", "-", "-o", "-", "--codec", "jpegls"]
    coded = subprocess.run(encode, input=png.read_bytes(), capture_output=True, check=True)
    np.testing.assert_array_equal(cytopress.decode(coded.stdout).pixels, IMAGE.pixels)
    assert b"x smaller" in coded.stderr
    # A redirected file is written where the shell has it open, and not truncated.
    back = tmp_path / "back.tif"
    with back.open("wb") as stream:
        decode = [*COMMAND, "decode", "-", "-o", "/proc/self/fd/1"]
        subprocess.run(decode, input=coded.stdout, stdout=stream, check=True, stderr=-1)
    np.testing.assert_array_equal(cytopress.read(back)[0].pixels, IMAGE.pixels)
    assert not Path("-").exists()


@pytest.mark.parametrize(("data", "words"), [(b"", "nothing came"), (b"BM12", "b'BM12'")])
def test_stdin_that_holds_no_known_format_is_one_sentence(data: bytes, words: str) -> None:
    left = subprocess.run([*COMMAND, "info", "-"], input=data, capture_output=True, check=False)
    assert left.returncode == 2
    assert left.stderr.decode().startswith("cytopress: standard input: ")
    assert words in left.stderr.decode()
    assert left.stderr.count(b"\n") == 1


def test_damage_in_stdin_names_stdin() -> None:
    data = cytopress.encode(IMAGE, "png")[:-1]
    left = subprocess.run([*COMMAND, "info", "-"], input=data, capture_output=True, check=False)
    assert left.stderr.decode().startswith("cytopress: standard input: ")


def test_a_closed_pipe_ends_quietly_as_in_other_commands(png: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [*COMMAND, "encode", str(png), "-o", "-", "--codec", "png"]
    left = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (left.returncode, left.stderr) == (1, b"")
