"""Structured noise is coded apart where that is better, and only there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cytopress import api
from cytopress.codecs.container.container import unpack
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec, stored_codec
from cytopress.codecs.targets.lines_choice import encode_better, pays
from cytopress.codecs.wrappers import Guarded, Lines
from cytopress.errors import UnsupportedImageError, UsageError
from cytopress.image import Image

SHAPE = (160, 192)


def field(amplitude: float, seed: int = 0, shape: tuple[int, int] = SHAPE) -> npt.NDArray[np.uint8]:
    """Return a field with three blurred cells, white noise, and pickup of an amplitude."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = 90 + rng.normal(0, 1.5, shape)
    for cy, cx in ((40, 50), (100, 140), (130, 30)):
        light += 40 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 150)
    light += amplitude * np.cos(2 * np.pi * (0.215 * x + 0.31 * y + 1.5 * (y / shape[0]) ** 2))
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


def has_lines(data: bytes) -> bool:
    recipe = unpack(data)[0].recipe
    while recipe.number == Guarded.number:
        recipe = recipe.options["codec"]
    return recipe.number == Lines.number


def mse(data: bytes, image: Image) -> float:
    return float(np.mean((decode(data).pixels.astype(float) - image.pixels) ** 2))


HUM, WHITE = Image(field(2.0)), Image(field(0.0))


@pytest.mark.parametrize(
    "spec", ["jpegls:max_error=4", "jpegxl:psnr=38,range=255", "avif:sigma=1.5,a=0,b=2,offset=0"]
)
def test_a_target_of_quality_takes_fewer_bytes(spec: str) -> None:
    plain, apart = (codec(f"{spec},lines={n}").solve(HUM) for n in "01")
    assert has_lines(apart.data)
    assert len(apart.data) < len(plain.data)


def test_a_ratio_leaves_a_smaller_error() -> None:
    plain, apart = (codec(f"avif:ratio=60,lines={n}").solve(HUM) for n in "01")
    assert has_lines(apart.data)
    assert apart.reached >= 60
    assert mse(apart.data, HUM) < 0.8 * mse(plain.data, HUM)


def test_a_setting_of_the_codec_is_kept_and_the_error_falls() -> None:
    plain, apart = (codec(f"avif:quality=30,lines={n}").encode(HUM) for n in ("0", "auto"))
    assert has_lines(apart)
    assert mse(apart, HUM) < 0.86 * mse(plain, HUM)


@pytest.mark.parametrize(
    "spec", ["avif:quality=30", "jpegls:max_error=3", "jpegls:psnr=45,range=255"]
)
@pytest.mark.parametrize("choice", ["auto", "1", "x0.3+y0.2"])
def test_an_image_without_has_the_very_bytes_as_before(spec: str, choice: str) -> None:
    assert codec(f"{spec},lines={choice}").encode(WHITE) == codec(spec).encode(WHITE)


@pytest.mark.parametrize("kind", ["guard=2", "max_error=2"])
def test_bounds_hold_on_the_sum(kind: str) -> None:
    spec = f"jpegls:near=6,{kind}" if kind.startswith("guard") else f"jpegls:{kind}"
    data = codec(f"{spec},lines=1").encode(HUM)
    assert has_lines(data)
    assert np.abs(decode(data).pixels.astype(int) - HUM.pixels).max() <= 2


def test_lossless_codecs_and_floats_are_refused_or_left_alone() -> None:
    with pytest.raises(UsageError, match="lines=1 is for lossy settings"):
        codec("zstd:lines=1")
    assert codec("zstd:lines=auto").encode(HUM) == codec("zstd").encode(HUM)
    real = Image(HUM.pixels.astype(np.float32))
    with pytest.raises(UnsupportedImageError, match="lines=1 is for uint8 and uint16 images"):
        codec("round-zstd:step=2,lines=1").encode(real)
    with pytest.raises(UnsupportedImageError, match="lines=1 is for uint8 and uint16 images"):
        codec("round-zstd:step=2,lines=1").check(real)
    plain = codec("round-zstd:step=2").encode(real)
    assert codec("round-zstd:step=2,lines=auto").encode(real) == plain


def test_specs_say_how_lines_are_coded_where_it_matters() -> None:
    assert codec("avif:quality=30").spec == "avif:quality=30"
    assert codec("avif:quality=30,lines=0").spec == "avif:quality=30"
    learned = "learned/cytopress-2d:quality=0.5"
    assert codec(learned).spec == f"{learned},lines=auto"
    assert codec(f"{learned},lines=0").spec == f"{learned},lines=0"
    for text in ("avif:quality=30,lines=x0.215+y0", f"{learned},lines=1", f"{learned},lines=auto"):
        assert codec(codec(text).spec) == codec(text)
        assert codec(text).spec == text
    with pytest.raises(UsageError, match="lines is auto, 1, 0, or frequencies"):
        codec("avif:quality=30,lines=2")


