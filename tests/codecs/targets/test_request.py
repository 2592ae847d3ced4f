"""Choices: yardsticks that stand in the bytes, warnings that are told, wrappers in their order."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.container.container import unpack
from cytopress.codecs.registry import build, decode, families
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.resolve import compose
from cytopress.codecs.wrappers import Guarded, PerPlane, Rescaled, Tiled
from cytopress.errors import CytopressWarning, UnsupportedImageError
from cytopress.image import Image
from cytopress.metrics import NoiseModel
from cytopress.metrics.data_range import data_range
from cytopress.metrics.noise import fit_noise


def test_an_estimated_range_stands_in_the_bytes_and_in_the_spec(micrograph: Image) -> None:
    request = codec("jpegls:psnr=38")
    low, high = np.percentile(micrograph.pixels, (0.01, 99.99))
    data = request.encode(micrograph)
    used = unpack(data)[0].notes["range"]
    assert used == pytest.approx(high - low, rel=1e-3)
    assert request.resolved(micrograph).spec == f"jpegls:psnr=38,range={used:g}"


@pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
def test_an_estimated_noise_model_stands_in_the_bytes_and_in_the_spec(micrograph: Image) -> None:
    request = codec("jpegls:sigma=0.7")
    notes = unpack(request.encode(micrograph))[0].notes
    used = NoiseModel(notes["a"], notes["b"], notes["offset"])
    assert used == fit_noise([micrograph]).model
    assert codec(request.resolved(micrograph).spec).noise == used


def test_a_codec_shaped_by_noise_keeps_the_model_in_its_own_options(micrograph: Image) -> None:
    data = codec("anscombe-jpegxl:sigma=0.7,a=2,b=20,offset=100").encode(micrograph)
    header, _ = unpack(data)
    assert {"a": 2, "b": 20, "offset": 100}.items() <= dict(header.recipe.options).items()
    assert "a" not in header.notes


@pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
@pytest.mark.parametrize("spec", ["jpegls:psnr=38", "jpegls:sigma=0.7", "anscombe-jpegxl:ratio=5"])
def test_a_resolved_spec_stands_alone(spec: str, micrograph: Image) -> None:
    request = codec(spec)
    alone = codec(request.resolved(micrograph).spec)
    assert alone.resolved(Image(micrograph.pixels[:20, :20])) == alone
    assert alone.encode(micrograph) == request.encode(micrograph)


@pytest.mark.parametrize("kind", ["psnr", "sigma"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_yardsticks_of_a_flat_image_are_numbers_that_work(kind: str, dtype) -> None:
    flat = Image(np.full((40, 40), 3, dtype))
    resolved = codec(f"zfp:{kind}=30").resolved(flat)
    assert codec(resolved.spec) == resolved
    assert data_range([flat.pixels]) == 1
    assert codec(f"zfp:{kind}=30").solve(flat).data


def test_warnings_reach_the_caller_once(micrograph: Image) -> None:
    with pytest.warns(CytopressWarning, match="ratio=1.1 was asked") as caught:
        codec("jpegls:ratio=1.1").encode(micrograph)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert len(codec("jpegls:ratio=1.1").solve(micrograph).warnings) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codec("jpegls:max_error=3").encode(micrograph)


def test_a_noise_model_that_does_not_fit_is_told() -> None:
    gray = np.random.default_rng(0).integers(0, 2, (64, 64), dtype=np.uint8) * 255
    found = codec("jpegls:sigma=1").solve(Image(gray))
    assert any("noise" in text for text in found.warnings)
    assert codec("jpegls:sigma=1,a=0,b=4").solve(Image(gray)).warnings == ()


def test_wrappers_are_put_on_in_their_order() -> None:
    stack = Image(np.zeros((2, 40, 40), np.uint16))
    request = codec("jpeg2000:level=50,tile=32,guard=3")
    inner = families()["jpeg2000"](level=50)
    expected = Guarded(Rescaled(PerPlane(Tiled(inner, tile=32))), max_error=3)
    assert compose(request, 50, stack) == expected
    assert compose(request, 50, Image(stack.pixels[0])) == Guarded(
        Rescaled(Tiled(inner, tile=32)), max_error=3
    )
    assert build(unpack(request.encode(stack))[0].recipe) == expected


@pytest.mark.parametrize("spec", ["jpegxl", "jpegxl:distance=0", "jpegxl:guard=2"])
def test_nothing_that_loses_is_put_around_what_is_lossless(spec: str, micrograph: Image) -> None:
    found = codec(spec).solve(micrograph)
    assert found.codec.lossless
    assert not isinstance(found.codec, Rescaled | Guarded)
    assert decode(found.data) == micrograph


def test_a_guard_holds_whatever_the_target(micrograph: Image) -> None:
    for spec in ("jpegxl:ratio=2.5,guard=9", "jpeg2000:level=20,guard=9", "avif:psnr=20,guard=9"):
        back = codec(spec).decode(codec(spec).solve(micrograph).data)
        assert np.abs(back.pixels.astype(int) - micrograph.pixels).max() <= 9


def test_a_tiled_codec_keeps_its_promises(micrograph: Image) -> None:
    assert decode(codec("jpegxl:tile=32").solve(micrograph).data) == micrograph
    found = codec("jpeg2000:psnr=35,range=1500,tile=32").solve(micrograph)
    error = decode(found.data).pixels.astype(float) - micrograph.pixels
    assert 20 * np.log10(1500) - 10 * np.log10(np.mean(error**2)) >= 35


def test_check_refuses_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JpegLS, "compress", None)
    image = Image(np.zeros((4, 4), np.uint8))
    codec("jpegls:sigma=2").check(image)
    CodecRequest(JpegLS, native=0).check(image)
    with pytest.raises(UnsupportedImageError, match="127"):
        codec("jpegls:near=128").check(image)


@pytest.mark.parametrize("spec", ["anscombe-jpegxl:qstep=1", "anscombe-jpegxl:ratio=6"])
def test_a_codec_shaped_by_noise_needs_it_whatever_was_asked(spec: str, micrograph: Image) -> None:
    assert codec(spec).resolved(micrograph).noise == fit_noise([micrograph]).model
    given = NoiseModel(0.5, 9.0, 100.0)
    assert codec(spec).with_reference_scales(50.0, given).noise == given
    # What was given stays, and a codec of another kind needs none for a ratio.
    assert codec(f"{spec},a=1,b=2").with_reference_scales(50.0, given).noise == NoiseModel(1, 2)
    assert codec("jpegls:ratio=3").with_reference_scales(50.0, given).noise is None


@pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
@pytest.mark.parametrize(
    "spec",
    [
        "jpegls:ratio=3",
        "jpegls:ratio=1.01",
        "jpegls:near=3",
        "zstd",
        "jpeg2000:psnr=40,tile=32",
        "jpegls:max_error=30,guard=12",
        "anscombe-jpegxl:sigma=0.7",
        "lerc:max_error=4",
    ],
)
def test_the_setting_of_a_solution_gives_its_stream_without_a_search(
    spec: str, micrograph: Image
) -> None:
    request = codec(spec).resolved(micrograph)
    found = request.solve(micrograph)
    again = request.at(found)
    assert again.asked is None
    assert unpack(again.encode(micrograph))[1] == unpack(found.data)[1]
    assert (found.setting is None) == found.codec.lossless


def test_what_a_search_chose_beside_the_setting_is_used_again() -> None:
    """Resolution and structured noise: a smooth image with pickup, by a codec of photographs."""
    rows, columns = np.mgrid[:256, :256]
    smooth = 900 + 300 * np.sin(rows / 30) * np.cos(columns / 40)
    random = np.random.default_rng(1)
    pickup = 6 * np.cos(2 * np.pi * (0.221 * columns + 0.013 * rows))
    pixels = np.rint(smooth + pickup + random.normal(0, 2, smooth.shape)).astype(np.uint16)
    image = Image(pixels, bits=12)
    request = codec("jpegxl:ratio=80,lines=auto,scale=auto").resolved(image)
    found = request.solve(image)
    names = {part.name for part in found.codec.nested()}
    assert {"lines", "scaled"} <= names
    again = request.at(found)
    assert again.scale in {"2", "4"}
    same = again.solve(image)
    assert unpack(same.data)[1] == unpack(found.data)[1]
    assert same.codec == found.codec
    plain = codec("jpegxl:ratio=2.5,lines=auto,scale=auto").resolved(image)
    kept = plain.at(plain.solve(image))
    assert kept.scale == "1"
