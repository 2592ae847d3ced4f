"""Planes as frames: exact where that is said, the same bytes every time, and honest refusals."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from cytopress.codecs.adapters import ffmpeg
from cytopress.codecs.adapters.av1 import AV1, Av1, temporal_units
from cytopress.codecs.adapters.hevc import HEVC, Hevc
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container.container import Form
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.codecs.wrappers.range_mapping import RangeMapping
from cytopress.errors import (
    CodecError,
    CorruptDataError,
    NotAvailableError,
    UnsupportedImageError,
    UsageError,
)
from cytopress.image import Image


def noise(shape: tuple[int, ...], bits: int, offset: int = 0) -> Image:
    values = np.random.default_rng(5).integers(0, 2**bits, shape) + offset
    return Image(values.astype(np.uint16))


@pytest.fixture(autouse=True)
def needs_av() -> None:
    pytest.importorskip("av", reason="PyAV is not installed (extra video)")


def drifting(planes: int = 8) -> Image:
    """Return cells that drift from plane to plane, with little noise."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:96, :112]
    stack = [
        800
        + 2500 * np.exp(-((y - 40 - z) ** 2 + (x - 50 + z) ** 2) / 200)
        + rng.normal(0, 5, y.shape)
        for z in range(planes)
    ]
    return Image(np.rint(np.stack(stack)).astype(np.uint16), bits=12)


@pytest.mark.parametrize("planes", [0, 1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("plane", [(1, 1), (3, 40), (17, 16), (64, 64), (97, 130)])
@pytest.mark.parametrize(
    ("coder", "bits"), [(Hevc, 12), (Hevc, 10), (Hevc, 8), (Av1, 10), (Av1, 8)]
)
def test_lossless_is_exact_at_any_shape(
    coder: type[StreamCodec], bits: int, plane: tuple[int, int], planes: int
) -> None:
    # Noise is what x265 was seen to code wrong in frames of one block.
    image = noise((planes, *plane) if planes else plane, bits, offset=31000)
    assert decode(coder().encode(image)) == image


@pytest.mark.parametrize("coder", [Hevc(), Hevc(qp=30.3), Av1(), Av1(crf=20.25)])
def test_equal_images_give_equal_bytes(coder: StreamCodec) -> None:
    image = Image(drifting().pixels >> 3)
    assert len({coder.encode(image) for _ in range(3)}) == 1


def test_what_is_alike_from_plane_to_plane_is_coded_once() -> None:
    image = drifting(16)
    for name in ("hevc", "av1"):
        over_z = len(codec(f"{name}:psnr=45,range=2500").encode(image))
        alone = sum(
            len(codec(f"{name}:psnr=45,range=2500").encode(Image(plane, bits=12)))
            for plane in image.pixels
        )
        assert over_z < alone / 2


def test_between_two_quantizers_lies_what_lies_between() -> None:
    """The error grows along one curve, whether a quantizer is whole or not."""
    image = drifting(4)
    quantizers = np.arange(20, 32, 0.5)
    errors = []
    for qp in quantizers:
        error = decode(Hevc(qp=float(qp)).encode(image)).pixels.astype(float) - image.pixels
        errors.append(np.sqrt(np.mean(error**2)))
    straight = np.polynomial.Polynomial.fit(quantizers, np.log2(errors), 2)
    halves = np.log2(errors)[1::2] - straight(quantizers[1::2])
    assert np.abs(halves).max() < 0.1
    assert abs(halves.mean()) < 0.02


def test_no_text_of_the_encoder_is_in_the_bytes() -> None:
    for coder in (Hevc(qp=30), Av1(crf=30)):
        data = coder.encode(noise((2, 100, 100), 8)).lower()
        assert not any(word in data for word in (b"x265", b"svt", b"lavc", b"http"))


def test_losslessly_only_what_fits_the_coded_bits() -> None:
    wide = Image(np.array([[0, 5000]], np.uint16))
    for spec, levels in (("hevc", 4096), ("hevc:bits=8", 256), ("av1", 1024)):
        with pytest.raises(UnsupportedImageError, match=f"below {levels} counts"):
            codec(spec).encode(wide)
    narrow = Image(np.array([[60000, 60000 + 4095]], np.uint16))
    assert decode(codec("hevc").encode(narrow)) == narrow


@pytest.mark.parametrize(
    "spec", ["hevc:bits=16", "hevc:preset=placebo", "hevc:qp=60", "av1:bits=12", "av1:preset=20"]
)
def test_what_the_encoders_do_not_know_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        codec(spec)


def test_a_lossless_stream_is_decoded_before_it_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = noise((2, 20, 20), 8)
    honest = RangeMapping.inverse
    monkeypatch.setattr(RangeMapping, "inverse", lambda *args: honest(*args) ^ 1)
    with pytest.raises(CodecError, match="coded this image wrong"):
        Hevc().encode(image)


def test_frames_missing_or_too_many_are_found() -> None:
    image = noise((3, 16, 16), 8)
    stream = Hevc(qp=20).compress(image)
    for shape in ((2, 16, 16), (4, 16, 16), (3, 200, 16)):
        with pytest.raises(CorruptDataError):
            Hevc(qp=20).restore(stream, Form("ZYX", shape, image.dtype, 16))


def test_without_pyav_or_its_encoder_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ffmpeg.VideoFormat("libnone", "none", HEVC.formats)
    with pytest.raises(NotAvailableError, match="no libnone"):
        other.encode([np.zeros((16, 16), np.uint16)], (1, 16, 16), 8, {})
    honest = builtins.__import__

    def without(name: str, *args, **kwargs):
        if name == "av":
            raise ImportError(name)
        return honest(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for coder in (Hevc(qp=20), Av1(crf=20)):
        with pytest.raises(NotAvailableError, match=r"cytopress\[video\]"):
            coder.encode(noise((16, 16), 8))


def test_color_that_no_image_has_costs_next_to_nothing() -> None:
    """AV1 here has no gray: the planes of one color are counted, and must not matter."""
    image = Image(np.zeros((4, 256, 256), np.uint16))
    assert AV1.formats[10] == "yuv420p10le"
    assert len(Av1(crf=20).encode(image)) < 400


@pytest.mark.parametrize("made", [Av1(preset=13), Hevc(preset="ultrafast")], ids=["av1", "hevc"])
def test_a_stream_longer_than_what_is_read_at_once_comes_back(made: StreamCodec) -> None:
    image = noise((5, 640, 640), 10)
    data = made.encode(image)
    assert len(data) > 2 * ffmpeg.CHUNK
    assert decode(data) == image


@pytest.mark.parametrize("end", [1, 5, 9])
def test_a_part_that_ends_beyond_an_av1_stream_is_told(end: int) -> None:
    stream = Av1(crf=30.0).compress(drifting())
    _, start = RangeMapping.take(stream)
    whole = stream[start:]
    assert b"".join(temporal_units(whole)) == whole
    assert len(list(temporal_units(whole))) == 8
    with pytest.raises(CorruptDataError):
        list(temporal_units(whole[:-end]))
