"""A learned codec's quality has no ceiling: a residual meets what no setting reaches."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.container.container import unpack
from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.codecs.wrappers import Guarded
from cytopress.errors import UnreachableTargetError
from cytopress.image import Image

pytestmark = pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
NAME = "learned/cytopress-2d"
PLAIN = "lines=0,scale=1"


@pytest.fixture(scope="module")
def smooth() -> Image:
    """Return 96 x 128 smooth pixels of 16 bits, with a range that leaves the finest setting far."""
    y, x = np.mgrid[:96, :128]
    light = 900 + 30000 * np.exp(-((y - 40) ** 2 + (x - 60) ** 2) / 200)
    noise = np.random.default_rng(5).normal(0, 12, light.shape)
    return Image(np.rint(light + noise).astype(np.uint16))


def error(image: Image, data: bytes) -> np.ndarray:
    return np.abs(decode(data).pixels.astype(int) - image.pixels)


def finest_rmse(image: Image) -> float:
    data = codec(f"{NAME}:quality=1,{PLAIN}").encode(image)
    return float(np.sqrt(np.mean(error(image, data) ** 2)))


def test_an_error_below_that_of_the_finest_setting_is_met(smooth: Image) -> None:
    rmse = finest_rmse(smooth) / 3
    psnr = 20 * np.log10(65535 / rmse)
    request = codec(f"{NAME}:psnr={psnr:.3f},range=65535,{PLAIN}")
    found = request.solve(smooth)
    reached = float(np.sqrt(np.mean(error(smooth, found.data) ** 2)))
    assert 0.5 * rmse < reached <= rmse
    # The recipe is that of a guard, which every version reads.
    (guard,) = (one for one in found.codec.nested() if isinstance(one, Guarded))
    again = request.at(found)
    assert again.guard == guard.max_error
    assert again.native == found.setting
    assert np.array_equal(decode(again.encode(smooth)).pixels, decode(found.data).pixels)


def test_a_bound_below_that_of_the_finest_setting_is_kept(smooth: Image) -> None:
    found = codec(f"{NAME}:max_error=4,{PLAIN}").solve(smooth)
    assert error(smooth, found.data).max() <= 4
    near = codec("jpegls:near=4").encode(smooth)
    assert len(found.data) < 1.3 * len(near)


def test_all_pixels_exactly_is_the_end_of_the_scale(smooth: Image) -> None:
    found = codec(f"{NAME}:psnr=140,range=65535,{PLAIN}").solve(smooth)
    assert not error(smooth, found.data).any()
    exactly = codec(f"{NAME}:max_error=0,{PLAIN}").solve(smooth)
    assert not error(smooth, exactly.data).any()
    # By a synthesis in floats another machine may decode otherwise by a count: exactness cannot be
    # promised.
    with pytest.raises(UnreachableTargetError):
        codec(f"{NAME}@40fd4518:max_error=0,{PLAIN}").solve(smooth)


def test_where_a_setting_reaches_the_target_there_is_no_residual(smooth: Image) -> None:
    psnr = 20 * np.log10(65535 / (3 * finest_rmse(smooth)))
    found = codec(f"{NAME}:psnr={psnr:.3f},range=65535,{PLAIN}").solve(smooth)
    assert not any(isinstance(one, Guarded) for one in found.codec.nested())


def test_classic_codecs_have_none(smooth: Image) -> None:
    with pytest.raises(UnreachableTargetError):
        codec("avif:max_error=1").solve(smooth)


@pytest.mark.parametrize("target", ["max_error=4", "psnr=85,range=65535"])
def test_few_settings_are_coded_and_the_base_of_a_residual_once(
    smooth: Image, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    coded: list[tuple[int, float | None]] = []
    honest = Learned.compress

    def counted(codec: Learned, image: Image) -> bytes:
        coded.append((image.pixels.size, codec.quality))
        return honest(codec, image)

    monkeypatch.setattr(Learned, "compress", counted)
    large = Image(np.tile(smooth.pixels, (4, 4)))
    found = codec(f"{NAME}:{target},{PLAIN}").solve(large)
    (guard,) = (one for one in found.codec.nested() if isinstance(one, Guarded))
    monkeypatch.undo()
    whole = [quality for size, quality in coded if size == large.pixels.size]
    # The finest setting, which says that none is fine enough, and the residual's base.
    assert set(whole) == {1.0, found.setting}
    assert len(whole) <= 3
    # What is reused changes nothing.
    data = guard.encode(large)
    assert np.array_equal(decode(data).pixels, decode(found.data).pixels)
    assert unpack(data)[1] == unpack(found.data)[1]
