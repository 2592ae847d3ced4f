"""Reading and writing, whatever the format."""

import errno
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tifffile

from cytopress.errors import ImageError, NotAvailableError, UsageError
from cytopress.formats import plugins
from cytopress.formats.images import read, read_one, write
from cytopress.image import Image

PIXELS = np.random.default_rng(1).integers(0, 4096, (2, 3, 4, 9, 7), dtype=np.uint16)  # TCZYX


@pytest.mark.parametrize("suffix", [".ome.tif", ".tif", ".tiff"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(9, 7), (1, 1), (1, 7), (9, 1), (4, 9, 7), (3, 9, 7), (2, 1, 1)])
def test_tiff_round_trip_is_exact(
    tmp_path: Path, suffix: str, dtype: str, shape: tuple[int, ...]
) -> None:
    random = np.random.default_rng(2)
    pixels = random.integers(0, 200, shape).astype(dtype)
    if dtype == "float32":
        pixels = (random.standard_normal(shape) * 1e-3).astype(dtype)
    image = Image(
        pixels,
        bits={"uint8": 8, "uint16": 12, "float32": 0}[dtype],
        spacing_um=(0.29, 0.108333, 1 / 3)[-len(shape) :],
        name="DAPI",
    )
    write(tmp_path / f"image{suffix}", [image])
    (back,) = read(tmp_path / f"image{suffix}")
    assert back == image
    assert back.name == "DAPI"
    assert list(tmp_path.iterdir()) == [tmp_path / f"image{suffix}"]


def test_stack_of_one_plane_comes_back_when_its_axes_are_named(tmp_path: Path) -> None:
    image = Image(PIXELS[0, 0, :1], spacing_um=(2.0, 1.0, 1.0))
    write(tmp_path / "one.tif", [image])
    assert read(tmp_path / "one.tif", axes="ZYX") == [image]
    assert read(tmp_path / "one.tif")[0].axes == "YX"


def test_written_file_says_the_same_to_another_reader(tmp_path: Path) -> None:
    path = tmp_path / "stack.ome.tif"
    write(path, [Image(PIXELS[0, c], bits=12, spacing_um=(2, 0.5, 0.25), name=n) for c, n in
                 enumerate(("DAPI", "GFP", "BF"))])  # fmt: skip
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "CZYX"
        np.testing.assert_array_equal(file.asarray(), PIXELS[0])
        pixels = tifffile.xml2dict(file.ome_metadata or "")["OME"]["Image"]["Pixels"]
    assert [pixels[f"PhysicalSize{axis}"] for axis in "ZYX"] == [2, 0.5, 0.25]
    assert pixels["SignificantBits"] == 12
    assert [channel["Name"] for channel in pixels["Channel"]] == ["DAPI", "GFP", "BF"]
    assert [image.name for image in read(path)] == ["C=DAPI", "C=GFP", "C=BF"]


def test_equal_images_give_equal_files_without_a_trace_of_the_machine(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        write(tmp_path / name, [Image(PIXELS[0, 0], spacing_um=(1, 1, 1), name="n")])
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    identity = tifffile.tiffcomment(tmp_path / "a.tif").partition('UUID="urn:uuid:')[2][:36]
    # Version 1 is made of the network address and the time.
    assert uuid.UUID(identity).version == 5


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(9, 7), (1, 1), (1, 7)])
def test_png_round_trip_keeps_the_pixels(
    tmp_path: Path, dtype: str, shape: tuple[int, ...]
) -> None:
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(3).integers(0, top, shape, dtype=dtype, endpoint=True)
    write(tmp_path / "plane.png", [Image(pixels)])
    back = read_one(tmp_path / "plane.png")
    assert back.dtype == dtype
    np.testing.assert_array_equal(back.pixels, pixels)
    assert back.name == "plane"


