"""What single adapters must not do again: each was seen to go wrong in the library below."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.adapters.avif import Avif
from cytopress.codecs.adapters.htj2k import Htj2k
from cytopress.codecs.adapters.jpeg import Jpeg
from cytopress.codecs.registry import FAMILIES, decode, decode_by
from cytopress.codecs.spec import codec
from cytopress.codecs.trait_table import rows
from cytopress.errors import UnsupportedImageError
from cytopress.image import Image


def noisy(bits: int, seed: int = 0) -> Image:
    """Return 96 x 80 pixels: a bump and noise, from the bottom of the range to its top."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :80]
    light = np.exp(-((y - 50) ** 2 + (x - 30) ** 2) / 400) + rng.normal(0, 0.05, y.shape)
    pixels = np.clip(light, 0, 1) * (2**bits - 1)
    return Image(pixels.astype(np.uint8 if bits <= 8 else np.uint16), bits=bits)


@pytest.mark.parametrize("step", [3e-5, 1e-3, 0.05])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_htj2k_does_not_turn_white_into_black(step: float, dtype: type) -> None:
    rng = np.random.default_rng(1)
    most = np.iinfo(dtype).max
    image = Image((rng.integers(0, 2, (40, 40)) * most).astype(dtype))
    decoded = decode(codec(f"htj2k:step={step}").encode(image)).pixels
    assert np.abs(decoded.astype(float) - image.pixels).max() < 0.5 * most


def test_htj2k_refuses_full_range_that_would_wrap_around() -> None:
    with pytest.raises(UnsupportedImageError, match="up to 15 bits"):
        Htj2k(step=0.01).encode(noisy(16))


def test_avif_quality_is_obeyed_and_fine() -> None:
    image = noisy(10)
    sizes = [len(Avif(quality=quality).encode(image)) for quality in (20, 40, 60, 80, 99)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 4 * sizes[0]
    assert len(Avif(quality=60.4).encode(image)) != len(Avif(quality=60.0).encode(image))


def test_avif_between_two_quantizers_shifts_no_mean() -> None:
    image = noisy(10)
    for quality in (70.0, 70.4, 70.8, 71.2):
        error = decode_by(Avif(quality=quality), Avif(quality=quality).encode(image)).pixels
        assert abs(error.astype(float).mean() - image.pixels.mean()) < 1.5


def test_jpeg_quality_means_the_same_for_8_and_12_bits() -> None:
    fine, coarse = noisy(12), noisy(8)
    for quality in (10, 50, 90):
        errors = []
        for image in (fine, coarse):
            coder = Jpeg(quality=quality)
            error = decode_by(coder, coder.encode(image)).pixels.astype(float) - image.pixels
            errors.append(np.sqrt(np.mean(error**2)) / 2**image.bits)
        assert errors[0] == pytest.approx(errors[1], rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 5), (1, 40, 40), (2, 1, 3)])
def test_sperr_codes_stacks_of_one_plane(shape: tuple[int, ...]) -> None:
    image = Image(np.random.default_rng(0).integers(0, 4096, shape).astype(np.uint16))
    decoded = decode(codec("sperr:tolerance=3").encode(image))
    assert decoded.shape == shape
    assert np.abs(decoded.pixels.astype(float) - image.pixels).max() <= 3


def test_the_table_has_a_full_row_for_every_codec() -> None:
    table = {row["name"]: row for row in rows()}
    assert set(table) >= {family.name for family in FAMILIES}
    for row in table.values():
        assert row["coding"] in {"lossless", "lossy", "lossless or lossy"}
        assert all(row[key] for key in ("dims", "dtypes", "bits", "reads_back_to"))
        assert bool(row["parameter"]) == (row["coding"] != "lossless")
        assert bool(row["parameter"]) == bool(row["unit"]) == bool(row["range"])
    assert table["jpegxl"]["range"] == "25 to 0.01"
    assert table["jpeg2000"]["range"] == "10 to 120"
