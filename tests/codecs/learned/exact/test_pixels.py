"""Normalization, background and rounding in integers, against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from cytopress.codecs.container.container import Form
from cytopress.codecs.learned.exact.pixels import Normalization, Surface, check_mesh
from cytopress.codecs.learned.pixels.background import Mesh
from cytopress.errors import CorruptDataError, PackageError
from cytopress.image import Image

pytestmark = pytest.mark.both_numpy
PERCENTILES = 0.1, 99.9


def background(mesh: Mesh, grid: np.ndarray, y: int, x: int) -> Fraction:
    """Return the background of a pixel: interpolated along both axes, beyond the ends too."""

    def along(values: list[Fraction], pixel: int) -> Fraction:
        if len(values) == 1:
            return values[0]
        at = (Fraction(2 * pixel + 1, 2)) / mesh.block - Fraction(1, 2)
        before = min(max(at.__floor__(), 0), len(values) - 2)
        return values[before] + (values[before + 1] - values[before]) * (at - before)

    rows = [along([Fraction(int(g)) for g in row], x) for row in grid]
    return along(rows, y) * Fraction(mesh.step)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (4, 1), (3, 4)])
@pytest.mark.parametrize("mesh", [Mesh(16, 2.0**-6), Mesh(64, 2.0**-11), Mesh(8, 2.0**-9)])
def test_backgrounds_are_interpolated_fractions(mesh: Mesh, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(2)
    grid = random.integers(-(2**15), 2**15, shape).astype(np.int32)
    height, width = (length * mesh.block - 3 for length in shape)
    surface = Surface(mesh, grid, width)
    places = list(zip(random.integers(0, height, 40), random.integers(0, width, 40), strict=True))
    for y, x in [(0, 0), (height - 1, width - 1), *places]:
        exact = background(mesh, grid, int(y), int(x)) * 2**15 + Fraction(1, 2)
        assert surface.rows(range(y, y + 1))[:][0, x] == exact.__floor__()


def test_backgrounds_of_crafted_numbers_are_clipped() -> None:
    mesh = Mesh(64, 2.0**-6)
    grid = np.full((2, 2), 2**24, np.int32)
    assert (Surface(mesh, grid, 90).rows(range(3))[:] == 2 ** (12 + 15)).all()


@pytest.mark.parametrize(("block", "step"), [(48, 2.0**-6), (64, 0.01), (2**16, 2.0**-6), (2, 1.0)])
def test_a_mesh_without_an_integer_form_is_refused(block: int, step: float) -> None:
    with pytest.raises(PackageError, match="powers of two"):
        check_mesh(Mesh(block, step))


@pytest.mark.parametrize(("dtype", "bits"), [("uint8", 8), ("uint16", 12), ("uint16", 16)])
def test_pixels_are_rounded_and_clipped_fractions(dtype: str, bits: int) -> None:
    random = np.random.default_rng(3)
    normalization = Normalization(173, 99, b"")
    values = random.integers(-(2**20), 2**20, (9, 70)).astype(np.int32)
    values[0, :6] = [2**31 - 1, -(2**31), 0, 2**15, -(2**15), 2**14]
    form = Form("YX", values.shape, np.dtype(dtype), bits)
    found = np.empty(values.shape, dtype)
    normalization.write(values, form, found, None)
    for value, pixel in zip(values.ravel().tolist(), found.ravel().tolist(), strict=True):
        exact = (Fraction(value * 173, 2**15) + 99 + Fraction(1, 2)).__floor__()
        assert pixel == min(max(exact, 0), 2**bits - 1)


def test_floats_are_rounded_doubles() -> None:
    image = Image(np.array([[-1.5, 0.1], [7.25, 3e5]], np.float32))
    normalization = Normalization.of(image, PERCENTILES)
    values = np.array([[0, 1], [-5, 2**30]], np.int32)
    found = np.empty(values.shape, np.float32)
    normalization.write(values, Form.of(image), found, None)
    span = normalization.span / 2**15
    expected = [np.float32(v * span + normalization.middle) for v in values.ravel().tolist()]
    np.testing.assert_array_equal(found.ravel(), expected)


def test_a_pixel_far_from_the_others_widens_the_range() -> None:
    pixels = np.full((100, 100), 1000, np.uint16)
    pixels[::2] = 1004
    pixels[4, 4] = 65_535
    normalization = Normalization.of(Image(pixels), PERCENTILES)
    assert (normalization.middle, normalization.span) == (1008, 64)
    plane = normalization(pixels)
    np.testing.assert_allclose(plane, (pixels.astype(float) - 1008) / 64, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_what_a_stream_begins_with_is_read_again(dtype: str) -> None:
    random = np.random.default_rng(4)
    image = Image((random.random((20, 30)) * 200).astype(dtype))
    packed = Normalization.of(image, PERCENTILES)
    assert Normalization.take(packed.packed + b"more", image.dtype) == (packed, b"more")
    with pytest.raises(CorruptDataError, match="ends within"):
        Normalization.take(packed.packed[:-1], image.dtype)


def test_limits_that_are_no_range_are_refused() -> None:
    kind = np.dtype(np.float32)
    for low, high in ((1, 0), (np.nan, 1), (0, np.inf)):
        data = np.array([low, high], "<f4").tobytes() + b"\0\0"
        with pytest.raises(CorruptDataError, match="no range"):
            Normalization.take(data, kind)


def test_limits_wider_than_all_counts_are_those_of_16_bits() -> None:
    image = Image(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000, limits=(-4000.0, 70000.0))
    found = Normalization.of(image, PERCENTILES)
    assert found.span == 2**16 - 1
    assert Normalization.take(found.packed, image.dtype)[0] == found
