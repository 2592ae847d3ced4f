import numpy as np
import pytest

from cytopress.errors import PackageError
from cytopress.kernels import paths, threads
from cytopress.kernels.lapped_transform import LappedAnalysis, LappedSynthesis, LappedTransform

pytestmark = pytest.mark.both_numpy
MOST = 2**28 - 1


def kernels(size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    along_y, along_x = random.integers(-1000, 1001, (2, size, 2 * size)).astype(np.int16)
    return along_y, along_x, random.permutation(size**2)


def rounded(sums: np.ndarray, shift: int) -> np.ndarray:
    return np.clip((sums + (1 << shift - 1)) >> shift, -MOST, MOST)


def synthesized(of: LappedTransform, latents: np.ndarray) -> np.ndarray:
    """Return the pixels by adding up every block's 2 S x 2 S pixels, first along y."""
    size, (height, width) = of.size, latents.shape[:2]
    y = np.clip(latents[..., of.order].astype(np.int64), -MOST, MOST)
    y = y.reshape(height, width, size, size)
    rows = np.zeros(((height + 1) * size, width, size), np.int64)
    for block in range(height):
        rows[block * size :][: 2 * size] += np.einsum(
            "xuv,ut->txv", y[block], of.along_y.astype(np.int64)
        )
    rows = rounded(rows, of.shift_y)[size // 2 : -(size // 2)]
    out = np.zeros((height * size, (width + 1) * size), np.int64)
    for block in range(width):
        out[:, block * size :][:, : 2 * size] += rows[:, block] @ of.along_x.astype(np.int64)
    return rounded(out, of.shift_x)[:, size // 2 : -(size // 2)]


def analyzed(of: LappedTransform, pixels: np.ndarray) -> np.ndarray:
    """Return the latents of each block from its 2 S x 2 S pixels."""
    size = of.size
    height, width = (n // size - 1 for n in pixels.shape)
    x = np.clip(pixels.astype(np.int64), -MOST, MOST)
    out = np.zeros((height, width, size**2), np.int64)
    for row in range(height):
        for column in range(width):
            window = x[row * size :, column * size :][: 2 * size, : 2 * size]
            rows = rounded(window @ of.along_x.T.astype(np.int64), of.shift_x)
            found = rounded(of.along_y.astype(np.int64) @ rows, of.shift_y)
            out[row, column, of.order] = found.reshape(-1)
    return out


def drawn(shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    """Return numbers of all sizes up to those of 32 bits."""
    random = np.random.default_rng(seed)
    numbers = random.integers(-(2**31), 2**31, shape) >> random.integers(0, 31, shape)
    return numbers.astype(np.int32)


@pytest.mark.parametrize("size", [8, 16])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (1, 9), (7, 1)])
@pytest.mark.parametrize("shifts", [(13, 16), (15, 14)])
def test_pixels_are_those_of_the_definition(
    path: str, size: int, shape: tuple[int, int], shifts: tuple[int, int]
) -> None:
    along_y, along_x, order = kernels(size)
    of = LappedSynthesis(along_y, along_x, *shifts, order)
    latents = drawn((*shape, size**2))
    np.testing.assert_array_equal(of(latents), synthesized(of, latents))


@pytest.mark.parametrize("size", [8, 16])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (1, 9), (7, 1)])
@pytest.mark.parametrize("shifts", [(13, 16), (15, 14)])
def test_latents_are_those_of_the_definition(
    path: str, size: int, shape: tuple[int, int], shifts: tuple[int, int]
) -> None:
    along_y, along_x, order = kernels(size, 2)
    of = LappedAnalysis(along_y, along_x, *shifts, order)
    pixels = drawn(tuple((n + 1) * size for n in shape))
    np.testing.assert_array_equal(of(pixels), analyzed(of, pixels))


def test_latents_may_be_some_of_more_channels(path: str) -> None:
    along_y, along_x, order = kernels(8, 3)
    pixels, out = drawn((40, 48)), np.full((4, 5, 150), 7, np.int32)
    channels = np.random.default_rng(4).permutation(150)[:64]
    found = LappedAnalysis(along_y, along_x, 14, 14, channels)(pixels, out)
    assert found is out
    alone = LappedAnalysis(along_y, along_x, 14, 14, order)(pixels)
    np.testing.assert_array_equal(out[..., channels], alone[..., order])
    others = np.setdiff1d(np.arange(150), channels)
    assert (out[..., others] == 7).all()
    for wrong in (out[..., :100], out[:3], out.astype(np.int64), out[0]):
        with pytest.raises(ValueError, match="cannot be"):
            LappedAnalysis(along_y, along_x, 14, 14, channels)(pixels, wrong)
    with pytest.raises(PackageError, match="frequencies"):
        LappedSynthesis(along_y, along_x, 14, 14, channels)


@pytest.mark.parametrize("number", [2, 5])
def test_threads_change_no_number(path: str, number: int) -> None:
    synthesis = LappedSynthesis(*kernels(8)[:2], 14, 14, kernels(8)[2])
    latents = drawn((11, 6, 64))
    alone = synthesis(latents)
    with threads.using(number):
        np.testing.assert_array_equal(synthesis(latents), alone)
    analysis = LappedAnalysis(*kernels(8)[:2], 14, 14, kernels(8)[2])
    pixels = drawn((96, 64))
    alone = analysis(pixels)
    with threads.using(number):
        np.testing.assert_array_equal(analysis(pixels), alone)


def test_a_part_of_the_latents_gives_its_part_of_the_pixels(path: str) -> None:
    of = LappedSynthesis(*kernels(8)[:2], 14, 14, kernels(8)[2])
    latents = drawn((9, 8, 64))
    part = of(latents[2:7, 1:6])
    np.testing.assert_array_equal(part[8:-8, 8:-8], of(latents)[24:48, 16:40])


def test_extreme_values_with_the_largest_kernels_are_exact(path: str) -> None:
    # With 14 fractional bits, sums of 2 ** 16 - 1 are admitted.
    largest = np.full((8, 16), 2**12 - 1, np.int16)
    order = np.arange(64)
    signs = np.where(np.arange(64) % 3 == 0, 2**31 - 1, -(2**31)).astype(np.int32)
    latents = np.broadcast_to(signs, (3, 3, 64)).copy()
    synthesis = LappedSynthesis(largest, -largest, 14, 14, order)
    for values in (latents, np.full_like(latents, -(2**31)), np.full_like(latents, 2**31 - 1)):
        np.testing.assert_array_equal(synthesis(values), synthesized(synthesis, values))
    analysis = LappedAnalysis(largest, -largest, 14, 14, order)
    for value in (2**31 - 1, -(2**31)):
        pixels = np.full((24, 32), value, np.int32)
        np.testing.assert_array_equal(analysis(pixels), analyzed(analysis, pixels))


def test_an_orthonormal_transform_comes_back_within_a_rounding(path: str) -> None:
    frequency, place = np.arange(8)[:, None], np.arange(8)
    cosines = np.cos(np.pi * (place + 0.5) * frequency / 8) / np.where(frequency, 2, 8**0.5)
    kernel = np.zeros((8, 16), np.int16)
    kernel[:, 4:12] = np.rint(cosines * 2**14)
    order = np.arange(64)
    pixels = np.random.default_rng(3).integers(-(2**22), 2**22, (40, 56)).astype(np.int32)
    latents = LappedAnalysis(kernel, kernel, 14, 14, order)(pixels)
    back = LappedSynthesis(kernel, kernel, 14, 14, order)(latents)
    error = np.abs(back - pixels[4:-4, 4:-4])
    # The coefficients have 14 bits.
    assert error.max() < 2**22 * 2**-10


def test_kernels_whose_sums_could_leave_32_bits_are_refused() -> None:
    kernel = np.full((8, 16), 2**12, np.int16)
    with pytest.raises(PackageError, match="leave 32 bits"):
        LappedSynthesis(kernel, kernel // 8, 14, 14, np.arange(64))
    with pytest.raises(PackageError, match="leave 32 bits"):
        LappedAnalysis(kernel // 8, kernel, 14, 14, np.arange(64))
    with pytest.raises(PackageError, match="leave 32 bits"):
        LappedSynthesis(kernel // 2, kernel // 8, 10, 14, np.arange(64))


def test_orders_that_are_none_are_refused() -> None:
    along_y, along_x, _ = kernels(8)
    for order in (np.zeros(64, int), np.arange(1, 65), np.arange(63), np.arange(64.0)):
        with pytest.raises(PackageError, match=r"frequencies|kernels"):
            LappedSynthesis(along_y, along_x, 14, 14, order)


@pytest.mark.slow
def test_ten_thousand_random_latents_agree_on_every_path() -> None:
    random = np.random.default_rng()
    for seed in range(100):
        of = LappedSynthesis(*kernels(8, seed)[:2], 14, 14, kernels(8, seed)[2])
        latents = drawn((10, 10, 64), int(random.integers(2**31)))
        found = []
        for path in paths.available():
            with paths.using(path), threads.using(int(random.integers(1, 9))):
                found.append(of(latents))
        for each in found[:-1]:
            np.testing.assert_array_equal(each, found[-1])
