"""Shared encodes: the same bytes as without, and far fewer of them made."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.adapters.jpeg2000 import Jpeg2000
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Encodes
from cytopress.errors import UnreachableTargetError
from cytopress.image import Image

RATIOS = (3, 4, 6, 8, 10, 14, 20, 28, 40, 57, 80, 113)
SPECS = (
    "jpegls:ratio=3",
    "jpegls:ratio=5",
    "jpegls:psnr=38,range=1500",
    "jpegls:psnr=44,range=1500",
    "jpegls:psnr=44,range=3000",
    "jpegls:sigma=0.7,a=2,b=20",
    "jpegls:sigma=0.7,a=1,b=9",
    "jpegls:max_error=9",
    "jpegls:max_error=30,guard=12",
    "jpegls:near=3",
    "jpegls",
    "jpeg2000:ratio=8",
    "jpeg2000:psnr=40,range=1500",
    "jpeg2000:psnr=40,range=1500,tile=32",
    "jpeg2000:max_error=40",
    "anscombe-jpegxl:ratio=6,a=2,b=20",
    "anscombe-jpegxl:sigma=0.7,a=2,b=20",
)


@pytest.fixture
def coded(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that gets the level of every real encode of JPEG 2000."""
    levels: list[float] = []
    honest = Jpeg2000.compress

    def counting(codec: Jpeg2000, image: Image) -> bytes:
        levels.append(codec.level)
        return honest(codec, image)

    monkeypatch.setattr(Jpeg2000, "compress", counting)
    return levels


def test_solutions_are_the_same_with_and_without(micrograph: Image) -> None:
    """Whether bytes are kept, or made again because they were let go."""
    image = Image(micrograph.pixels[:64, :64], bits=micrograph.bits)
    shared = [Encodes(image, most_bytes) for most_bytes in (0, 3000, 2**26)]
    alone = [codec(spec).solve(image) for spec in SPECS]
    for encodes in shared:
        for spec, expected in zip((*SPECS, *SPECS[::-1]), (*alone, *alone[::-1]), strict=True):
            found = codec(spec).solve(image, encodes)
            assert found.data == expected.data, spec
            assert found.codec == expected.codec
            assert (found.reached, found.warnings) == (expected.reached, expected.warnings)
            assert found.encode_s > 0


def test_stacks_share_too(micrograph: Image) -> None:
    stack = Image(np.stack([micrograph.pixels[:40, :40], micrograph.pixels[40:80, :40]]))
    encodes = Encodes(stack)
    for spec in ("jpeg2000:ratio=5", "jpeg2000:ratio=9", "jpeg2000:ratio=5,z=wavelet"):
        assert codec(spec).solve(stack, encodes).data == codec(spec).solve(stack).data


def test_many_ratios_take_less_than_seven_tenths_of_the_encodes(
    micrograph: Image, coded: list[float]
) -> None:
    for ratio in RATIOS:
        codec(f"jpeg2000:ratio={ratio}").solve(micrograph)
    apart = list(coded)
    coded.clear()
    encodes = Encodes(micrograph)
    for ratio in RATIOS:
        codec(f"jpeg2000:ratio={ratio}").solve(micrograph, encodes)
    assert apart.count(0) == len(RATIOS)
    assert coded.count(0) == 1
    # No setting twice: what is left is what the searches do not have in common.
    assert len(set(coded)) == len(coded) == len(set(apart))
    assert len(coded) < 0.7 * len(apart)


def test_a_target_of_another_kind_measures_without_a_new_encode(
    micrograph: Image, coded: list[float]
) -> None:
    encodes = Encodes(micrograph)
    codec("jpeg2000:psnr=40,range=1500").solve(micrograph, encodes)
    made = len(coded)
    codec("jpeg2000:psnr=40,range=1500").solve(micrograph, encodes)
    assert len(coded) == made
    with pytest.raises(UnreachableTargetError):
        codec("jpeg2000:ratio=1e6").solve(micrograph, encodes)
    # Its lossless form and both ends were known.
    assert len(coded) <= made + 9


def test_encodes_of_another_image_are_refused(micrograph: Image) -> None:
    other = Image(micrograph.pixels.copy(), bits=micrograph.bits)
    with pytest.raises(ValueError, match="one image"):
        codec("jpegls").solve(micrograph, Encodes(other))
