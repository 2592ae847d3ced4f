"""Coded bytes that claim too much, and decoding in a process with limits."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import cytopress
from cytopress.cli import main
from cytopress.codecs import isolated
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.container import container
from cytopress.codecs.container.container import Form
from cytopress.codecs.limits import check_size
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.errors import CorruptDataError, LimitError, PackageError
from cytopress.image import Image
from cytopress.machine import memory_bytes

IMAGE = Image(np.arange(6000, dtype=np.uint16).reshape(60, 100), spacing_um=(0.5, 0.5))
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs limits of memory")


def form(*shape: int) -> Form:
    return Form("YX", shape, np.dtype(np.uint16), 16)


@pytest.mark.parametrize(
    ("shape", "coded", "given", "refused"),
    [
        ((2**14, 2**13), 43, None, ""),  # 256 MiB, not more
        ((2**14, 2**13 + 1), 43, None, "10000 for each"),
        ((2**14, 2**13 + 1), 27000, None, ""),
        ((2**14, 2**13 + 1), 43, 2**29, ""),
        ((60, 100), 12000, 11999, "the limit is 11999"),
        ((60, 100), 12000, 12000, ""),
        ((2**20, 2**18), 2**35, None, "the limit is"),
    ],
)
def test_what_is_refused_before_anything_is_decoded(
    shape: tuple[int, int], coded: int, given: int | None, refused: str
) -> None:
    if not refused:
        check_size(form(*shape), coded, given, trusted=True)
        return
    with pytest.raises(LimitError, match=refused) as caught:
        check_size(form(*shape), coded, given, trusted=True)
    assert "--max-bytes" in str(caught.value)


def test_the_limit_is_half_of_the_memory_or_a_gibibyte() -> None:
    assert check_size(form(3, 4), 9, None, trusted=True) == memory_bytes() // 2
    assert check_size(form(3, 4), 9, None, trusted=False) == 2**30
    assert check_size(form(3, 4), 9, 77, trusted=False) == 77


def test_a_few_bytes_that_claim_a_huge_plane_take_no_memory() -> None:
    data = container.pack(Zstd().recipe(), form(40000, 40000), b"", {})
    with pytest.raises(LimitError, match="40000 x 40000"):
        decode(data)


@pytest.fixture
def coded(tmp_path: Path) -> Path:
    path = tmp_path / "a.cyto"
    path.write_bytes(cytopress.encode(IMAGE, "jpegls"))
    return path


@pytest.mark.parametrize("command", ["decode", "encode"])
def test_the_option_limits_every_command_that_decodes(
    coded: Path, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / ("b.cyto" if command == "encode" else "b.tif")
    more = ["--codec", "png"] if command == "encode" else []
    for limit, code in ((11999, 1), (12000, 0)):
        with pytest.raises(SystemExit) as leave:
            main([command, str(coded), "-o", str(out), "--max-bytes", str(limit), *more])
        assert int(leave.value.code or 0) == code
        assert out.exists() == (code == 0)
    assert capsys.readouterr().err.count("\n") == 1


@linux
@pytest.mark.parametrize("spec", ["jpegls", "sz3:tolerance=1", "learned/cytopress-2d:quality=0.3"])
def test_a_child_process_gives_the_same_image(spec: str) -> None:
    data = codec(spec).encode(IMAGE)
    assert cytopress.decode(data, trusted=False) == cytopress.decode(data)


@linux
def test_errors_of_the_child_keep_their_kind(tmp_path: Path) -> None:
    data = bytearray(container.pack(Zstd().recipe(), Form.of(IMAGE), b"nonsense", {}))
    with pytest.raises(CorruptDataError, match="zstd cannot decode") as caught:
        decode(bytes(data), trusted=False)
    assert not isinstance(caught.value, LimitError)
    unknown = replace(
        codec("learned/cytopress-2d:quality=0.5").adapter(0.5).recipe(),
        options={"model": b"12345678", "quality": 0.5},
    )
    with pytest.raises(PackageError):
        decode(container.pack(unknown, Form.of(IMAGE), b"", {}), trusted=False)


@linux
@pytest.mark.parametrize(
    ("work", "words"),
    [
        ("os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("bytearray(2**36)", "memory"),
        ("time.sleep(60)", "longer than 2 seconds"),
        ("sys.exit(3)", "exit code 3"),
        ("os.write(3, b'[' * 2**20)", "SIG|answer|exit code"),
        ("os._exit(0)", "without an answer"),
    ],
)
def test_a_crash_a_hang_and_a_flood_in_the_child_are_errors_here(
    work: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crafted.py").write_text(
        "import os, sys, time\n"
        "from cytopress.codecs.adapters.zstd import Zstd\n"
        f"def decompress(self, stream, form):\n    {work}\n"
        "Zstd.decompress = decompress\n"
    )
    child = isolated.CHILD.replace(
        "from cytopress.codecs.isolated_child",
        "import crafted; from cytopress.codecs.isolated_child",
    )
    monkeypatch.setattr(isolated, "CHILD", child)
    monkeypatch.setattr(isolated, "SECONDS", 2)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CorruptDataError, match=words):
        decode(Zstd().encode(IMAGE), trusted=False)


@linux
def test_the_command_decodes_without_trust(
    coded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leave:
        main(["decode", str(coded), "-o", str(tmp_path / "b.tif"), "--untrusted"])
    assert not leave.value.code
    np.testing.assert_array_equal(cytopress.read(tmp_path / "b.tif")[0].pixels, IMAGE.pixels)
