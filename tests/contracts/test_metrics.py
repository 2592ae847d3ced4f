"""What every metric must keep, whichever it is."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from cytopress.errors import ImageError, NotAvailableError, UsageError
from cytopress.metrics import METRICS, Metric, NoiseModel, available, metric, metric_names

pytestmark = pytest.mark.both_numpy

Pixels = npt.NDArray[np.generic]
NAMES = [name for name in metric_names() if available(name)]
BEST = dict.fromkeys(("ssim", "ms_ssim", "pearson", "variation_xy", "variation_z"), 1.0) | {
    "psnr": math.inf,
    "frc_resolution": 0.5,
    "frc_resolution_z": 0.5,
}


@pytest.fixture(params=NAMES)
def one(request: pytest.FixtureRequest) -> Metric:
    return metric(request.param, noise=NoiseModel(a=0.5, b=4, offset=100))


@pytest.fixture
def clean(one: Metric) -> npt.NDArray[np.float64]:
    """A plane, or a volume for metrics of volumes alone."""
    if 2 in one.dims:
        return picture()
    return np.stack([picture(seed)[:40, :48] for seed in range(16)])


def picture(seed: int = 0) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((192, 176))
    light = 500 + 200 * np.sin(rows / 9) * np.cos(columns / 7)
    return light + rng.normal(0, 20, light.shape)


def worse(image: npt.NDArray[np.float64], sigma: float) -> npt.NDArray[np.float64]:
    return image + 0.2 * sigma + np.random.default_rng(5).normal(0, sigma, image.shape)


def as_type(values: npt.NDArray[np.float64], dtype: str) -> Pixels:
    if dtype == "float32":
        return values.astype(dtype)
    return np.clip(np.rint(values), 0, np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_equal_images_score_best_and_worse_ones_worse(
    one: Metric, clean: npt.NDArray[np.float64], dtype: str
) -> None:
    scale = 0.25 if dtype == "uint8" else 1.0
    images = [clean, worse(clean, 15), worse(clean, 900)]
    reference, test, bad = (as_type(image * scale, dtype) for image in images)
    best = one(reference, reference.copy(), 400 * scale)
    values = [best, one(reference, test, 400 * scale), one(reference, bad, 400 * scale)]
    assert best == pytest.approx(BEST.get(one.name, 0), abs=1e-9)
    assert values == sorted(values, reverse=one.better == "higher")
    assert values[0] != values[2]


def test_original_scale_is_kept(one: Metric, clean: npt.NDArray[np.float64]) -> None:
    """A gain of the test image is an error, not something to be normalized away."""
    reference = as_type(clean, "uint16")
    brighter = as_type(clean * 1.2, "uint16")
    value = one(reference, brighter, 400)
    if one.name in ("pearson", "frc_resolution", "frc_resolution_z"):
        assert value > 0.49
    else:
        assert abs(value - one(reference, reference, 400)) > 1e-3


def test_inputs_are_left_alone(one: Metric, clean: npt.NDArray[np.float64]) -> None:
    reference, test = as_type(clean, "uint16"), as_type(worse(clean, 9), "uint16")
    copies = reference.copy(), test.copy()
    for image in (reference, test):
        image.flags.writeable = False
    one(reference, test, 400)
    assert np.array_equal(reference, copies[0])
    assert np.array_equal(test, copies[1])


def test_memory_layout_does_not_matter(one: Metric, clean: npt.NDArray[np.float64]) -> None:
    reference, test = as_type(clean, "uint16"), as_type(worse(clean, 9), "uint16")
    strided = [np.repeat(image, 2, axis=1)[:, ::2] for image in (reference, test)]
    assert one(*strided, 400) == pytest.approx(one(reference, test, 400), rel=1e-12)


def test_result_is_a_plain_float(one: Metric, clean: npt.NDArray[np.float64]) -> None:
    reference, test = as_type(clean, "uint16"), as_type(worse(clean, 9), "uint16")
    value = one(reference, test, 400)
    assert type(value) is float
    assert math.isfinite(value)


def test_stacks_are_taken(one: Metric) -> None:
    reference = np.stack([as_type(picture(seed), "uint16") for seed in range(16)])
    test = np.stack([as_type(worse(picture(seed), 9), "uint16") for seed in range(16)])
    assert math.isfinite(one(reference, test, 400))


@pytest.mark.parametrize(
    ("reference", "test"),
    [
        (np.zeros((8, 8), np.uint8), np.zeros((8, 9), np.uint8)),
        (np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint16)),
        (np.zeros((1, 8, 8), np.uint8), np.zeros((8, 8), np.uint8)),
        (np.zeros((8, 0), np.uint8), np.zeros((8, 0), np.uint8)),
        (np.zeros(8, np.uint8), np.zeros(8, np.uint8)),
        (np.full((8, 8), np.nan, np.float32), np.zeros((8, 8), np.float32)),
    ],
)
def test_what_cannot_be_compared_is_refused(one: Metric, reference: Pixels, test: Pixels) -> None:
    with pytest.raises(ImageError, match="a metric needs"):
        one(reference, test, 100)


@pytest.mark.parametrize("data_range", [0.0, -1.0, math.nan, math.inf])
def test_data_range_must_be_positive(
    one: Metric, clean: npt.NDArray[np.float64], data_range: float
) -> None:
    image = as_type(clean, "uint16")
    with pytest.raises(UsageError, match="positive data range"):
        one(image, image, data_range)


def test_every_metric_says_its_unit_and_direction() -> None:
    assert {entry.better for entry in METRICS.values()} == {"higher", "lower"}
    assert {entry.unit for entry in METRICS.values()} == {
        "",
        "counts",
        "cycles/pixel",
        "cycles/plane",
        "dB",
        "sigma",
    }


def test_metrics_along_z_refuse_a_plane_in_one_sentence(one: Metric) -> None:
    plane = as_type(picture(), "uint16")
    if one.dims == (3,):
        with pytest.raises(NotAvailableError, match="needs a stack with the axes ZYX"):
            one(plane, plane, 400)
    else:
        assert math.isfinite(one(plane, as_type(worse(picture(), 9), "uint16"), 400))
