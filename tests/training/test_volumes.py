"""Training on volumes: as on planes, from config to package, exact, refused where it must be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from cytopress.datasets.catalogue import dataset
from cytopress.errors import DatasetError, TaskError
from cytopress.formats.images import write
from cytopress.image import Image
from cytopress.models.model_package import open_package
from cytopress.settings import Settings

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

SHAPE = (12, 44, 52)
SPACING = (0.5, 0.2, 0.2)
FACTS = """name = "stacks"
title = "Made stacks"
input = "made light"
target = "made fluorescence"
axes = "ZYX"
bits = 16
pixel_size_um = 0.2
licence = "CC0-1.0"
attribution = "made in a test"
[split]
test = ["c"]
validation = ["b"]
"""
CONFIG = {
    "kind": "task",
    "name": "labelfree/stacks",
    "dataset": "stacks",
    "seed": 3,
    "network": {"channels": 4, "depth": 2},
    "volume": {"planes": 8, "halvings": 1},
    "fit": {"steps": 5, "batch": 2, "crop": 16, "validate_every": 2, "threads": 1},
    "augmentation": {"zoom": 1.2, "noise": 0.1, "gain": 0.1, "offset": 0.1, "blur": 1.0},
}


def _balls(seed: int) -> np.ndarray:
    """Label balls of 1.2 um around centers on a jittered grid, in voxels that are no cubes."""
    random = np.random.default_rng(seed)
    grid = np.stack(np.indices(SHAPE), axis=-1) * SPACING
    labels = np.zeros(SHAPE, np.uint16)
    centers = [(z, y, x) for z in (1.3, 4.2) for y in (1.5, 4.3, 7.1) for x in (1.6, 4.7, 7.9)]
    for number, center in enumerate(centers, start=1):
        away = grid - center - random.uniform(-0.1, 0.1, 3)
        labels[(away**2).sum(-1) <= 1.2**2] = number
    return labels


@pytest.fixture
def stacks(tmp_path: Path) -> Settings:
    """Settings whose dataset ``stacks`` has a filtered volume as target, and labels of balls."""
    folder = tmp_path / "data" / "stacks"
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text(FACTS)
    rows = ["field,group,input,target,labels"]
    for number, group in enumerate("aabc"):
        labels = _balls(number)
        random = np.random.default_rng(number)
        glow = ndimage.gaussian_filter((labels > 0).astype(float), (0.4, 1, 1))
        target = 500 + 3000 * glow + 50 * random.normal(size=SHAPE)
        # Darker where the balls end, as refraction does: the sharper, the stronger the edge.
        light = 9000 - 3000 * ndimage.gaussian_gradient_magnitude(glow, 1)
        light += 1500 * ndimage.gaussian_laplace(glow, 1.5) + 20 * random.normal(size=SHAPE)
        for kind, values in (("input", light), ("target", target), ("labels", labels)):
            pixels = np.clip(values, 0, 65535).astype(np.uint16)
            write(folder / f"{number}_{kind}.ome.tif", [Image(pixels, spacing_um=SPACING)])
        names = ",".join(f"{number}_{kind}.ome.tif" for kind in ("input", "target", "labels"))
        rows.append(f"f{number},{group},{names}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return Settings(tmp_path / "data", (), tmp_path / "cache", tmp_path / "user")


def _config(**changes: object):  # type: ignore[no-untyped-def]
    from cytopress.training.config import TaskTraining

    fit = {**CONFIG["fit"], **changes.pop("fit", {})}  # type: ignore[dict-item]
    return TaskTraining.model_validate({**CONFIG, "fit": fit, **changes})


def test_a_volume_is_learned_and_predicted(stacks: Settings, tmp_path: Path) -> None:
    from cytopress.tasks.builtin.labelfree import LabelFree
    from cytopress.training.task import train_task

    config = _config(fit={"steps": 60, "validate_every": 30, "learning_rate": 1e-2})
    package = open_package(train_task(config, tmp_path / "out", settings=stacks))
    manifest = package.manifest
    assert manifest["axes"] == "ZYX"
    assert manifest["stride"] == [2, 4, 4]
    assert manifest["selection"]["by"] == "validation pearson"
    # A network of a few seconds; that the linear filters find edges says the volumes are paired.
    assert manifest["results"]["mean"]["pearson"] > 0.5
    assert manifest["results"]["baseline_mean"]["pearson"] > 0.5
    card = (tmp_path / "out" / "card.md").read_text()
    assert f"receptive field {' x '.join(map(str, manifest['receptive_field']))} pixels" in card
    assert "crops of 8 x 16 x 16 pixels" in card

    task, test = LabelFree(package, threads=1), dataset("stacks", stacks).part("test")
    image = dataset("stacks", stacks).read_input(test[0])
    whole = task.predict(image)
    assert (whole.shape, whole.spacing_um) == (SHAPE, SPACING)
    for tile in (4, 16):
        tiled = LabelFree(package, tile=tile, threads=1).predict(image)
        np.testing.assert_allclose(
            tiled.pixels, whole.pixels, rtol=0, atol=2e-4 * np.ptp(whole.pixels)
        )
    thin = task.predict(Image(image.pixels[:1]))
    assert thin.shape == (1, *SHAPE[1:])
    with pytest.raises(TaskError, match=r"predicts from a volume \(ZYX\), not YX; give the whole"):
        task.predict(Image(image.pixels[0]))


def test_stopped_and_resumed_equals_uninterrupted(stacks: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(done: int, *_: object) -> None:
        if done == 2:
            raise Stopped

    # The averages and the moments of the optimizer, the zooms and the noise: all goes on.
    whole = train_task(_config(), tmp_path / "whole", settings=stacks)
    with pytest.raises(Stopped):
        train_task(_config(), tmp_path / "out", settings=stacks, progress=stop)
    resumed = train_task(_config(), tmp_path / "out", settings=stacks)
    one, other = (open_package(path).read("network.onnx") for path in (whole, resumed))
    assert one == other
    logs = [(path.parent / "log.csv").read_text() for path in (whole, resumed)]
    assert logs[0] == logs[1]


def test_training_on_decoded_volumes_sees_each_codec(stacks: Settings) -> None:
    from cytopress.tasks.builtin.labelfree import standardize
    from cytopress.training.kinds.labelfree import LabelFreeKind
    from cytopress.training.pairs import load_pairs

    data = dataset("stacks", stacks)
    read = {"smallest": (8, 16, 16), "settings": stacks}
    codecs = ("original", "zfp:max_error=400")
    pairs = load_pairs(data, "train", LabelFreeKind(), codecs=codecs, **read)  # type: ignore[arg-type]
    assert [pair.name for pair in pairs] == ["f0", "f0", "f1", "f1"]
    original = data.read_input(data.part("train")[0]).pixels
    np.testing.assert_array_equal(pairs[0].input, standardize(original))
    assert 0 < np.abs(pairs[1].input - pairs[0].input).max() * original.std() < 810
    np.testing.assert_array_equal(pairs[0].target, pairs[1].target)


def test_balls_are_segmented_in_three_dimensions(stacks: Settings, tmp_path: Path) -> None:
    from cytopress.tasks.builtin.segmentation import Segmentation
    from cytopress.training.evaluate import score_fields
    from cytopress.training.task import train_task

    config = _config(
        name="segmentation/stacks",
        channel="target",
        network={"channels": 6, "depth": 1},
        volume={"planes": 8, "halvings": 0},
        fit={"steps": 80, "loss": "cross-entropy", "validate_every": 40, "learning_rate": 1e-2},
        augmentation={"noise": 0.1},
    )
    package = open_package(train_task(config, tmp_path / "out", settings=stacks))
    task, data = Segmentation(package, threads=1), dataset("stacks", stacks)
    (field,) = data.part("test")
    found = task.predict(data.read_target(field))
    assert found.labels.shape == SHAPE
    assert found.count == pytest.approx(18, abs=2)
    assert found.physical_size is not None
    assert np.median(found.physical_size) == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.25)
    (scores,) = score_fields(
        data, task, lambda data, field: data.read_target(field), task.predict
    ).values()
    assert list(scores) == [score.name for score in task.scores]
    assert scores["average_precision_50"] > 0.8
    assert scores["volume_error"] < 0.3


def test_axes_of_config_and_dataset_must_agree(stacks: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    with pytest.raises(
        DatasetError, match=r"stacks has images of the axes ZYX.*add the table \[vo"
    ):
        train_task(_config(volume=None), tmp_path / "out", settings=stacks)
    assert stacks.data is not None
    (stacks.data / "stacks" / "dataset.toml").write_text(FACTS.replace("ZYX", "YX"))
    with pytest.raises(DatasetError, match=r"axes YX.*remove the table \[volume\]"):
        train_task(_config(), tmp_path / "out", settings=stacks)
    assert not (tmp_path / "out").exists()


def test_a_stack_thinner_than_the_crop_is_named(stacks: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    said = r"'f0' of stacks: 12 x 44 x 52 pixels are smaller than the crop of 16 x 16 x 16"
    with pytest.raises(DatasetError, match=said):
        train_task(_config(volume={"planes": 16}), tmp_path / "out", settings=stacks)
    assert not (tmp_path / "out").exists()


def test_a_plane_of_a_stack_that_is_no_stack(stacks: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    assert stacks.data is not None
    tifffile.imwrite(stacks.data / "stacks" / "1_target.ome.tif", np.zeros(SHAPE[1:], np.uint16))
    with pytest.raises(DatasetError, match=r"1_target\.ome\.tif"):
        train_task(_config(), tmp_path / "out", settings=stacks)
