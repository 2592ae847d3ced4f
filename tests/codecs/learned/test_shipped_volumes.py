"""The volumetric codec that ships, on a simulated volume of a slide that it never saw."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import cytopress
from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.registry import decode_by
from cytopress.codecs.spec import codec
from cytopress.image import Image
from cytopress.models.model_package import open_package

pytest.importorskip("waveorder", reason="needs waveorder (extra phantom)")
pytestmark = [pytest.mark.long, pytest.mark.extras]
PACKAGE = open_package(
    Path(cytopress.__file__).parent / "models" / "shipped" / "cytopress-3d.cytomodel"
)


def _unseen(*shape: int) -> Image:
    """Return a bright-field volume of a test slide."""
    from cytopress.phantom.simulate import simulate
    from cytopress.phantom.slides import SLIDES

    slide = SLIDES[6]
    trained = {group for source in PACKAGE.manifest["trained_on"] for group in source["groups"]}
    assert slide.name not in trained
    planes, rows, columns = shape
    return simulate(slide, 1, shape=(planes, rows, columns)).bright_field


@pytest.fixture(scope="module")
def small() -> Image:
    return _unseen(16, 128, 128)


@pytest.mark.slow
def test_a_volume_needs_fewer_bytes_than_its_planes() -> None:
    """At equal PSNR, by a search that knows nothing of either codec."""
    unseen = _unseen(32, 256, 256)
    span = float(np.ptp(np.percentile(unseen.pixels, (0.01, 99.99))))
    sizes = {
        name: len(codec(f"{name}:psnr=30,range={span}").solve(unseen).data)
        for name in ("learned/cytopress-3d", "learned/cytopress-2d", "jpeg2000")
    }
    assert sizes["learned/cytopress-3d"] < 0.8 * min(
        sizes["learned/cytopress-2d"], sizes["jpeg2000"]
    )


def _mirrored(length: int, before: int, count: int) -> np.ndarray:
    """Return the places of an axis in turns forwards and backwards, so many before its start."""
    places = np.arange(-before, count - before) % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)


@pytest.mark.parametrize("quality", [pytest.param(0.2, marks=pytest.mark.slow), 0.7])
def test_no_border_of_slabs_or_regions_shows(small: Image, quality: float) -> None:
    """The error on borders is at most 1.05 times the error inside."""
    # Mirrored over and over, so that it is larger than a region of 512 x 1024 pixels.
    before, (_, rows, columns) = 100, small.shape
    wide = small.pixels[:, _mirrored(rows, before, 600)][..., _mirrored(columns, before, 1100)]
    codec_, whole = Learned(PACKAGE, quality), Image(wide, bits=small.bits)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = decode_by(codec_, codec_.encode(whole))
    squared = (back.pixels.astype(float) - wide) ** 2
    inside = squared[4:12]
    by_plane = np.sqrt(inside.mean((1, 2)).reshape(2, 4).mean(0))
    assert by_plane[[0, 3]].mean() < 1.05 * by_plane[[1, 2]].mean()
    for axis, border in ((1, 512), (2, 1024)):
        # The same pixels, mirrored, lie where no region ends.
        assert np.array_equal(np.take(wide, border, axis), np.take(wide, 2 * before - 1, axis))
        near, twin = (
            np.take(inside, range(place - 4, place + 4), axis) for place in (border, 2 * before)
        )
        assert np.sqrt(near.mean()) < 1.05 * np.sqrt(twin.mean())
