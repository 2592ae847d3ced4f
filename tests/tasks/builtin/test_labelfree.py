"""Label-free tasks: the packages that ship, on real and on awkward images; no torch."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from cytopress.datasets.catalogue import dataset
from cytopress.errors import NotAvailableError, PackageError, TaskError
from cytopress.image import Image
from cytopress.models.model_package import Package, open_package
from cytopress.settings import Settings, from_environment
from cytopress.tasks.builtin.labelfree import SCORES, LabelFree, standardize

MODELS = Path(__file__).parents[3] / "src" / "cytopress" / "models" / "shipped"
CARDS = Path(__file__).parents[3] / "docs" / "models"
SHIPPED = sorted(MODELS.glob("labelfree-*.cytomodel"))
NAMES = ["ecoli-phase", "nuclei-brightfield", "scratch-assay"]
VOLUMES = ["phantom-3d"]
LEAST_PEARSON = {"ecoli-phase": 0.91, "nuclei-brightfield": 0.67}
MOST_BYTES = 5_000_000


def _task(name: str) -> LabelFree:
    return LabelFree(open_package(MODELS / f"labelfree-{name}.cytomodel"), threads=1)


@pytest.fixture(scope="module", params=NAMES)
def task(request: pytest.FixtureRequest) -> LabelFree:
    return _task(request.param)


def _noise(*shape: int) -> Image:
    counts = np.random.default_rng(0).integers(500, 4000, shape)
    return Image(counts.astype(np.uint16), spacing_um=(0.2,) * len(shape))


def test_these_ship() -> None:
    assert [path.stem for path in SHIPPED] == sorted(f"labelfree-{n}" for n in [*NAMES, *VOLUMES])
    assert all(path.stat().st_size <= MOST_BYTES for path in SHIPPED)


@pytest.mark.parametrize("name", [*NAMES, *VOLUMES])
def test_test_groups_were_not_trained_on(name: str) -> None:
    trained = _task(name).package.manifest["trained_on"]
    seen = {*trained["train"]["groups"], *trained["validation"]["groups"]}
    assert trained["test"]["groups"]
    assert not seen & set(trained["test"]["groups"])


@pytest.mark.parametrize("name", [*NAMES, *VOLUMES])
def test_network_beats_the_linear_baseline(name: str) -> None:
    results = _task(name).package.manifest["results"]
    assert results["mean"]["pearson"] > results["baseline_mean"]["pearson"]


@pytest.mark.parametrize(("name", "least"), LEAST_PEARSON.items())
def test_reached_what_it_should(name: str, least: float) -> None:
    assert _task(name).package.manifest["results"]["mean"]["pearson"] >= least


def test_scratch_assay_sees_less_than_the_gap_of_its_split() -> None:
    assert _task("scratch-assay").package.manifest["receptive_field"] <= 110


@pytest.mark.parametrize("name", [*NAMES, *VOLUMES])
def test_card_is_of_this_package(name: str) -> None:
    task, card = _task(name), (CARDS / f"labelfree-{name}.md").read_text(encoding="utf-8")
    results = task.package.manifest["results"]
    assert task.weights in card
    assert f"{results['mean']['pearson']:.4f}" in card
    assert f"{results['baseline_mean']['pearson']:.4f}" in card
    assert all(field in card for field in results["fields"])
    assert not re.search(r"/(work|home|root|tmp)/", card)


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["ecoli-phase", pytest.param("nuclei-brightfield", marks=pytest.mark.slow)]
)
def test_scores_on_test_fields_are_the_card_s(name: str, data_folder: Path) -> None:
    _check_scores(name, dataclasses.replace(from_environment(), data=data_folder))


def test_scores_on_the_embedded_test_fields_are_the_card_s(tmp_path: Path) -> None:
    try:
        _check_scores("scratch-assay", Settings(None, (), tmp_path, tmp_path))
    except NotAvailableError as error:
        pytest.skip(str(error))


def _check_scores(name: str, settings: Settings) -> None:
    task, data = _task(name), dataset(name, settings)
    expected = task.package.manifest["results"]["fields"]
    fields = data.part("test")
    assert [field.name for field in fields] == list(expected)
    for field in fields:
        source = data.read_input(field)
        found = task.score(task.predict(source), data.read_target(field), source)
        assert found == pytest.approx(expected[field.name], abs=2e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (33, 47), (130, 61)])
def test_any_size(task: LabelFree, shape: tuple[int, int]) -> None:
    image = _noise(*shape)
    prediction = task.predict(image)
    assert prediction.shape == shape
    assert prediction.dtype == np.float32
    assert prediction.spacing_um == image.spacing_um


def test_tiled_is_untiled(task: LabelFree) -> None:
    image = _noise(301, 277)
    whole = dataclasses.replace(task, tile=10_000).predict(image).pixels
    tiled = dataclasses.replace(task, tile=64).predict(image).pixels
    std = task.package.manifest["target"]["std"]
    np.testing.assert_allclose(tiled / std, whole / std, rtol=0, atol=1e-4)


def test_gain_and_offset_of_the_input_do_not_matter(task: LabelFree) -> None:
    image = _noise(64, 80)
    changed = Image(image.pixels.astype(np.float32) * np.float32(0.5) + np.float32(7))
    std = task.package.manifest["target"]["std"]
    before, after = task.predict(image).pixels / std, task.predict(changed).pixels / std
    np.testing.assert_allclose(before, after, rtol=0, atol=1e-4)


@pytest.mark.parametrize("level", [0, 7, 65535])
def test_constant_image_is_predicted_finite(task: LabelFree, level: int) -> None:
    prediction = task.predict(Image(np.full((40, 40), level, np.uint16)))
    zeros = task.predict(Image(np.zeros((40, 40), np.float32)))
    assert np.isfinite(prediction.pixels).all()
    np.testing.assert_array_equal(prediction.pixels, zeros.pixels)


def test_predictions_are_in_counts_of_the_target() -> None:
    """A plane of zeros stands for the graph: counts are then the mean of the training targets."""
    task = _task("scratch-assay")

    class Silent(Package):
        def run(self, *_: object, **__: object) -> list[np.ndarray]:
            return [np.ones((1, 1, 16, 16), np.float32)]

    package = task.package
    silent = LabelFree(Silent(package.path, package.sha256, package.manifest))
    target = package.manifest["target"]
    np.testing.assert_allclose(
        silent.predict(_noise(16, 16)).pixels, target["mean"] + target["std"], rtol=1e-6
    )


def test_stack_is_refused(task: LabelFree) -> None:
    with pytest.raises(TaskError, match=r"one plane \(YX\), not ZYX"):
        task.predict(_noise(3, 32, 32))


def test_scores_of_equal_images_are_the_best(task: LabelFree) -> None:
    image = _noise(40, 40)
    found = task.score(image, image, image)
    assert list(found) == [score.name for score in SCORES]
    assert found == pytest.approx({"pearson": 1, "ssim": 1, "nrmse": 0})


def test_nrmse_is_over_the_range_of_the_training_targets(task: LabelFree) -> None:
    image = _noise(40, 40)
    off = Image(image.pixels.astype(np.float32) + np.float32(100))
    found = task.score(off, image, image)["nrmse"]
    assert found == pytest.approx(100 / task.package.manifest["target"]["data_range"])


@pytest.mark.parametrize("constant", ["prediction", "reference"])
def test_constant_image_has_no_correlation(task: LabelFree, constant: str) -> None:
    image, flat = _noise(40, 40), Image(np.full((40, 40), 9, np.float32))
    pair = (flat, image) if constant == "prediction" else (image, flat)
    found = task.score(*pair, image)
    assert found["pearson"] == 0
    assert np.isfinite(list(found.values())).all()


def test_shapes_must_match(task: LabelFree) -> None:
    with pytest.raises(TaskError, match="equal shape"):
        task.score(_noise(40, 40), _noise(40, 41), _noise(40, 41))


def test_too_small_to_score_is_said(task: LabelFree) -> None:
    with pytest.raises(TaskError, match="11 pixels"):
        task.score(_noise(5, 5), _noise(5, 5), _noise(5, 5))


def test_numbers_are_not_images(task: LabelFree) -> None:
    with pytest.raises(TaskError, match="images"):
        task.score({"count": 1.0}, _noise(40, 40), _noise(40, 40))


def test_manifest_without_the_target_is_refused() -> None:
    package = _task("scratch-assay").package
    manifest = {key: value for key, value in package.manifest.items() if key != "target"}
    with pytest.raises(PackageError, match="target"):
        LabelFree(Package(package.path, package.sha256, manifest))


def test_standardize_keeps_what_varies_and_zeroes_what_does_not() -> None:
    varied = standardize(_noise(30, 30).pixels)
    assert (varied.mean(dtype=float), varied.std(dtype=float)) == pytest.approx((0, 1), abs=1e-6)
    for level in (0.1, 1e30, 3e-30):
        assert not standardize(np.full((31, 17), level, np.float32)).any()
