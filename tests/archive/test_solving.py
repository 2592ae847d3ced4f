"""A channel's setting and resolution are solved once, from samples, for all of its chunks."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.archive.sample_codings import Samples
from cytopress.archive.solving import solve
from cytopress.codecs.spec import codec


def samples(noise: float) -> Samples:
    """Return chunks of cells on more pixels than their lens resolves, with noise of the camera."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[:128, :256]
    light = np.full(y.shape, 400.0)
    for _ in range(40):
        cy, cx = random.uniform(0, 128), random.uniform(0, 256)
        light += random.uniform(300, 3000) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 98)
    plane = np.rint(light + random.normal(0, noise, y.shape)).astype(np.uint16)
    chunks = [plane[:, :128], plane[:, 128:], plane[::-1, :128], plane[::-1, 128:]]
    return Samples("DNA", [plane], chunks, [0, 0, 1, 1], 16)


@pytest.mark.parametrize("target", ["psnr=48,range=4000", "ratio=12"])
def test_all_chunks_share_the_resolution_that_is_better(target: str) -> None:
    of = samples(noise=4)
    full, chosen = (solve(codec(f"jpegls:{target},scale={scale}"), of) for scale in ("1", "auto"))
    assert chosen.asked.endswith("scale=auto")
    (scale,) = (part for part in chosen.spec.split(",") if part.startswith("scale="))
    assert scale in ("scale=2", "scale=4")
    fixed = codec(chosen.spec)
    assert fixed.asked is None
    if target.startswith("ratio"):
        assert chosen.expected_rmse < full.expected_rmse
    else:
        assert chosen.expected_ratio > full.expected_ratio


def test_details_keep_the_full_resolution() -> None:
    of = samples(noise=60)
    full, chosen = (
        solve(codec(f"jpegls:psnr=45,range=4000,scale={scale}"), of) for scale in ("1", "auto")
    )
    assert chosen.spec == full.spec
    assert "scale" not in chosen.spec


def test_a_given_resolution_is_kept_and_lossless_coding_compared() -> None:
    found = solve(codec("jpegxl:psnr=40,range=4000,scale=2"), samples(noise=4))
    assert found.spec.endswith("scale=2")
