"""Which variant is searched, by what is expected and by one encode of each that may be best."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cytopress.codecs.container.container import unpack
from cytopress.codecs.learned.exact import payload
from cytopress.codecs.registry import build
from cytopress.codecs.spec import codec
from cytopress.codecs.targets import variants
from cytopress.codecs.targets.encodes import Encodes
from cytopress.codecs.wrappers import Lines, Scaled
from cytopress.image import Image

pytestmark = pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
NAME = "learned/cytopress-2d"


def blobs(*, sharp: bool, pickup: float = 0.0) -> Image:
    """Return blobs as a lens of low aperture shows them, or sharp ones with noise; and waves."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[:256, :256]
    light = np.full(y.shape, 900.0)
    for _ in range(70):
        cy, cx, radius = random.uniform(0, 256), random.uniform(0, 256), 2 if sharp else 7
        light += random.uniform(500, 4000) * np.exp(
            -((y - cy) ** 2 + (x - cx) ** 2) / (2 * radius**2)
        )
    if sharp:
        light += random.normal(0, 60, light.shape)
    light += pickup * np.cos(2 * np.pi * (0.21 * x + 0.07 * y))
    return Image(np.rint(np.clip(light, 0, 65535)).astype(np.uint16))


def parts_of(data: bytes) -> set[type]:
    return {type(one) for one in build(unpack(data)[0].recipe).nested()}


@pytest.fixture
def coded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Collect the shapes of all planes that the network codes."""
    shapes: list[tuple[int, ...]] = []
    compress = payload.compress

    def counted(model, quality, image):  # type: ignore[no-untyped-def]
        shapes.append(image.shape)
        return compress(model, quality, image)

    monkeypatch.setattr(payload, "compress", counted)
    return shapes


@pytest.mark.parametrize("target", ["ratio=10", "psnr=45", "sigma=0.7"])
def test_few_settings_are_coded(coded: list[tuple[int, ...]], target: str) -> None:
    image = blobs(sharp=True)
    found = codec(f"{NAME}:{target}").solve(image)
    assert sum(shape == image.shape for shape in coded) <= 5
    assert Scaled not in parts_of(found.data)


def test_a_fine_target_codes_no_lower_resolution(coded: list[tuple[int, ...]]) -> None:
    codec(f"{NAME}:psnr=50").solve(blobs(sharp=True))
    assert (128, 128) not in coded[:-1]


@pytest.mark.parametrize("target", ["ratio=150", "psnr=34"])
def test_none_of_the_resolutions_is_better_than_the_one_chosen(target: str) -> None:
    image = blobs(sharp=False)
    found = codec(f"{NAME}:{target},lines=0").solve(image)
    for scale in (1, 2, 4):
        other = codec(f"{NAME}:{target},lines=0,scale={scale}").solve(image)
        if target.startswith("psnr"):
            assert len(found.data) <= 1.06 * len(other.data)
        else:
            encodes = Encodes(image)
            errors = [_error(encodes, one.codec, one.data, image) for one in (found, other)]
            assert errors[0] <= 1.06 * errors[1]


def _error(encodes, one, data, image):  # type: ignore[no-untyped-def]
    header, stream = unpack(data)
    return np.mean((one.restore(stream, header.form).pixels.astype(float) - image.pixels) ** 2)


@pytest.mark.parametrize(
    ("saved", "told"), [(-0.1, False), (0.002, False), (0.02, None), (0.2, True)]
)
def test_waves_that_may_pay_are_coded_both_ways(
    monkeypatch: pytest.MonkeyPatch, saved: float, told: bool | None
) -> None:
    costs = iter([3.0, 3.0 - saved])
    expects = lambda *_: SimpleNamespace(reachable=True, cost=next(costs))  # noqa: E731
    monkeypatch.setattr(variants.Variant, "of", expects)
    nothing: Any = None
    assert variants.lines_pay(nothing, nothing, nothing) is told


def test_strong_waves_are_coded_apart() -> None:
    image = blobs(sharp=False, pickup=150.0)
    apart = codec(f"{NAME}:psnr=42").solve(image)
    plain = codec(f"{NAME}:psnr=42,lines=0").solve(image)
    assert (Lines in parts_of(apart.data)) == (len(apart.data) < len(plain.data))
    assert len(apart.data) <= len(plain.data)
