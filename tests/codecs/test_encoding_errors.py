"""Images at the edge of what libraries take: they are coded, or refused in one sentence."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.png import Png
from cytopress.codecs.base import Form
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.codecs.wrappers import PerPlane
from cytopress.errors import CodecError, NotAvailableError, UnsupportedImageError
from cytopress.image import Image, Pixels

WIDE = Image(np.tile(np.arange(97, dtype=np.uint8), 730)[None, :70000].repeat(2, axis=0))
CLASSIC = ("png", "jpegls", "jpegxr", "jpeg:quality=90", "jpegxl", "htj2k", "lerc", "zfp", "blosc2")


@pytest.mark.parametrize("shape", [(3000, 1), (3000, 2), (3000, 3), (3000, 4), (70000, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_thin_noise_is_coded_losslessly_by_png(shape: tuple[int, int], dtype: type) -> None:
    most = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, most, shape, dtype, endpoint=True)
    np.testing.assert_array_equal(decode(codec("png").encode(Image(pixels))).pixels, pixels)


@pytest.mark.parametrize("spec", CLASSIC)
@pytest.mark.parametrize("rows", [True, False])
def test_a_view_of_one_row_or_column_is_coded_as_its_copy_is(spec: str, *, rows: bool) -> None:
    line = np.random.default_rng(0).integers(0, 200, 300, np.uint8)
    copy = np.array(line.tolist(), np.uint8).reshape((1, -1) if rows else (-1, 1))
    for stride in (0, 7):
        view = as_strided(line, copy.shape, (stride, 1) if rows else (1, stride))
        assert codec(spec).encode(Image(view)) == codec(spec).encode(Image(copy))


@pytest.mark.parametrize("spec", ["jpeg:quality=50", "avif:quality=50", "av1:crf=30"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_plane_too_large_for_its_library_is_refused_and_coded_in_tiles(
    spec: str, *, turned: bool
) -> None:
    if spec.startswith("av1"):
        pytest.importorskip("av")
    image = Image(WIDE.pixels.T) if turned else WIDE
    with pytest.raises(UnsupportedImageError, match="give tile=512"):
        codec(spec).encode(image)
    if not spec.startswith("av1"):
        assert decode(codec(f"{spec},tile=8192").encode(image)).shape == image.shape


@pytest.mark.parametrize("name", ["sperr", "zfp"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_volume_too_long_for_its_library_is_refused(name: str, axis: int) -> None:
    shape = [2, 3, 2]
    shape[axis] = 65537
    image = Image((np.arange(np.prod(shape)).reshape(shape) % 97).astype(np.uint16))
    # Tiles are cut in the plane alone.
    remedy = "give tile=512" if axis else "split it along Z"
    with pytest.raises(UnsupportedImageError, match=f"65537.*{remedy}"):
        codec(f"{name}:tolerance=1").encode(image)
    if axis:
        tiled = codec(f"{name}:tolerance=1,tile=512").encode(image)
        assert np.abs(decode(tiled).pixels.astype(int) - image.pixels).max() <= 1


def test_sperr_keeps_its_bound_in_long_planes_and_in_the_longest_volume() -> None:
    for shape in ((2, 70000), (2, 3, 65535)):
        pixels = (np.arange(np.prod(shape)).reshape(shape) % 97).astype(np.uint16)
        decoded = decode(codec("sperr:tolerance=1").encode(Image(pixels))).pixels
        assert np.abs(decoded.astype(int) - pixels).max() <= 1


@pytest.mark.parametrize("width", [32768, 32769])
def test_avif_refuses_what_its_own_decoder_refuses(width: int) -> None:
    image = Image(WIDE.pixels[:, :width])
    if width > 32768:
        with pytest.raises(UnsupportedImageError, match="tile="):
            codec("avif:quality=50").encode(image)
    else:
        assert decode(codec("avif:quality=50").encode(image)).shape == image.shape


@dataclass(frozen=True)
class Failing(JpegLS):
    name: ClassVar[str] = "failing"
    error: ClassVar[Exception] = RuntimeError("out of luck")

    def compress(self, image: Image) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (RuntimeError("out of luck"), CodecError, "out of luck"),
        (OSError("no such encoder"), CodecError, "no such encoder"),
        (MemoryError(), NotAvailableError, "memory"),
    ],
)
def test_errors_of_a_library_become_one_kind_that_names_the_inner_codec(
    error: Exception, kind: type, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "error", error)
    for planes, advised in ((4, False), (9000, True)):
        with pytest.raises(kind, match=f"^failing .*{words}") as caught:
            PerPlane(Failing()).encode(Image(np.zeros((2, planes, 5), np.uint8)))
        assert ("tile=" in str(caught.value)) == advised


def test_bytes_that_the_codec_cannot_decode_are_a_failure_of_encoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(self: Png, stream: bytes, form: Form) -> Pixels:
        raise RuntimeError("not mine")

    monkeypatch.setattr(JpegLS, "decompress", broken)
    with pytest.raises(CodecError, match=r"cannot decode .*not mine"):
        codec("jpegls:max_error=3").encode(Image(np.zeros((5, 6), np.uint8)))
