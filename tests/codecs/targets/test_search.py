"""The search against trying every setting, and on codecs made to be difficult."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
import pytest

from cytopress.codecs import progress
from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.round_zstd import RoundZstd
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Attempt, Encodes
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.resolve import compose
from cytopress.codecs.targets.search import SearchProblem, solve
from cytopress.codecs.targets.target import Target
from cytopress.errors import UnreachableTargetError, UnsupportedImageError
from cytopress.image import Image
from cytopress.metrics import NoiseModel

NOISE = NoiseModel(a=2, b=20, offset=100)


@pytest.fixture
def encodes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that gets one entry for each real encode."""
    made: list[float] = []
    honest = JpegLS.compress

    def counting(codec: JpegLS, image: Image) -> bytes:
        made.append(codec.near)
        return honest(codec, image)

    monkeypatch.setattr(JpegLS, "compress", counting)
    return made


@pytest.mark.parametrize(
    ("kind", "value"),
    [("max_error", 7), ("max_error", 0), ("sigma", 0.4), ("psnr", 38), ("ratio", 4), ("ratio", 9)],
)
def test_it_finds_what_trying_every_setting_finds(kind, value, micrograph, encodes) -> None:
    target = Target(kind, value, data_range=1500, noise=NOISE)
    found = CodecRequest(JpegLS, asked=(kind, value), data_range=1500, noise=NOISE).solve(
        micrograph
    )
    assert len(encodes) <= 12
    tried = Encodes(micrograph)
    every = [tried.attempt(JpegLS(near=near), target) for near in range(256)]
    met = [one for one in every if target.met(one.reached)]
    if kind == "ratio":
        assert found.codec.near == min(one.codec.near for one in met)
    else:
        # A few bytes: sizes are not strictly monotone in the bound.
        assert len(found.data) <= min(one.size for one in met) * 1.002


@pytest.fixture(scope="module")
def field() -> Image:
    """Return a field that is large enough for a sample: cells on one side, and noise."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:384, :400]
    light = 200 + 900 * np.exp(-((x - 120) ** 2 + (y - 200) ** 2) / 6000) * (1 + np.sin(x / 5))
    return Image(rng.poisson(light).astype(np.uint16), bits=12)


@pytest.mark.parametrize("target", ["ratio=7", "psnr=36,range=1500", "sigma=0.5,a=1,b=9"])
def test_a_sample_says_where_to_begin(target: str, field: Image, monkeypatch) -> None:
    """A few encodes of the whole image, and an answer as near as many would find."""
    sizes: list[int] = []
    honest = RoundZstd.compress

    def counting(codec: RoundZstd, image: Image) -> bytes:
        sizes.append(image.pixels.size)
        return honest(codec, image)

    monkeypatch.setattr(RoundZstd, "compress", counting)
    found = codec(f"round-zstd:{target}").solve(field)
    assert sum(size == field.pixels.size for size in sizes) <= 8
    assert 2 <= sum(size < field.pixels.size for size in sizes) <= 8
    wanted = float(target.partition("=")[2].partition(",")[0])
    assert found.reached == pytest.approx(wanted, rel=0.03)


@pytest.mark.parametrize("name", ["jpegxl", "jpeg2000"])
def test_a_ratio_takes_four_encodes_of_the_image_at_most(
    name: str, field: Image, monkeypatch
) -> None:
    coded: list[Image] = []
    honest = StreamCodec.encode
    monkeypatch.setattr(StreamCodec, "encode", lambda *args: coded.append(args[1]) or honest(*args))
    found = codec(f"{name}:ratio=20").solve(field)
    assert sum(image is field for image in coded) <= 4
    assert found.reached == pytest.approx(20.2, abs=0.2)


SPECS = [
    f"{name}:{target}"
    for name in ("jpegls", "jpeg2000")
    for target in ("ratio=4", "ratio=7", "sigma=0.5,a=1,b=9", "max_error=30")
]


def test_the_answer_does_not_depend_on_what_was_asked_before(field: Image) -> None:
    """Studies resume in any order, in any number of processes."""
    alone = {spec: codec(spec).solve(field).data for spec in SPECS}
    for order in (SPECS, SPECS[::-1]):
        shared = Encodes(field)
        for spec in order:
            assert codec(spec).solve(field, shared).data == alone[spec], spec


def test_the_lossless_form_is_tried_only_where_a_sample_comes_near_it(field, encodes) -> None:
    flat = Image(np.repeat(np.arange(384, dtype=np.uint16)[:, None], 400, axis=1), bits=12)
    assert codec("jpegls:ratio=14").solve(flat).codec == JpegLS()
    assert encodes.count(0) == 2
    encodes.clear()
    codec("jpegls:ratio=5").solve(field)
    # In the sample alone; and not even there where deflate is far from it.
    assert encodes.count(0) == 1
    encodes.clear()
    codec("jpegls:ratio=9").solve(field)
    assert encodes.count(0) == 0


def test_a_setting_that_the_codec_refuses_is_left_out() -> None:
    """jpegls codes uint8 with bounds up to 127 only."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    found = codec("jpegls:max_error=200").solve(Image(noise))
    assert 100 < found.codec.near <= 127
    with pytest.raises(UnreachableTargetError, match="the nearest"):
        codec("jpegls:ratio=900").solve(Image(noise))


