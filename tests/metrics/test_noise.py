"""The noise model, against cameras whose gain and read noise are known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from cytopress.datasets.dataset import open_dataset
from cytopress.errors import UsageError
from cytopress.image import Image
from cytopress.metrics.noise import NoiseModel, fit_noise

pytestmark = pytest.mark.both_numpy

Floats = npt.NDArray[np.float64]


def scene(seed: int, brightest: float, *, side: int = 384) -> Floats:
    """Light without noise: an uneven background, textured discs with blurred edges."""
    rng = np.random.default_rng(seed)
    light = 24 * ndimage.gaussian_filter(rng.normal(size=(side, side)), 40)
    rows, columns = np.ogrid[:side, :side]
    for _ in range(40):
        row, column = rng.integers(0, side, 2)
        disc = (rows - row) ** 2 + (columns - column) ** 2 < rng.integers(5, 25) ** 2
        light[disc] += rng.uniform(0.2, 1)
    light = ndimage.gaussian_filter(light, 1.2)
    light += 0.03 * ndimage.gaussian_filter(rng.normal(size=light.shape), 1) * (light > 0.3)
    light -= light.min()
    return np.asarray(50 + light / light.max() * brightest)


def expose(light: Floats, seed: int, *, gain: float, read: float, offset: float) -> Floats:
    """Take a picture: Poisson electrons at ``gain`` counts each, Gaussian read noise, rounding."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(light / gain) * gain + rng.normal(0, read, light.shape)
    return np.rint(counts + offset)


def camera(seed: int, brightest: float, *, gain: float, read: float, offset: float) -> Image:
    counts = expose(scene(seed, brightest), seed, gain=gain, read=read, offset=offset)
    return Image(np.clip(counts, 0, 65535).astype(np.uint16))


@pytest.mark.parametrize(
    ("gain", "read", "offset", "brightest"),
    [(0.5, 2, 100, 3000), (2.2, 1.5, 100, 20000), (0.05, 3, 400, 10000), (8, 10, 1000, 50000)],
)
def test_camera_is_recovered_in_presence_of_structure(
    gain: float, read: float, offset: float, brightest: float
) -> None:
    images = [camera(seed, brightest, gain=gain, read=read, offset=offset) for seed in range(3)]
    fit = fit_noise(images)
    assert fit.good, fit.reason
    assert fit.model.a == pytest.approx(gain, rel=0.10)
    light = np.concatenate([scene(seed, brightest).ravel() for seed in range(3)])
    true_sigma = np.sqrt(gain * light + read**2)
    ratio = fit.model.sigma(light + offset) / true_sigma
    low, middle, high = np.quantile(ratio, [0.01, 0.5, 0.99])
    assert low > 0.93
    assert 0.97 < middle < 1.04
    assert high < 1.07
    assert fit.means.shape == fit.variances.shape
    assert fit.means.size >= 4


def test_one_field_is_enough_for_a_line() -> None:
    fit = fit_noise([camera(5, 3000, gain=0.5, read=2, offset=100)])
    assert fit.good
    assert fit.model.a == pytest.approx(0.5, rel=0.1)


def test_stack_is_read_plane_by_plane() -> None:
    planes = [camera(seed, 3000, gain=0.5, read=2, offset=100) for seed in (1, 2)]
    stack = Image(np.stack([plane.pixels for plane in planes]))
    assert fit_noise([stack]).model.a == pytest.approx(0.5, rel=0.1)


def test_offset_is_the_darkest_level_and_variance_is_constant_below() -> None:
    image = camera(0, 3000, gain=0.5, read=2, offset=100)
    model = fit_noise([image]).model
    assert 100 < model.offset < np.quantile(image.pixels, 0.02)
    assert model.variance(0.0) == model.variance(model.offset) == model.b


def test_gaussian_noise_alone_gives_its_sigma() -> None:
    rng = np.random.default_rng(0)
    flat = Image(np.rint(1000 + rng.normal(0, 7, (256, 256))).astype(np.uint16))
    model = fit_noise([flat]).model
    assert model.sigma(1000) == pytest.approx(math.sqrt(49 + 1 / 12), rel=0.03)


def test_float_images_have_no_rounding_floor() -> None:
    rng = np.random.default_rng(0)
    image = Image(rng.normal(0, 1e-3, (256, 256)).astype(np.float32))
    assert fit_noise([image]).model.sigma(0) == pytest.approx(1e-3, rel=0.03)


def test_median_filter_is_noticed() -> None:
    counts = expose(scene(3, 3000), 3, gain=0.5, read=2, offset=100)
    fit = fit_noise([Image(ndimage.median_filter(counts, 3).astype(np.uint16))])
    assert not fit.good
    assert fit.model.a == 0
    assert "filter" in fit.reason


