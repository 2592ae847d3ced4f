import zlib
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import PIL.Image
import pytest

from cytopress.errors import CytopressWarning, ImageError
from cytopress.formats.images import read, read_one

GRAY = np.arange(30, dtype=np.uint8).reshape(5, 6)
OPAQUE = np.full_like(GRAY, 255)


@pytest.mark.parametrize(
    "samples", [[GRAY, OPAQUE - 1], [GRAY, GRAY, GRAY + 1], [GRAY, GRAY, GRAY, GRAY]]
)
def test_color_and_alpha_are_refused(tmp_path: Path, samples: list[Any]) -> None:
    imageio.imwrite(tmp_path / "a.png", np.stack(samples, -1))
    with pytest.raises(ImageError, match=r"a\.png: this is a color image"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("samples", [[GRAY, OPAQUE], [GRAY] * 3, [GRAY, GRAY, GRAY, OPAQUE]])
def test_gray_stored_as_color_is_read_as_one_plane_and_said(
    tmp_path: Path, samples: list[Any]
) -> None:
    imageio.imwrite(tmp_path / "a.png", np.stack(samples, -1))
    for axes in (None, "YX"):
        with pytest.warns(CytopressWarning, match="stored as color .* read as one gray image"):
            image = read_one(tmp_path / "a.png", axes=axes)
        np.testing.assert_array_equal(image.pixels, GRAY)


def test_gray_in_sixteen_bits_of_color_keeps_them(tmp_path: Path) -> None:
    rows = bytes.fromhex("00" + "0101" * 3 + "ffff" * 3 + "00" + "1234" * 6)
    (tmp_path / "a.png").write_bytes(_png(16, 2, rows))
    with pytest.warns(CytopressWarning, match="stored as color"):
        image = read_one(tmp_path / "a.png")
    assert image.dtype == np.uint16
    assert image.pixels.tolist() == [[0x0101, 0xFFFF], [0x1234, 0x1234]]


@pytest.mark.parametrize("see_through", [False, True])
def test_a_palette_of_gray_gives_the_grays_and_not_their_numbers(
    tmp_path: Path, see_through: bool
) -> None:
    picture = PIL.Image.fromarray(GRAY)
    picture = picture.convert("P")
    picture.putpalette([255 - n // 3 for n in range(3 * 256)])
    picture.save(tmp_path / "a.png", **({"transparency": 2} if see_through else {}))
    if see_through:
        with pytest.raises(ImageError, match="color image"):
            read_one(tmp_path / "a.png")
        return
    with pytest.warns(CytopressWarning, match="stored as color"):
        image = read_one(tmp_path / "a.png")
    np.testing.assert_array_equal(image.pixels, 255 - GRAY)


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
