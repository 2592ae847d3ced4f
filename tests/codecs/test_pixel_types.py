"""Signed and 32-bit integers and float64: coded exactly, or refused in a sentence that helps."""

import numpy as np
import pytest

import cytopress
from cytopress.codecs.registry import FAMILIES
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.target import TARGET_KINDS
from cytopress.errors import UnsupportedImageError
from cytopress.image import DTYPES, MEASURED, Image

pytestmark = pytest.mark.both_numpy

OTHERS = [dtype.name for dtype in DTYPES if dtype not in MEASURED]


def made(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return every kind of number that a pixel type has."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        pixels = rng.normal(0, 1, shape) * 10.0 ** rng.integers(-300, 300, shape)
        special = (-0.0, 5e-324, -1.7976931348623157e308, 0.1)
    else:
        ends = np.iinfo(kind)
        pixels = rng.integers(ends.min, ends.max, shape, dtype=kind, endpoint=True)
        special = (ends.min, ends.max, 0, ends.max // 2 + 1)
    flat = pixels.reshape(-1)
    flat[: len(special)] = special[: flat.size]
    return flat.reshape(shape)


EXACT = [
    (family.name, dtype)
    for family in FAMILIES
    for dtype in OTHERS
    if dtype in family.traits.dtypes_of(lossless=True)
]


@pytest.mark.parametrize(("name", "dtype"), EXACT)
@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (37, 53), (3, 20, 17), (1, 4, 4)])
def test_a_codec_that_takes_a_pixel_type_returns_every_bit(
    name: str, dtype: str, shape: tuple[int, ...]
) -> None:
    for seed in range(3):
        image = Image(made(dtype, shape, seed), spacing_um=(0.3, 0.1, 0.1)[-len(shape) :])
        for spec in (name, f"{name}:tile=16"):
            back = cytopress.decode(cytopress.encode(image, spec))
            assert back == image
            assert back.pixels.tobytes() == image.pixels.tobytes()


@pytest.mark.parametrize("dtype", OTHERS)
def test_a_smooth_image_of_a_pixel_type_returns_every_bit(dtype: str) -> None:
    # Wavelets carry more bits than pixels have where neighbors differ little.
    slope = np.add.outer(np.arange(64), 3 * np.arange(80))
    for name in (name for name, taken in EXACT if taken == dtype):
        image = Image((slope % 120).astype(dtype))
        assert cytopress.decode(cytopress.encode(image, name)) == image


@pytest.mark.parametrize("dtype", OTHERS)
@pytest.mark.parametrize("name", [family.name for family in FAMILIES])
def test_all_other_coding_is_refused_with_a_codec_that_helps(name: str, dtype: str) -> None:
    image = Image(made(dtype, (16, 16)))
    family = next(one for one in FAMILIES if one.name == name)
    specs = []
    if family.traits.can_be_lossless and (name, dtype) not in EXACT:
        specs.append(name)
    if family.traits.parameter is not None:
        specs += [f"{name}:{kind}=3" for kind in TARGET_KINDS]
    for spec in specs:
        with pytest.raises(UnsupportedImageError, match=f"^{name} codes .*zstd codes {dtype} loss"):
            codec(spec).solve(image)
    assert cytopress.decode(cytopress.encode(image, "zstd")) == image


def test_the_form_of_a_file_stores_a_pixel_type_as_before() -> None:
    # Files hold these positions, in bits 2 to 4 of the sixth byte.
    stored = ["uint8", "uint16", "float32", "int8", "int16", "int32", "uint32", "float64"]
    for number, dtype in enumerate(stored):
        data = cytopress.encode(Image(np.zeros((2, 2), dtype)), "zstd")
        assert data[5] >> 2 & 7 == number
