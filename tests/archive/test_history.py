"""History of loss: what sources bear already."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cytopress import encode
from cytopress.archive.history import earlier_loss
from cytopress.files import decode_file
from cytopress.image import Image

PIXELS = (np.arange(64 * 64).reshape(64, 64) % 251).astype(np.uint8)


def methods(path: Path) -> list[tuple[str, bool | None]]:
    return [(one["method"], one["lossy"]) for one in earlier_loss(path)]


def test_lossy_compression_of_tiff_in_lower_series_and_resolutions(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(PIXELS, compression="zlib")
    assert methods(path) == []
    with tifffile.TiffWriter(path) as file:
        file.write(PIXELS, compression="zlib")
        file.write(PIXELS[:48, :48], compression="jpeg")
    assert methods(path) == [("JPEG in TIFF", True)]


def test_a_pyramid_of_lossless_pixels_with_lossy_views_is_lossless(tmp_path: Path) -> None:
    """Lower resolutions are not archived; the full one is in the first page, not in sub-IFDs."""
    path = tmp_path / "pyramid.ome.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(PIXELS, compression="zlib", subifds=1)
        file.write(PIXELS[::2, ::2], compression="jpeg", subfiletype=1)
    assert methods(path) == []


def czi(*compressions: int) -> bytes:
    """Return a CZI file without pixels: its header, and a directory of subblocks."""
    header = bytearray(512 + 32)
    header[:10] = b"ZISRAWFILE"
    header[32 + 36 : 32 + 44] = struct.pack("<q", len(header))
    directory = bytearray(32 + 128)
    directory[:15] = b"ZISRAWDIRECTORY"
    directory[32:36] = struct.pack("<i", len(compressions))
    entries = b"".join(
        struct.pack("<2siqiiB5si", b"DV", 0, 999, 0, one, 0, bytes(5), 2)
        + b"".join(struct.pack("<4siifi", axis, 0, 64, 0.0, 64) for axis in (b"X", b"Y"))
        for one in compressions
    )
    return bytes(header) + bytes(directory) + entries


@pytest.mark.parametrize(
    ("compressions", "found"),
    [
        ((0, 0), []),
        ((5, 6), []),
        ((6, 4, 4), [("JPEG XR in CZI", None)]),
        ((1,), [("JPEG in CZI", True)]),
    ],
)
def test_compressions_of_czi(tmp_path: Path, compressions: tuple[int, ...], found: list) -> None:
    path = tmp_path / "a.czi"
    path.write_bytes(czi(*compressions))
    assert methods(path) == found


def test_what_cannot_be_read_has_no_history(tmp_path: Path) -> None:
    for name in ("a.czi", "a.tif", "a.nd2"):
        (tmp_path / name).write_bytes(b"nothing")
        assert methods(tmp_path / name) == []
    cut = tmp_path / "cut.czi"
    cut.write_bytes(czi(4)[:-80])
    assert methods(cut) == []


def test_lossy_codecs_of_zarr(tmp_path: Path) -> None:
    numcodecs = pytest.importorskip("numcodecs")
    group = zarr.open_group(str(tmp_path / "v2.zarr"), mode="w", zarr_format=2)
    group.create_array("0", data=PIXELS.astype("f4"), filters=[numcodecs.BitRound(keepbits=5)])
    assert methods(tmp_path / "v2.zarr") == [("bitround in zarr", True)]
    group = zarr.open_group(str(tmp_path / "v3.zarr"), mode="w")
    group.create_array("0", data=PIXELS, chunks=(32, 32), shards=(64, 64))
    assert methods(tmp_path / "v3.zarr") == []


def test_an_earlier_certificate_is_taken_as_it_is(tmp_path: Path) -> None:
    past = [{"software": "cytopress 0.2", "lossy": True, "channels": []}]
    zarr.create_group(str(tmp_path / "a.zarr"), attributes={"cytopress": {"history": past}})
    assert earlier_loss(tmp_path / "a.zarr") == past


def test_what_was_decoded_bears_the_loss_of_its_codec(tmp_path: Path) -> None:
    image = Image(np.random.default_rng(0).integers(0, 900, (40, 50)).astype(np.uint16))
    for spec, methods in (("jpegls:near=3", ["cytopress: JpegLS(near=3)"]), ("jpegls", [])):
        (tmp_path / "a.cyto").write_bytes(encode(image, spec))
        decode_file(tmp_path / "a.cyto", tmp_path / "a.ome.tif", overwrite=True)
        found = earlier_loss(tmp_path / "a.ome.tif")
        assert [(one["method"], one["lossy"]) for one in found] == [(m, True) for m in methods]
