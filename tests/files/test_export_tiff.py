"""OME-TIFFs for other programs, judged by tifffile and by libtiff's tools."""

import shutil
import subprocess
import warnings
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import tifffile

import cytopress
from cytopress.errors import CodecError, UnsupportedImageError, UsageError
from cytopress.files.export_tiff import export_tiff
from cytopress.files.exported import ExportedFile
from cytopress.files.tiff_request import tiff_codecs
from cytopress.formats import tiled_tiff
from cytopress.image import DTYPES, Image

# Numbers of compressions as TIFF and Bio-Formats' list of them have them.
NUMBERS = {
    "deflate": 8, "zstd": 50000, "round-deflate": 8, "round-zstd": 50000, "jpeg2000": 34712,
    "jpeg": 7, "jpegxl": 50002, "lerc": 34887,
}  # fmt: skip
SPECS = [
    "deflate", "zstd", "zstd:level=19,tile=16", "round-deflate:step=8", "round-zstd:max_error=5",
    "jpeg2000", "jpeg2000:ratio=6", "jpeg2000:psnr=45", "jpeg2000:level=40,tile=32",
]  # fmt: skip
BY_TIFFFILE = ["jpegxl", "jpegxl:distance=1", "lerc:tolerance=4", "lerc"]


def export(source: Path, out: Path, *specs: str, readers: str = "everyone") -> ExportedFile:
    return export_tiff(source, out, tiff_codecs(specs, readers=readers))  # type: ignore[arg-type]


def by_libtiff(path: Path, out: Path) -> np.ndarray:
    """Return the pixels that Debian's libtiff decodes."""
    if shutil.which("tiffcp") is None:
        pytest.skip("libtiff's tools are not installed (libtiff-tools)")
    subprocess.run(["tiffcp", "-c", "none", path, out], check=True, capture_output=True)
    with tifffile.TiffFile(out) as file:
        return np.stack([page.asarray() for page in file.pages])


@pytest.mark.parametrize("spec", SPECS)
def test_tifffile_reads_what_was_promised(hyperstack: Path, tmp_path: Path, spec: str) -> None:
    out, original = tmp_path / "out.ome.tif", tifffile.imread(hyperstack)
    exported = export(hyperstack, out, spec)
    name, _, options = spec.partition(":")
    with tifffile.TiffFile(out) as file:
        pages = [(page.compression, page.is_tiled, page.dtype) for page in file.pages]
        assert pages == [(NUMBERS[name], True, np.uint16)] * 12
        assert file.is_ome
        assert (file.series[0].axes, file.series[0].shape) == ("TCZYX", original.shape)
        error = file.asarray().astype(float) - original
    assert [image.max_error for image in exported.images] == [
        np.abs(error[t, c]).max() for t in (0, 1) for c in (0, 1)
    ]
    assert [image.rmse for image in exported.images] == pytest.approx(
        [np.sqrt(np.mean(error[t, c] ** 2)) for t in (0, 1) for c in (0, 1)]
    )
    assert exported.coded_bytes == out.stat().st_size
    if not options or options.startswith("level=19"):
        assert not error.any()
    bound = {"step=8": 4, "max_error=5": 5}.get(options)
    assert bound is None or np.abs(error).max() <= bound
    if options == "psnr=45":
        assert min(image.reached for image in exported.images) >= 45
    if options == "ratio=6":
        sizes = [image.raw_bytes / image.coded_bytes for image in exported.images]
        assert min(sizes) == pytest.approx(6, rel=0.1)


