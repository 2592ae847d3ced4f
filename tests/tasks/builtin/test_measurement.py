"""The measurement of known objects, and of what a codec did to the light."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import dilation, disk

from cytopress.datasets.catalogue import dataset
from cytopress.errors import NotAvailableError, TaskError, UsageError
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.settings import Settings
from cytopress.tasks.builtin.measurement import SCORES, VERSION, Measurement
from cytopress.tasks.objects import Objects, measure_objects

TASK = Measurement()


def _cells(*, noise: float = 20.0, shading: float = 0.0) -> tuple[Image, np.ndarray]:
    """Return 12 nuclei of 1500 counts on 400, 140 x 180, and their labels."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:140, :180]
    labels = np.zeros(y.shape, int)
    for number in range(12):
        cy, cx = 25 + 45 * (number // 4), 22 + 45 * (number % 4)
        labels[((y - cy) / 1.3) ** 2 + (x - cx) ** 2 < rng.uniform(8, 12) ** 2] = number + 1
    light = 400 + 1100 * ndimage.gaussian_filter((labels > 0).astype(float), 0.8)
    light = light + shading * x / 180
    return Image(np.rint(rng.normal(light, noise).clip(0)).astype(np.uint16)), labels


def _errors(scores: dict[str, float]) -> set[float]:
    return {value for name, value in scores.items() if name.endswith("_error")}


def test_known_objects_are_measured() -> None:
    image, labels = _cells()
    found, truth = TASK.predict(image), measure_objects(labels, image)
    assert found.count == 12
    # Their numbers follow the order of their first pixels.
    np.testing.assert_allclose(np.sort(found.area), np.sort(truth.area), rtol=0.06)
    np.testing.assert_allclose(np.sort(found.intensity), np.sort(truth.intensity), rtol=0.02)
    scores = TASK.score(found, truth, image)
    assert list(scores) == [score.name for score in SCORES]
    assert scores["count_error"] == 0
    assert scores["area_error"] < 0.03
    assert scores["intensity_error"] < 0.01


@pytest.mark.parametrize("change", ["gain", "offset"])
@pytest.mark.parametrize("share", [-0.02, 0.01, 0.02, 0.05])
def test_a_planted_bias_is_seen_where_similarity_is_not(change: str, share: float) -> None:
    """Against the original, the error is the bias; SSIM and r say that nothing happened."""
    image, _ = _cells()
    original = TASK.predict(image)
    pixels = image.pixels.astype(np.float64)
    biased = (
        pixels * (1 + share) if change == "gain" else pixels + share * original.intensity.mean()
    )
    decoded = Image(np.rint(biased).astype(np.uint16))
    span = float(np.subtract(*np.percentile(image.pixels, (99.99, 0.01))))
    assert metric("ssim")(image.pixels, decoded.pixels, span) > 0.99
    assert metric("pearson")(image.pixels, decoded.pixels, span) > 0.999
    scores = TASK.score(TASK.predict(decoded), original, decoded)
    assert scores["intensity_error"] == pytest.approx(abs(share), abs=1e-3)
    assert scores["count_error"] == 0
    assert scores["area_error"] < 0.003


@pytest.mark.parametrize("offset", [0, 100, 32768])
def test_a_loss_of_light_weighs_the_same_whatever_the_cameras_offset(offset: int) -> None:
    """46 % of the light is lost: relative to offset and light together that is next to nothing."""
    rng = np.random.default_rng(4)
    light = np.zeros((120, 120))
    light[20:50, 20:50] = light[70:100, 60:90] = 130
    light += rng.normal(0, 1, light.shape)
    before, after = (
        Image(np.rint(offset + 200 + share * light).astype(np.uint16)) for share in (1, 0.54)
    )
    original = TASK.predict(before)
    scores = TASK.score(TASK.predict(after), original, after)
    assert scores["signal_error"] == pytest.approx(0.46, abs=0.01)
    assert original.contrast == pytest.approx(130 / (offset + 330), rel=0.02)
    assert scores["intensity_error"] == pytest.approx(0.46 * original.contrast, rel=0.02)
    assert scores["contrast"] == pytest.approx(0.54 * 130 / (offset + 200 + 0.54 * 130), rel=0.03)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_blank_field_has_no_contrast_though_its_noise_is_cut_into_objects(
    correlation: float, seed: int
) -> None:
    noise = np.random.default_rng(seed).normal(0, 30, (96, 96))
    blank = Image(np.rint(500 + ndimage.gaussian_filter(noise, correlation)).astype(np.uint16))
    found = TASK.predict(blank)
    assert found.count > 0
    assert found.contrast == 0
    assert TASK.score(found, found, blank)["contrast"] == 0
    assert TASK.predict(_cells()[0]).contrast == pytest.approx(1100 / 1500, rel=0.05)


def test_a_blank_field_in_uneven_light_has_no_contrast() -> None:
    noise = np.random.default_rng(0).normal(0, 3, (96, 96))
    blank = 500 + 10 * np.arange(96) / 96 + noise
    assert TASK.predict(Image(np.rint(blank).astype(np.uint16))).contrast == 0


def test_harm_is_seen_against_the_truth() -> None:
    image, labels = _cells()
    truth = measure_objects(labels, image)
    blurred = Image(ndimage.gaussian_filter(image.pixels, 6.0))
    before = TASK.score(TASK.predict(image), truth, image)
    after = TASK.score(TASK.predict(blurred), truth, blurred)
    assert after["intensity_error"] > before["intensity_error"] + 0.05
    assert after["area_error"] > before["area_error"] + 0.05


def test_loss_of_light_can_hide_in_harm_but_not_in_agreement() -> None:
    """As the documentation says: outlines wider than the threshold's make the truth darker."""
    image, labels = _cells()
    truth = measure_objects(dilation(labels, disk(2)), image)
    darker = image.with_pixels(np.rint(image.pixels * 0.95).astype(np.uint16))
    before, after = TASK.predict(image), TASK.predict(darker)
    assert (
        TASK.score(after, truth, darker)["intensity_error"]
        < (TASK.score(before, truth, image)["intensity_error"])
    )
    agreement = TASK.score(after, before, darker)["intensity_error"]
    assert agreement == pytest.approx(0.05, abs=1e-3)


def test_specks_of_noise_are_no_objects() -> None:
    image, _ = _cells(noise=200.0)
    found, all_of_them = TASK.predict(image), Measurement(min_area=0, sigma=0.0).predict(image)
    assert found.count == 12
    assert all_of_them.count > 12


def test_the_least_area_is_kept_to() -> None:
    pixels = np.zeros((40, 40), np.uint8)
    pixels[5:9, 5:10] = pixels[20:29, 20:22] = 200
    areas = {least: Measurement(0.0, least).predict(Image(pixels)).area for least in (18, 19, 21)}
    assert {least: found.tolist() for least, found in areas.items()} == {
        18: [20, 18],
        19: [20],
        21: [],
    }
    # What is left out by default is less than 20 pixels.
    assert Measurement(sigma=0.0).predict(Image(pixels)).area.tolist() == [20]


def test_uneven_background_fools_one_threshold() -> None:
    """As the documentation says: this is the simplest analysis, not the best."""
    image, labels = _cells(shading=1500.0)
    truth = measure_objects(labels, image)
    assert TASK.score(TASK.predict(image), truth, image)["count_error"] > 0.3


def test_touching_at_a_corner_is_touching() -> None:
    pixels = np.zeros((40, 40), np.uint8)
    pixels[5:15, 5:15] = pixels[15:25, 15:25] = 200
    assert Measurement(sigma=0.0).predict(Image(pixels)).count == 1


def test_errors_are_of_the_means() -> None:
    """One grows and one shrinks: what a lab reports of the field is the same."""
    image = Image(np.full((20, 40), 100, np.uint8))
    reference, prediction = np.zeros((20, 40), int), np.zeros((20, 40), int)
    reference[2:12, 2:12], reference[2:12, 22:32] = 1, 2
    prediction[2:14, 2:12], prediction[2:10, 22:32] = 1, 2
    sides = measure_objects(prediction, image), measure_objects(reference, image)
    scores = TASK.score(*sides, image)
    assert scores.pop("objects") == 2
    assert set(scores.values()) == {0.0}


def test_nothing_found_and_nothing_there() -> None:
    image, labels = _cells()
    nothing, truth = measure_objects(np.zeros_like(labels), image), measure_objects(labels, image)
    assert _errors(TASK.score(nothing, nothing, image)) == {0.0}
    assert _errors(TASK.score(nothing, truth, image)) == {1.0}
    assert _errors(TASK.score(truth, nothing, image)) == {1.0}


@pytest.mark.parametrize("value", [0, 7, 255, 0.1, 1e30])
def test_a_constant_image_holds_no_objects(value: float) -> None:
    dtype = np.uint8 if isinstance(value, int) else np.float32
    assert TASK.predict(Image(np.full((50, 60), value, dtype))).count == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (3, 3)])
