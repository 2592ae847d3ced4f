"""Every lossy codec takes the portable targets, and what it reached is measured here anew."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.members import SPECIALISTS, members, taken
from cytopress.codecs.container.container import unpack
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.errors import UnreachableTargetError, UnsupportedImageError
from cytopress.image import Image


def lossy() -> list[str]:
    return [name for name, family in members().items() if family.traits.parameter is not None]


def marked(name: str, *options: object) -> object:
    """Return a family with its marks: specialists differ in their weights alone."""
    marks = [pytest.mark.slow] if name in SPECIALISTS else []
    return pytest.param(name, *options, marks=marks)


def asked() -> list[object]:
    """Return each family with each target."""
    return [
        marked(name, kind, value)
        for name in lossy()
        for kind, value in (("max_error", 90), ("sigma", 1), ("psnr", 33))
    ]


@pytest.mark.parametrize(("name", "kind", "value"), asked())
def test_a_quality_asked_is_met_and_not_far_exceeded(
    name: str, kind: str, value: float, micrograph: Image
) -> None:
    """Measured here on the decoded pixels, with the yardsticks that stand in the spec."""
    micrograph = taken(name, micrograph)
    yardsticks = "range=1500,a=2,b=20,offset=100"
    found = codec(f"{name}:{kind}={value},{yardsticks}").solve(micrograph)
    error = decode(found.data).pixels.astype(np.float64) - micrograph.pixels
    variance = 20 + 2 * np.maximum(micrograph.pixels - 100.0, 0)
    reached = {
        "max_error": np.abs(error).max(),
        "sigma": np.sqrt(np.mean(error**2 / variance)),
        "psnr": 20 * np.log10(1500) - 10 * np.log10(np.mean(error**2)),
    }[kind]
    assert reached == pytest.approx(found.reached, rel=1e-9)
    # The slack is what a quality parameter of whole numbers or of powers of two cannot do better.
    most = value + 7 if kind == "psnr" else value
    assert (value if kind == "psnr" else 0.7 * value) <= reached <= most
    notes = unpack(found.data)[0].notes
    assert (notes["target"], notes["asked"]) == (kind, value)
    assert notes["reached"] == pytest.approx(reached, rel=1e-3)


@pytest.mark.parametrize("name", [marked(name) for name in lossy()])
def test_a_ratio_asked_is_met_or_its_excess_told(name: str, micrograph: Image) -> None:
    micrograph = taken(name, micrograph)
    found = codec(f"{name}:ratio=6,a=2,b=20").solve(micrograph)
    reached = micrograph.pixels.nbytes / len(found.data)
    assert reached >= 6
    exceeded = [text for text in found.warnings if "fewer bytes" not in text]
    assert bool(exceeded) == (reached > 6.6)
    assert not exceeded or "ratio=6" in exceeded[0]


@pytest.mark.parametrize("name", [marked(name) for name in lossy()])
def test_what_no_setting_meets_is_an_error(name: str, micrograph: Image) -> None:
    micrograph = taken(name, micrograph)
    with pytest.raises(UnreachableTargetError, match="the nearest"):
        codec(f"{name}:ratio=100000,a=2,b=20").solve(micrograph)


@pytest.mark.parametrize("name", [marked(name) for name in lossy()])
def test_the_resolution_is_chosen_where_that_is_better(name: str, micrograph: Image) -> None:
    """Never for more bytes than at full resolution, and the quality asked is met all the same."""
    if "uint16" not in members()[name].traits.dtypes:
        with pytest.raises(UnsupportedImageError):
            codec(f"{name}:psnr=28,range=1500,scale=2").solve(micrograph)
        return
    image = taken(name, micrograph)
    spec = f"{name}:psnr=28,range=1500,a=2,b=20,offset=100"
    sizes = {}
    for scale in ("1", "auto"):
        found = codec(f"{spec},scale={scale}").solve(image)
        error = decode(found.data).pixels.astype(np.float64) - image.pixels
        assert 20 * np.log10(1500) - 10 * np.log10(np.mean(error**2)) >= 28
        sizes[scale] = len(found.data)
    assert sizes["auto"] <= sizes["1"]