def test_an_image_that_no_setting_takes_is_refused() -> None:
    image = Image(np.zeros((4, 4), np.float32))
    for spec in ("jpegls:psnr=40", "jpegls:ratio=2", "jpegls"):
        with pytest.raises(UnsupportedImageError, match="float32"):
            codec(spec).check(image)
        with pytest.raises(UnsupportedImageError, match="float32"):
            codec(spec).solve(image)


def test_the_lossless_form_counts_as_the_finest_setting(micrograph: Image) -> None:
    lossless = codec("jpegls").solve(micrograph)
    assert codec("jpegls:ratio=1.2").solve(micrograph).codec == JpegLS()
    assert codec("jpegls:max_error=0").solve(micrograph).codec == JpegLS()
    # Where it meets the target with fewer bytes than any lossy setting, it is the answer.
    flat = Image(np.full((60, 60), 7, np.uint16))
    assert codec("jpegls:psnr=60").solve(flat).codec == JpegLS()
    assert lossless.reached == pytest.approx(micrograph.raw_bytes / len(lossless.data))


def test_a_guard_is_searched_through(micrograph: Image, encodes) -> None:
    """With a guard the coarsest setting takes the most bytes: the ends decide nothing."""
    guarded = codec("jpegls:ratio=2.6,guard=3").solve(micrograph)
    assert guarded.reached >= 2.6
    found = codec("jpegls:psnr=20,range=1500,guard=3").solve(micrograph)
    target = Target("psnr", 20, data_range=1500)
    request = codec("jpegls:psnr=20,range=1500,guard=3")
    tried = Encodes(micrograph)
    every = [tried.attempt(compose(request, near, micrograph), target) for near in range(1, 99)]
    # JPEG-LS and the residual quantize one after the other: where the step of one is a multiple of
    # the other's, some settings take up to a tenth less than their neighbors.
    assert len(found.data) <= min(one.size for one in every) * 1.1
    assert len(found.data) <= np.median([one.size for one in every])


def test_what_cannot_be_reached_is_told_with_the_nearest(micrograph, rounding) -> None:
    def solved(kind, value):
        parameter = replace(rounding.traits.parameter, least=50)
        target = Target(kind, value, data_range=1500, noise=NOISE)
        problem = SearchProblem("rounding", target, parameter, lambda step: rounding(step=step))
        return solve(problem, Encodes(micrograph))

    with pytest.raises(UnreachableTargetError, match=r"max_error=3 .* nearest gives 25 counts"):
        solved("max_error", 3)
    with pytest.raises(UnreachableTargetError, match=r"psnr=90 .* nearest gives 4\d\.\d+ dB"):
        solved("psnr", 90)


@pytest.mark.parametrize("name", ["max_error", "sigma", "psnr", "ratio"])
def test_constant_images_meet_any_target(name: str) -> None:
    for dtype in (np.uint8, np.uint16):
        found = codec(f"jpegls:{name}=3").solve(Image(np.full((20, 20), 9, dtype)))
        assert found.data


@pytest.mark.parametrize("scale", [1, 1e-6])
@pytest.mark.parametrize("kind", ["psnr=40", "sigma=0.5"])
def test_float32_below_one_count_is_solved_too(
    kind: str, scale: float, micrograph, rounding
) -> None:
    image = Image((micrograph.pixels / 4096 * scale).astype(np.float32))
    request = CodecRequest(rounding, asked=(kind.partition("=")[0], float(kind.partition("=")[2])))
    found = request.solve(image)
    assert found.reached >= 40 if kind == "psnr=40" else found.reached <= 0.5


@pytest.mark.parametrize(("finer", "ends"), [("lower", (9, 1)), ("higher", (1, 9))])
@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("integer", [True, False])
def test_positions_run_from_coarse_to_fine(finer, ends, scale, integer, rounding) -> None:
    parameter = replace(
        rounding.traits.parameter, least=1, most=9, finer=finer, scale=scale, integer=integer
    )
    values = [parameter.value_at(step / 20) for step in range(21)]
    assert (values[0], values[-1]) == ends
    assert values == sorted(values, reverse=finer == "lower")
    assert not integer or all(isinstance(value, int) for value in values)
    assert parameter.value_at(0.5) == (3 if scale == "log" else 5)


def test_the_bytes_of_settings_that_lost_are_let_go(
    micrograph: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search over a volume must not hold the bytes of every setting that it tried."""
    made: list[weakref.ref[Attempt]] = []
    honest = Encodes.attempt

    def watched(*args) -> Attempt:
        found = honest(*args)
        made.append(weakref.ref(found))
        return found

    monkeypatch.setattr(Encodes, "attempt", watched)
    alive: list[int] = []
    with progress.listen(lambda *_: alive.append(sum(ref() is not None for ref in made))):
        codec("jpeg2000:psnr=40,range=1500").solve(micrograph)
    assert len(made) > 5
    assert max(alive) <= 2