def test_any_size(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 4000, shape).astype(np.uint16)
    assert isinstance(TASK.predict(Image(pixels)), Objects)


def _spheres(spacing: tuple[float, float, float]) -> tuple[Image, list[float], list[float]]:
    """Return five balls apart from each other, their volumes in um^3 and levels."""
    shape = [round(16 / step) for step in spacing]
    grid = np.meshgrid(
        *(step * np.arange(n) for n, step in zip(shape, spacing, strict=True)), indexing="ij"
    )
    pixels, volumes, levels = np.full(shape, 100.0), [], []
    centers = [(4, 4, 4), (4, 12, 11), (12, 4, 5), (11, 11, 4), (12, 12, 12)]
    for number, center in enumerate(centers):
        radius, level = 2.5 + 0.25 * number, 1000.0 + 100 * number
        inside = sum((axis - at) ** 2 for axis, at in zip(grid, center, strict=True)) < radius**2
        pixels[inside] = level
        volumes.append(4 / 3 * np.pi * radius**3)
        levels.append(level)
    return Image(pixels.astype(np.uint16), spacing_um=spacing), volumes, levels


@pytest.mark.parametrize("spacing", [(0.25, 0.25, 0.25), (0.75, 0.25, 0.25), (1.0, 0.2, 0.2)])
def test_balls_have_the_volumes_and_levels_that_were_planted(
    spacing: tuple[float, float, float],
) -> None:
    image, volumes, levels = _spheres(spacing)
    found = TASK.predict(image)
    assert found.count == 5
    assert found.physical_size is not None
    # Smoothing moves the outline of a small ball a little, and planes cut it coarsely.
    np.testing.assert_allclose(np.sort(found.physical_size), volumes, rtol=0.12)
    np.testing.assert_allclose(np.sort(found.intensity), levels, rtol=0.05)