@pytest.mark.parametrize("spec", ["deflate", "zstd", "round-deflate:step=8", "round-zstd:step=8"])
@pytest.mark.parametrize("dtype", [dtype.name for dtype in DTYPES])
def test_libtiff_decodes_the_same_pixels(tmp_path: Path, spec: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    limits = (0, 100) if dtype == "float64" else (0, 250) if dtype[0] in "uf" else (-120, 120)
    pixels = rng.integers(*limits, (37, 70)).astype(dtype)
    source, out = tmp_path / "a.tif", tmp_path / "b.ome.tif"
    tifffile.imwrite(source, pixels)
    if spec.startswith("round") and dtype not in ("uint8", "uint16", "float32"):
        with pytest.raises(UnsupportedImageError, match="zstd codes"):
            export(source, out, spec)
        return
    export(source, out, f"{spec},tile=32" if ":" in spec else f"{spec}:tile=32")
    (decoded,) = by_libtiff(out, tmp_path / "c.tif")
    assert decoded.dtype == pixels.dtype
    np.testing.assert_array_equal(decoded, tifffile.imread(out))
    off = np.abs(decoded.astype(float) - pixels).max()
    assert off == 0 if "step" not in spec else 0 < off <= 4


def test_libtiff_decodes_jpeg_of_8_bits(tmp_path: Path) -> None:
    y, x = np.mgrid[:50, :70]
    pixels = (120 + 100 * np.sin(y / 9) * np.cos(x / 11)).astype(np.uint8)
    source, out = tmp_path / "a.tif", tmp_path / "b.tif"
    tifffile.imwrite(source, pixels)
    (image,) = export(source, out, "jpeg:quality=90").images
    (decoded,) = by_libtiff(out, tmp_path / "c.tif")
    assert np.abs(decoded.astype(int) - pixels).max() == image.max_error > 0


@pytest.mark.parametrize("spec", BY_TIFFFILE)
def test_tifffile_alone_reads_jpeg_xl_and_lerc(hyperstack: Path, tmp_path: Path, spec: str) -> None:
    out, name = tmp_path / "out.ome.tif", spec.partition(":")[0]
    with pytest.raises(UsageError, match=f"opens no TIFF file of {name}.*--readers tifffile"):
        export(hyperstack, out, spec)
    assert not out.exists()
    export(hyperstack, out, spec, readers="tifffile")
    with tifffile.TiffFile(out) as file:
        assert {page.compression for page in file.pages} == {NUMBERS[name]}
        error = np.abs(file.asarray().astype(int) - tifffile.imread(hyperstack)).max()
    assert (error == 0) == (":" not in spec)


def test_metadata_and_loss_are_in_the_file(hyperstack: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ome.tif"
    export(hyperstack, out, "zstd", "DNA=round-zstd:max_error=4")
    root = ET.fromstring(tifffile.tiffcomment(out))
    (pixels,) = root.iterfind("{*}Image/{*}Pixels")
    assert (pixels.get("PhysicalSizeZ"), pixels.get("TimeIncrement")) == ("0.3", "60.0")
    channels = pixels.findall("{*}Channel")
    assert [channel.get("Name") for channel in channels] == ["DNA", "ER"]
    assert [float(channel.get("ExcitationWavelength", 0)) for channel in channels] == [405, 488]
    said = {
        annotation.get("ID"): {
            entry.get("K"): entry.text for entry in annotation.iterfind(".//{*}M")
        }
        for annotation in root.iterfind(".//{*}MapAnnotation")
    }
    dna, er = (said[one.find("{*}AnnotationRef").get("ID")] for one in channels)  # type: ignore[union-attr]
    assert (dna["lossless"], er["lossless"]) == ("false", "true")
    assert dna["summary"] == "Pixels were coded with loss."
    assert dna["target"] == "max_error=4"
    assert "step=" in str(dna["codec"])
    assert (dna["largest error"], er["largest error"]) == ("4 counts", "0 counts")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = cytopress.read(out)
    assert {(image.bits, image.spacing_um) for image in images} == {(12, (0.3, 0.1, 0.1))}


def test_pixels_beyond_the_bits_of_the_source_are_admitted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = np.where(rng.random((48, 48)) < 0.5, 0, 4095).astype(np.uint16)
    cytopress.write(tmp_path / "a.ome.tif", [Image(pixels, bits=12)])
    export(tmp_path / "a.ome.tif", tmp_path / "b.ome.tif", "jpeg2000:level=25")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (image,) = cytopress.read(tmp_path / "b.ome.tif")
    assert image.pixels.max() > 4095
    assert image.bits == 16


def test_equal_sources_give_equal_bytes(hyperstack: Path, tmp_path: Path) -> None:
    for name in ("a.ome.tif", "b.ome.tif"):
        export(hyperstack, tmp_path / name, "deflate")
    assert (tmp_path / "a.ome.tif").read_bytes() == (tmp_path / "b.ome.tif").read_bytes()


def test_a_cyto_file_can_be_the_source(hyperstack: Path, tmp_path: Path) -> None:
    from cytopress.files import channel_codecs, encode_file

    encode_file(hyperstack, tmp_path / "a.cyto", channel_codecs(["jpegls:max_error=2"]))
    export(tmp_path / "a.cyto", tmp_path / "b.ome.tif", "zstd")
    error = tifffile.imread(tmp_path / "b.ome.tif").astype(int) - tifffile.imread(hyperstack)
    assert np.abs(error).max() == 2


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("jpegls", "opens no TIFF file of jpegls; give one of deflate, .* or write a .cyto file"),
        ("nothing", "no codec named 'nothing'"),
        ("zstd:tile=100", "tile is a multiple of 16"),
        ("deflate:level=10", "level is 1 to 9"),
        ("deflate:ratio=3", "always lossless"),
        ("round-deflate", "always lossy"),
        ("jpeg2000:ratio=3,guard=2", "guard, z, lines and scale have no place in a TIFF"),
        ("jpeg2000:ratio=3,z=wavelet", "guard, z, lines and scale have no place in a TIFF"),
        ("jpeg2000:ratio=3,scale=2", "guard, z, lines and scale have no place in a TIFF"),
    ],
)
def test_what_a_tiff_cannot_hold_is_refused(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        tiff_codecs([spec])


@pytest.mark.parametrize(
    ("dtype", "spec", "words"),
    [
        ("uint16", "jpeg:quality=80", "jpeg in a TIFF file has 8 bits"),
        ("int16", "jpeg2000", "for unsigned integers"),
        ("float32", "jpeg2000:ratio=4", "jpeg2000 codes .*not float32; zstd codes float32"),
    ],
)
def test_pixels_that_a_tiff_codec_cannot_code_are_refused(
    tmp_path: Path, dtype: str, spec: str, words: str
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((40, 40), dtype))
    with pytest.raises(UnsupportedImageError, match=words):
        export(tmp_path / "a.tif", tmp_path / "b.ome.tif", spec)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


def test_a_file_that_reads_back_wrong_is_not_left(
    hyperstack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = tiled_tiff.ReadBack.image

    def wrong(self: tiled_tiff.ReadBack, shape: tuple[int, ...]) -> np.ndarray:
        pixels = right(self, shape).copy()
        pixels[0, 0, 0] += 20
        return pixels

    monkeypatch.setattr(tiled_tiff.ReadBack, "image", wrong)
    for spec in ("zstd", "round-zstd:max_error=3"):
        with pytest.raises(CodecError, match="tifffile reads other pixels back"):
            export(hyperstack, tmp_path / "out.ome.tif", spec)
    assert not (tmp_path / "out.ome.tif").exists()
