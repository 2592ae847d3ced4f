"""Decoding writes what went in, and how far it is from it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import tifffile

import cytopress
from cytopress.errors import CytopressError, CytopressWarning, UsageError
from cytopress.files import channel_codecs, decode_file, encode_file
from cytopress.image import Image

pytestmark = pytest.mark.both_numpy

GOLDEN = Path(__file__).parents[1] / "golden"


def coding_of(path: Path) -> dict[str, str]:
    """Return what the OME-XML of an OME-TIFF with one channel says of its coding."""
    with tifffile.TiffFile(path) as file:
        root = ET.fromstring(file.ome_metadata)
    (annotation,) = root.iterfind("{*}StructuredAnnotations/{*}MapAnnotation")
    (reference,) = root.iterfind("{*}Image/{*}Pixels/{*}Channel/{*}AnnotationRef")
    assert annotation.get("ID") == reference.get("ID")
    return {pair.get("K", ""): pair.text or "" for pair in annotation.iterfind("{*}Value/{*}M")}


@pytest.mark.parametrize(
    ("spec", "measure"),
    [
        ("jpegls:psnr=45,range=3000", "psnr"),
        ("jpegls:sigma=0.5,a=2,b=20,offset=100", "sigma"),
        ("jpegls:max_error=7", "max_error"),
    ],
)
def test_the_file_says_how_far_its_pixels_are(
    tmp_path: Path, micrograph: Image, spec: str, measure: str
) -> None:
    (tmp_path / "x.cyto").write_bytes(cytopress.encode(micrograph, spec))
    decode_file(tmp_path / "x.cyto", tmp_path / "x.ome.tif")
    told = coding_of(tmp_path / "x.ome.tif")
    assert told["summary"] == "Pixels were coded with loss."
    assert (told["lossless"], told["target"]) == ("false", spec.partition(":")[2].partition(",")[0])
    assert told["codec"].startswith("JpegLS(near=")
    size = (tmp_path / "x.cyto").stat().st_size
    assert told["coded bytes"] == str(size)
    assert float(told["compression ratio"]) == pytest.approx(micrograph.raw_bytes / size, rel=1e-3)
    (back,) = cytopress.read(tmp_path / "x.ome.tif")
    error = back.pixels.astype(float) - micrograph.pixels
    variance = 2 * np.maximum(micrograph.pixels - 100.0, 0) + 20
    reached = {
        "psnr": 20 * np.log10(3000 / np.sqrt(np.mean(error**2))),
        "sigma": np.sqrt(np.mean(error**2 / variance)),
        "max_error": np.abs(error).max(),
    }[measure]
    assert float(told["reached"].split()[0]) == pytest.approx(reached, rel=1e-3)
    if measure == "sigma":
        assert told["noise variance per count"] == "2"
    if measure == "psnr":
        assert told["data range in counts"] == "3000"


def test_lossless_is_said_too(tmp_path: Path, micrograph: Image) -> None:
    (tmp_path / "x.cyto").write_bytes(cytopress.encode(micrograph, "jpegls"))
    decoded = decode_file(tmp_path / "x.cyto", tmp_path / "x.tif")
    told = coding_of(tmp_path / "x.tif")
    assert (told["summary"], told["lossless"]) == ("Every pixel is exact.", "true")
    assert "target" not in told
    assert decoded.images == 1
    (back,) = cytopress.read(tmp_path / "x.tif")
    assert back == micrograph


@pytest.mark.parametrize(
    "image",
    [
        Image(np.random.default_rng(0).normal(0, 1, (3, 8, 9)).astype(np.float32)),
        Image(np.arange(24, dtype=np.uint8).reshape(3, 2, 4), spacing_um=(0.7, 0.108333, 0.108333)),
        Image(np.arange(3, dtype=np.uint16).reshape(1, 3), bits=10),
    ],
)
def test_every_form_comes_back(tmp_path: Path, image: Image) -> None:
    (tmp_path / "x.cyto").write_bytes(cytopress.encode(image, "zstd"))
    decode_file(tmp_path / "x.cyto", tmp_path / "x.tif")
    (back,) = cytopress.read(tmp_path / "x.tif")
    assert back == image


def test_equal_images_give_equal_bytes(tmp_path: Path, micrograph: Image) -> None:
    (tmp_path / "x.cyto").write_bytes(cytopress.encode(micrograph, "jpegls"))
    for name in ("a.tif", "b.tif"):
        decode_file(tmp_path / "x.cyto", tmp_path / name)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_a_file_that_is_there_stays(tmp_path: Path, micrograph: Image) -> None:
    (tmp_path / "x.cyto").write_bytes(cytopress.encode(micrograph, "jpegls"))
    (tmp_path / "x.tif").write_text("dear")
    with pytest.raises(UsageError, match=r"x\.tif: is there already; --overwrite"):
        decode_file(tmp_path / "x.cyto", tmp_path / "x.tif")
    assert (tmp_path / "x.tif").read_text() == "dear"
    decode_file(tmp_path / "x.cyto", tmp_path / "x.tif", overwrite=True)
    assert len(cytopress.read(tmp_path / "x.tif")) == 1


def test_a_png_takes_one_plane(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (2, 8, 9)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata={"axes": "CYX"})
    encode_file(tmp_path / "a.ome.tif", tmp_path / "a.cyto", channel_codecs(["zstd"]))
    with pytest.raises(UsageError, match=r"PNG file takes one plane.*C=0 to 1.*--select"):
        decode_file(tmp_path / "a.cyto", tmp_path / "a.png")
    with pytest.warns(CytopressWarning, match="metadata are not in it"):
        decode_file(tmp_path / "a.cyto", tmp_path / "a.png", select={"C": 1})
    np.testing.assert_array_equal(cytopress.read(tmp_path / "a.png")[0].pixels, pixels[1])


def test_a_failure_leaves_nothing(tmp_path: Path, micrograph: Image) -> None:
    data = bytearray(cytopress.encode(micrograph, "jpegls"))
    data[50] ^= 1
    (tmp_path / "x.cyto").write_bytes(data)
    for name in ("x.tif", "x.png", "x.jpg", "nowhere/x.tif"):
        with pytest.raises(CytopressError):
            decode_file(tmp_path / "x.cyto", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["x.cyto"]


@pytest.mark.parametrize("name", ["target-sigma", "zfp-float32", "wrappers-all", "jpegls-stack"])
def test_old_files_decode(tmp_path: Path, name: str) -> None:
    decode_file(GOLDEN / f"{name}.cyto", tmp_path / "x.tif")
    (image,) = cytopress.read(tmp_path / "x.tif")
    expected = np.load(GOLDEN / f"{name}.npy").astype(float)
    np.testing.assert_allclose(image.pixels.astype(float), expected, rtol=1e-5, atol=1)
