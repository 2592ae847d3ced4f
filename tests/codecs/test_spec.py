"""Spec strings: what they ask for, what they refuse, and that they come back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytopress.codecs.registry import FAMILIES, families
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.target import TARGET_KINDS
from cytopress.errors import UnknownNameError, UsageError
from cytopress.metrics import NoiseModel

POSITIVE = st.floats(1e-6, 1e6) | st.integers(1, 10**6)
NOISE = st.none() | st.builds(NoiseModel, POSITIVE, POSITIVE, st.floats(-1e5, 1e5))


@st.composite
def requests(draw: st.DrawFn) -> CodecRequest:
    family = draw(st.sampled_from(FAMILIES))
    parameter = family.traits.parameter
    kinds = ["lossless"] * family.traits.can_be_lossless + ["native", "asked"] * (
        parameter is not None
    )
    kind = draw(st.sampled_from(kinds))
    native = asked = None
    if kind == "native" and parameter is not None:
        native = parameter.value_at(draw(st.floats(0, 1)))
    if kind == "asked":
        asked = (draw(st.sampled_from(TARGET_KINDS)), draw(POSITIVE))
    return CodecRequest(
        family,
        native=native,
        asked=asked,
        data_range=draw(st.none() | POSITIVE),
        noise=draw(NOISE),
        tile=draw(st.none() | st.integers(16, 4096)),
        guard=draw(st.none() | st.integers(1, 65535)),
    )


@settings(max_examples=300, deadline=None)
@given(requests())
def test_a_spec_makes_the_same_choice_again(request: CodecRequest) -> None:
    assert codec(request.spec) == request
    assert codec(request.spec).spec == request.spec


@pytest.mark.parametrize(
    "spec",
    [
        "png",
        "jpegxl:ratio=50",
        "jpegls:max_error=4",
        "jpegls:near=3",
        "jpegxl:effort=3,psnr=40.5,range=2750",
        "jpegls:sigma=0.5,a=1.25,b=30,offset=99.5",
        "zstd:level=3,tile=512",
        "jpeg2000:psnr=40,tile=256,guard=5",
    ],
)
def test_specs_as_people_write_them_come_back_letter_by_letter(spec: str) -> None:
    assert codec(spec).spec == spec


def test_spaces_zeros_and_order_do_not_matter() -> None:
    assert codec("jpegls: psnr = 40.0 ,range=1e3") == codec("jpegls:range=1000,psnr=40")
    assert codec("jpegls:").lossless


@pytest.mark.parametrize("spec", ["png", "jpegls", "jpegls:near=0", "jpegxl:distance=0"])
def test_what_is_lossless_says_so(spec: str) -> None:
    assert codec(spec).lossless


@pytest.mark.parametrize("spec", ["jpegls:near=1", "jpegls:max_error=0", "jpeg:quality=100"])
def test_what_may_lose_says_so(spec: str) -> None:
    assert not codec(spec).lossless


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("jpegx", "no codec named 'jpegx'. Did you mean 'jpeg"),
        ("", "no codec named ''"),
        ("guarded", "no codec named 'guarded'"),
        ("JPEG-LS", "no codec named 'JPEG-LS'. Did you mean 'jpegls'"),
        ("jpegls:raio=3", "no option of jpegls named 'raio'. Did you mean 'ratio'"),
        ("jpegls:codec=3", "no option of jpegls named 'codec'"),
        ("jpegls:near", "key=value, not 'near'"),
        ("jpegls:near=", "key=value, not 'near='"),
        ("jpegls:near=1,", "key=value, not ''"),
        ("jpegls:near=1,near=1", "option near is given twice"),
        ("jpegls:near=1,psnr=2", "one of near and psnr, not both"),
        ("jpegls:ratio=1,psnr=2", "one of psnr and ratio, not both"),
        ("jpegls:ratio=nan", "ratio is a finite number, not 'nan'"),
        ("jpegls:ratio=inf", "ratio is a finite number, not 'inf'"),
        ("jpegls:ratio=1e400", "ratio is a finite number"),
        ("jpegls:ratio=1_000", "ratio is a finite number"),
        ("jpegls:ratio=many", "ratio is a finite number, not 'many'"),
        ("jpegls:ratio=0", "ratio is a number above 0"),
        ("jpegls:ratio=-3", "ratio is a number from 0 on, not -3"),
        ("jpegls:max_error=-1", "max_error is a number from 0 on, not -1"),
        ("jpegls:psnr=30,range=0", "range is a number of counts above 0"),
        ("jpegls:sigma=1,a=2", "needs a= and b="),
        ("jpegls:sigma=1,offset=2", "needs a= and b="),
        ("jpegls:sigma=1,a=1,b=-2", "noise model"),
        ("jpegls:near=999", "near is a whole number from 0 to 255, not 999"),
        ("jpegls:near=2.5", "near is a whole number"),
        ("jpegls:tile=8", "tile is an integer of at least 16 pixels"),
        ("jpegls:tile=20.5", "tile is a whole number, not 20.5"),
        ("jpegls:near=1,guard=-1", "guard is a whole number of counts"),
        ("png:ratio=3", "png is always lossless"),
        ("png:level=much", "level is a whole number"),
        ("jpeg", "jpeg is always lossy: give one of max_error"),
        ("jpegxl:effort=nan,ratio=3", "effort is a whole number"),
    ],
)
def test_a_wrong_spec_gets_one_sentence(spec: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        codec(spec)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=", ".join(sorted(families())[:3])):
        codec("gif")


@given(st.text(max_size=40))
def test_any_text_gives_a_choice_or_a_usage_error(text: str) -> None:
    try:
        request = codec(f"jpegls:{text}")
    except UsageError:
        return
    assert codec(request.spec) == request