@pytest.mark.parametrize(
    ("name", "images", "message"),
    [
        ("a.jpg", [Image(PIXELS[0, 0])], "written as .ome.tif, .tif or .png"),
        ("a.png", [Image(PIXELS[0, 0])], "takes one plane"),
        ("a.png", [Image(np.ones((2, 2), np.float32))], "takes one plane"),
        ("a.tif", [], "no image"),
        ("a.tif", [Image(PIXELS[0, 0]), Image(PIXELS[0, 0], bits=12)], "the same form"),
        ("nowhere/a.tif", [Image(PIXELS[0, 0])], "no such folder"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, name: str, images: list[Image], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        write(tmp_path / name, images)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_a_full_disk_leaves_the_old_file_alone(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import imageio.v3

    def full(path: Path, *_: Any, **__: Any) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    image = Image(PIXELS[0, 0, 0])
    write(tmp_path / name, [image])
    monkeypatch.setattr(tifffile, "imwrite", full)
    monkeypatch.setattr(imageio.v3, "imwrite", full)
    with pytest.raises(ImageError, match=rf"{name}: cannot be written \(No space left on device"):
        write(tmp_path / name, [Image(PIXELS[0, 0, 1])])
    assert read_one(tmp_path / name) == image
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_reader_of_the_old_file_never_sees_half_of_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    write(path, [Image(PIXELS[0, 0, 0])])
    before = path.read_bytes()
    with path.open("rb") as opened:
        write(path, [Image(PIXELS[0, 0, 1])])
        assert opened.read() == before
    assert path.read_bytes() != before


def test_missing_file_and_folder_that_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read(tmp_path / "a.tif")
    with pytest.raises(UsageError, match="not an OME-Zarr image"):
        read(tmp_path)


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float16", "complex64", "bool"])
def test_pixel_types_that_would_be_altered_are_refused(tmp_path: Path, dtype: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 5), dtype))
    with pytest.raises(ImageError, match=rf"a\.tif: pixels must be .* not {dtype}"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint32", "float64"])
def test_pixel_types_for_lossless_coding_are_read_and_written(tmp_path: Path, dtype: str) -> None:
    kind = np.dtype(dtype)
    ends = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
    pixels = np.arange(24).reshape(4, 6).astype(dtype)
    pixels[0, :2] = ends.min, ends.max
    tifffile.imwrite(tmp_path / "theirs.tif", pixels)
    (image,) = read(tmp_path / "theirs.tif")
    assert (image.dtype, image.bits) == (kind, 8 * kind.itemsize)
    np.testing.assert_array_equal(image.pixels, pixels)
    other = Image(pixels[::-1], spacing_um=(0.1, 0.1), name="B")
    write(tmp_path / "ours.ome.tif", [replace(image, spacing_um=(0.1, 0.1), name="A"), other])
    stored = tifffile.imread(tmp_path / "ours.ome.tif")
    assert stored.dtype == kind
    np.testing.assert_array_equal(stored, [pixels, pixels[::-1]])
    assert read(tmp_path / "ours.ome.tif", select={"C": "B"}) == [other]
    with pytest.raises(UsageError, match="one plane of uint8 or uint16"):
        write(tmp_path / "a.png", [image])
    # What measures has no meaning for them yet.
    with pytest.raises(ImageError, match="must be uint8, uint16 or float32, not"):
        read_one(tmp_path / "theirs.tif", of_dataset=True)


def test_nan_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    pixels = np.ones((4, 5), np.float32)
    pixels[1, 2] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    with pytest.raises(ImageError, match=r"a\.tif: .*1 pixels are NaN"):
        read(tmp_path / "a.tif")


def test_several_images_where_one_is_needed_load_no_pixel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.tif", [Image(PIXELS[0, c], name=f"n{c}") for c in range(3)])
    monkeypatch.setattr(tifffile.TiffFile, "asarray", None)
    with pytest.raises(UsageError, match=r"has 3: C=0 to 2 \(n0, n1, n2\).*--select C=n0"):
        read_one(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["a.czi", "b.nd2"])
def test_other_formats_name_the_extra_where_bioio_is_missing(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "bioio", None)
    with pytest.raises(NotAvailableError, match=r"cytopress\[io\]"):
        read(tmp_path / name)


@pytest.mark.filterwarnings("ignore")
def test_bioio_reads_what_is_left(tmp_path: Path) -> None:
    pytest.importorskip("bioio", reason="needs the extra io")
    pytest.importorskip("bioio_imageio", reason="needs the extra io")
    import imageio.v3

    # A format that has no reader of its own here.
    pixels = (PIXELS[0, 0, 0] >> 4).astype(np.uint8)
    imageio.v3.imwrite(tmp_path / "a.bmp", pixels)
    image = read_one(tmp_path / "a.bmp")
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.name == "a"
    with pytest.raises(ImageError, match=r"a\.xyz: no installed bioio plugin"):
        read((tmp_path / "a.bmp").rename(tmp_path / "a.xyz"))


# bioio takes a plugin that warns for one that fails, and goes on to the next.
@pytest.mark.filterwarnings("ignore")
def test_bioio_scenes_channels_and_spacing(tmp_path: Path) -> None:
    pytest.importorskip("bioio", reason="needs the extra io")
    path = tmp_path / "a.ome.tif"
    write(path, [Image(PIXELS[0, c], spacing_um=(2, 0.5, 0.25), name=f"n{c}") for c in range(3)])
    with plugins.open_plugin(path) as (scene,):
        assert scene.axes == "TCZYX"
        assert tuple(scene.channels) == ("n0", "n1", "n2")
        assert scene.spacing_um == {"Z": 2, "Y": 0.5, "X": 0.25}
        every = slice(None)
        np.testing.assert_array_equal(scene.load((0, 2, 1, every, every)), PIXELS[0, 2, 1])


class TwoOfOneName:
    """Stand-in for bioio: two scenes of one name, found as bioio finds them."""

    scenes = ("Series", "Series")
    axes, shape, dtype = "YX", (9, 7), np.uint16
    dims = SimpleNamespace(order="YX")
    physical_pixel_sizes = SimpleNamespace(Z=None, Y=0.5, X=0.5)
    channel_names = None
    reader = object()

    def __init__(self, path: Path) -> None:
        self.number = 0

    def set_scene(self, scene: str | int) -> None:
        self.number = self.scenes.index(scene) if isinstance(scene, str) else scene

    @property
    def dask_data(self) -> Any:
        import dask.array

        return dask.array.from_array(PIXELS[0, self.number, 0])


def test_scenes_of_one_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask")
    base = SimpleNamespace(UnsupportedFileFormatError=KeyError)
    monkeypatch.setitem(sys.modules, "bioio", SimpleNamespace(BioImage=TwoOfOneName))
    monkeypatch.setitem(sys.modules, "bioio_base", SimpleNamespace(exceptions=base))
    monkeypatch.setitem(sys.modules, "bioio_base.exceptions", base)
    (tmp_path / "a.xyz").touch()
    found = read(tmp_path / "a.xyz")
    np.testing.assert_array_equal([one.pixels for one in found], PIXELS[0, :2, 0])


@pytest.mark.filterwarnings("ignore")
def test_a_printer_s_resolution_is_no_pixel_size(tmp_path: Path) -> None:
    pytest.importorskip("bioio_tifffile", reason="needs the extra io")
    path = tmp_path / "a.lsm"
    # 72 dots an inch, which the plugin reads as pixels of 353 um.
    tifffile.imwrite(path, PIXELS[0, 0, 0], resolution=(72, 72), resolutionunit="INCH")
    image = read_one(path)
    np.testing.assert_array_equal(image.pixels, PIXELS[0, 0, 0])
    assert image.spacing_um is None


def test_importing_io_loads_no_heavy_library() -> None:
    code = (
        "import sys, cytopress.formats.images, cytopress.datasets.catalogue;"
        "print([m for m in ('tifffile', 'zarr', 'bioio', 'imageio', 'imagecodecs', 'scipy')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