def test_rounding_to_few_grey_levels_is_noticed() -> None:
    counts = expose(scene(3, 3000), 3, gain=0.5, read=2, offset=100)
    few = np.rint(np.clip(counts / counts.max(), 0, 1) * 50).astype(np.uint8) * 5
    fit = fit_noise([Image(few)])
    assert not fit.good
    assert "5 counts apart" in fit.reason


def test_camera_that_shifts_its_bits_to_the_left_is_a_camera() -> None:
    image = camera(3, 3000, gain=0.5, read=2, offset=100)
    fit = fit_noise([Image(image.pixels * 16)])
    assert fit.good
    assert fit.model.a == pytest.approx(16 * 0.5, rel=0.1)


def test_noise_below_rounding_is_noticed() -> None:
    counts = np.rint(scene(3, 200) + np.random.default_rng(0).normal(0, 0.1, (384, 384)))
    fit = fit_noise([Image(counts.astype(np.uint8))])
    assert not fit.good
    assert fit.model.b >= 0.0833333
    assert "rounding" in fit.reason


def test_fields_of_different_gain_are_noticed() -> None:
    one = camera(0, 3000, gain=0.5, read=2, offset=100)
    other = camera(1, 3000, gain=4, read=2, offset=100)
    fit = fit_noise([one, other])
    assert not fit.good
    assert fit.model.a == 0
    assert "line" in fit.reason


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((1, 1), np.uint8),
        np.full((1, 1), 7.0, np.float32),
        np.zeros((1, 500), np.uint16),
        np.full((64, 64), 1000, np.uint16),
        np.full((64, 64), 65535, np.uint16),
        np.full((64, 64), 0.0, np.float32),
        np.full((64, 64), 3e38, np.float32),
        np.where(np.indices((64, 64)).sum(0) % 2, 3.4e38, -3.4e38).astype(np.float32),
        np.where(np.indices((64, 64)).sum(0) % 2, 0, 65535).astype(np.uint16),
        np.repeat(np.repeat(np.arange(256, dtype=np.uint16).reshape(16, 16), 32, 0), 32, 1),
        np.arange(256 * 256, dtype=np.uint16).reshape(256, 256),
        np.full((3, 64, 64), 5, np.uint8),
        np.full((64, 64), 1e-42, np.float32),
    ],
)
def test_extreme_images_fall_back_and_say_so(pixels: npt.NDArray[np.generic]) -> None:
    fit = fit_noise([Image(pixels)])
    assert not fit.good
    assert fit.model.a == 0
    assert fit.model.b > 0
    assert fit.reason.startswith("One sigma for every level: ")
    if pixels.dtype.kind == "u":
        assert fit.model.b >= 0.0833333


def test_numbers_have_six_significant_digits() -> None:
    model = fit_noise([camera(0, 3000, gain=0.5, read=2, offset=100)]).model
    for number in (model.a, model.b, model.offset):
        assert number == float(f"{number:.6g}")


def test_no_image_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one"):
        fit_noise([])


@pytest.mark.parametrize(
    ("a", "b", "offset"), [(-1, 1, 0), (1, 0, 0), (1, -1, 0), (math.nan, 1, 0), (1, 1, math.inf)]
)
def test_impossible_models_are_refused(a: float, b: float, offset: float) -> None:
    with pytest.raises(UsageError, match="noise model needs"):
        NoiseModel(a=a, b=b, offset=offset)


def test_gap_between_the_darkest_level_and_the_others() -> None:
    """Then the darkest patches are a level of their own twice over."""
    rng = np.random.default_rng(0)
    light = np.full((400, 400), 2000.0)
    light[:, :100] = 100
    light += np.linspace(0, 800, 400)[:, np.newaxis] * (light > 1000)
    counts = rng.poisson(light / 0.5) * 0.5 + rng.normal(100, 2, light.shape)
    fit = fit_noise([Image(np.rint(counts).astype(np.uint16))])
    assert fit.good
    assert fit.model.a == pytest.approx(0.5, rel=0.1)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "fault", "sigma"),
    [("ecoli-phase", "filter", (60, 110)), ("nuclei-brightfield", "fields disagree", (1.5, 4))],
)
def test_processed_data_sets_are_seen_through(
    data_folder: Path, name: str, fault: str, sigma: tuple[float, float]
) -> None:
    """The one was median-filtered by its authors, the other converted to 8 bits."""
    dataset = open_dataset(data_folder / name)
    fit = fit_noise([dataset.read_input(field) for field in dataset.part("train")])
    assert not fit.good
    assert fault in fit.reason
    assert sigma[0] < fit.model.sigma(0) < sigma[1]