def test_chunks_are_coded_with_the_frequencies_of_their_field() -> None:
    large = Image(field(2.0, shape=(256, 256)))
    request = codec("avif:quality=30,lines=auto").with_field_lines([large])
    assert request.lines.startswith("x0.21")
    assert codec(request.spec) == request
    limits = request.field_limits([large])
    chunk = Image(np.ascontiguousarray(large.pixels[128:, :128]), limits=limits)
    data = encode_better(request, chunk)
    assert has_lines(data)
    assert mse(data, chunk) < 0.88 * mse(codec("avif:quality=30").encode(chunk), chunk)
    none = codec("avif:quality=30,lines=auto").with_field_lines([WHITE])
    assert none.lines == "0"
    # As limits are: in Python, beside them.
    lines = codec("avif:quality=30,lines=1").field_lines([large])
    told = api.encode(chunk, "avif:quality=30,lines=1", limits=limits, lines=lines)
    assert has_lines(told)
    assert not has_lines(api.encode(chunk, "avif:quality=30,lines=1", limits=limits, lines=()))


@pytest.mark.parametrize(
    ("sizes", "errors", "better"),
    [
        ((100, 100), (1.0, 1.1), True),
        ((100, 100), (1.1, 1.0), False),
        ((90, 100), (1.0, 1.0), True),
        ((110, 100), (0.99, 1.0), False),
        ((110, 100), (0.7, 1.0), True),
        ((110, 100), (0.8, 1.0), False),
        ((90, 100), (1.2, 1.0), False),
    ],
)
def test_one_coding_is_better_only_where_no_curve_says_else(
    sizes: tuple[int, int], errors: tuple[float, float], better: bool
) -> None:
    assert pays(sizes, errors, 100_000) == better


def test_at_high_rates_bytes_buy_more() -> None:
    # At 8 bits a pixel, a bit more for each pixel is a quarter of the error.
    assert not pays((1100, 1000), (0.6, 1.0), 1000)


@pytest.mark.filterwarnings("ignore:.*more bytes than lossless")
@pytest.mark.parametrize(
    ("family", "settings"),
    [("learned/cytopress-2d:quality", (0.42, 0.44, 0.55)), ("avif:quality", (30, 65))],
)
def test_at_a_fixed_setting_the_better_curve_is_taken(
    family: str, settings: tuple[float, ...]
) -> None:
    faint = Image(field(1.2))
    # The curve without, from settings all along it, tells the bytes that each coding is worth.
    finely = np.linspace(min(settings) / 2, max(settings) * 1.1, 24)
    points = [codec(f"{family}={value:.4g},lines=0").encode(faint) for value in finely]
    rates = np.log([len(one) for one in points])
    errors = np.maximum.accumulate(np.log([1 / mse(one, faint) for one in points]))
    for value in settings:
        found = codec(f"{family}={value},lines=auto").encode(faint)
        worth = np.exp(np.interp(np.log(1 / mse(found, faint)), errors, rates))
        assert has_lines(found)
        assert len(found) <= worth


def test_settings_that_an_image_does_not_take_tell_nothing() -> None:
    # Alternating columns: without, JPEG-LS of 8 bits has no setting of so few bytes.
    x = np.arange(512)[None].repeat(512, 0)
    image = Image((128 + 50 * (x % 2 * 2 - 1)).astype(np.uint8))
    found = codec("jpegls:near=2,lines=1").encode(image)
    assert np.abs(decode(found).pixels.astype(int) - image.pixels).max() <= 2


def test_people_name_a_spec_without_its_default() -> None:
    request = codec("learned/cytopress-2d:ratio=20")
    assert request.is_named("learned/cytopress-2d:ratio=20")
    assert request.is_named("learned/cytopress-2d:ratio=20,lines=auto")
    assert not request.is_named("learned/cytopress-2d:ratio=20,lines=0")
    assert not codec("avif:ratio=20,lines=auto").is_named("avif:ratio=20")


def test_a_stored_spec_that_says_nothing_is_of_a_version_without() -> None:
    stored = "learned/cytopress-2d:quality=0.5"
    assert stored_codec(stored).lines == "0"
    assert stored_codec(f"{stored},lines=auto").lines == "auto"
    assert stored_codec("avif:quality=30") == codec("avif:quality=30")
