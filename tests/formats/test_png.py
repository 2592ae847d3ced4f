import zlib
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from cytopress.errors import ImageError
from cytopress.formats.images import read, read_one


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_color_and_alpha_are_refused(tmp_path: Path, channels: int) -> None:
    imageio.imwrite(tmp_path / "a.png", np.zeros((5, 6, channels), np.uint8))
    with pytest.raises(ImageError, match="must be grey with 8 or 16 bits, not"):
        read(tmp_path / "a.png")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def _png(depth: int, color: int, rows: bytes) -> bytes:
    header = (2).to_bytes(4) + (2).to_bytes(4) + bytes([depth, color, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


def test_sixteen_bits_written_by_hand_read_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_png(16, 0, b"\0\x00\x01\x01\x00\0\xff\xff\x12\x34"))
    image = read_one(tmp_path / "a.png")
    assert image.dtype == np.uint16
    assert image.pixels.tolist() == [[1, 256], [65535, 0x1234]]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_are_refused_rather_than_stretched(tmp_path: Path, depth: int) -> None:
    (tmp_path / "a.png").write_bytes(_png(depth, 0, b"\0\x80\0\x40"))
    with pytest.raises(ImageError, match=f"not grey with {depth}"):
        read(tmp_path / "a.png")


def test_a_file_cut_short_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    imageio.imwrite(path, np.random.default_rng(0).integers(0, 65535, (20, 20), dtype=np.uint16))
    data = path.read_bytes()
    for length in (0, 4, 20, 30, 60, len(data) // 2, len(data) - 30):
        path.write_bytes(data[:length])
        with pytest.raises(ImageError, match=r"a\.png"):
            read(path)