def test_a_volume_is_smoothed_by_the_same_distance_along_every_axis() -> None:
    # Two planes of light that are 3 um apart: one object where a Gaussian of 1 um fills the gap.
    pixels = np.zeros((11, 40, 40), np.uint16)
    pixels[[4, 6], 10:30, 10:30] = 1000
    task = Measurement(sigma=2.0)
    coarse = task.predict(Image(pixels, spacing_um=(2.0, 0.5, 0.5)))
    cubes = task.predict(Image(pixels, spacing_um=(0.5, 0.5, 0.5)))
    unknown = task.predict(Image(pixels))
    assert coarse.count == 2
    assert cubes.count == 1
    np.testing.assert_array_equal(unknown.labels, cubes.labels)


def test_a_volume_of_one_plane_is_measured_as_the_plane() -> None:
    image, _ = _cells()
    plane = TASK.predict(image)
    volume = TASK.predict(Image(image.pixels[None]))
    np.testing.assert_array_equal(volume.labels[0], plane.labels)
    np.testing.assert_array_equal(volume.intensity, plane.intensity)


def test_images_are_not_objects() -> None:
    image, _ = _cells()
    with pytest.raises(TaskError, match="measurement scores objects"):
        TASK.score(image, TASK.predict(image), image)


def test_weights_tell_options_apart() -> None:
    made = [TASK, Measurement(sigma=2.0), Measurement(min_area=21)]
    assert len({task.weights for task in made}) == 3
    assert dataclasses.replace(made[1], sigma=1.0).weights == TASK.weights


def test_results_are_stored_under_what_made_them() -> None:
    """Change the algorithm and you change these: then raise VERSION, and with it the digest."""
    image, _ = _cells()
    found = TASK.predict(image)
    assert (VERSION, found.count) == (1, 12)
    assert found.area.sum() == pytest.approx(5390, abs=3)
    assert TASK.weights.startswith("916676da9161512c")


@pytest.mark.parametrize("options", [{"sigma": -1}, {"sigma": float("nan")}, {"min_area": -1}])
def test_options_that_make_no_sense(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        Measurement(**options)  # type: ignore[arg-type]


def test_real_nuclei_are_counted(settings: Settings) -> None:
    try:
        data = dataset("scratch-assay", settings)
    except NotAvailableError as error:
        pytest.skip(str(error))
    scores = []
    for field in data.part("test"):
        image = data.read_target(field)
        truth = measure_objects(data.read_labels(field), image)
        found = TASK.score(TASK.predict(image), truth, image)
        scores.append([found[f"{kind}_error"] for kind in ("intensity", "count", "area")])
    assert (np.mean(scores, axis=0) < 0.1).all()
