"""Where a learned setting needs more bytes than a classic codec, it says what to take."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.codecs.targets import classic_comparison
from cytopress.image import Image

# The model of 0.1.0: classic codecs need fewer bytes for the images made here.
NAME = "learned/cytopress-2d@40fd4518"
PLAIN = "lines=0,scale=1"


@pytest.fixture(scope="module")
def noise() -> Image:
    """Return 96 x 128 pixels of smooth light and noise of 30 counts."""
    y, x = np.mgrid[:96, :128]
    light = 3000 + 2000 * np.sin(y / 19) * np.cos(x / 23)
    return Image(np.rint(light + np.random.default_rng(1).normal(0, 30, light.shape)).astype("u2"))


def told(spec: str, image: Image) -> tuple[list[str], int, float]:
    """Return the warnings that name a codec, the bytes and the error."""
    found = codec(spec).solve(image)
    warnings = [one for one in found.warnings if "fewer bytes" in one]
    error = decode(found.data).pixels.astype(float) - image.pixels
    return warnings, len(found.data), float(np.sqrt(np.mean(error**2)))


def test_a_tight_guard_names_near_lossless_coding(noise: Image) -> None:
    (warning,), size, _ = told(f"{NAME}:quality=0.9,guard=3,{PLAIN}", noise)
    assert warning.startswith("at the same bound on every pixel jpegls:near=3 needs about ")
    fewer = int(re.findall(r"(\d+)%", warning)[0])
    assert len(codec("jpegls:near=3").encode(noise)) == pytest.approx(
        (1 - fewer / 100) * size, rel=0.03
    )


def test_what_is_named_takes_so_many_fewer_bytes_for_that_error(noise: Image) -> None:
    target = "psnr=72,range=65535"
    (warning,), size, error = told(f"{NAME}:{target},{PLAIN}", noise)
    named, fewer = re.findall(r"same error (\S+) needs about (\d+)% fewer", warning)[0]
    assert named.endswith(":psnr=72")
    data = codec(f"{named.partition(':')[0]}:{target}").encode(noise)
    other = decode(data).pixels.astype(float) - noise.pixels
    assert float(np.sqrt(np.mean(other**2))) == pytest.approx(error, rel=0.1)
    assert len(data) == pytest.approx((1 - int(fewer) / 100) * size, rel=0.1)


def test_nothing_is_told_where_noise_is_left_out(noise: Image) -> None:
    assert told(f"{NAME}:ratio=50,{PLAIN}", noise)[0] == []


def test_at_a_setting_the_classic_setting_is_named(
    noise: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Smooth waves are unlike all that the model knows, at coarse settings too.
    monkeypatch.setattr(classic_comparison, "FINE_BITS", 0.0)
    (warning,), size, error = told(f"{NAME}:quality=0.5,{PLAIN}", noise)
    named, fewer = re.findall(r"same error (\S+) needs about (\d+)% fewer", warning)[0]
    data = codec(named).encode(noise)
    other = decode(data).pixels.astype(float) - noise.pixels
    assert float(np.sqrt(np.mean(other**2))) == pytest.approx(error, rel=0.05)
    assert len(data) == pytest.approx((1 - int(fewer) / 100) * size, rel=0.1)


@pytest.mark.parametrize("counts", [1e-30, 1.0, 1e30])
def test_floats_are_coded_whatever_their_unit(noise: Image, counts: float) -> None:
    """Their error may be of more counts than 16 bits have; no rival codes them."""
    image = Image((noise.pixels * counts).astype(np.float32))
    warnings, size, error = told(f"{NAME}:quality=0.9,lines=0", image)
    assert warnings == []
    assert size > 0
    assert error < 100 * counts


def test_a_hot_pixel_of_a_float_image_is_coded(noise: Image) -> None:
    pixels = noise.pixels.astype(np.float32)
    pixels[40:60:3, 50:70:3] = 1e30
    assert told(f"{NAME}:quality=0.5,lines=0", Image(pixels))[1] > 0
