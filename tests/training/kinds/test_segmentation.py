"""Segmentation: classes from labels, a loss that is least for the truth, a package that parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from cytopress.errors import DatasetError
from cytopress.models.model_package import open_package
from cytopress.settings import Settings

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

SHAPE = (48, 64)


def _disks(seed: int) -> np.ndarray:
    """Label disks of radius 5 around centers on a jittered grid; some touch."""
    random = np.random.default_rng(seed)
    rows, columns = np.indices(SHAPE)
    labels = np.zeros(SHAPE, np.uint16)
    centers = [(y, x) for y in (8, 20, 32, 42) for x in (8, 20, 34, 46, 57)]
    for number, (y, x) in enumerate(centers, start=1):
        dy, dx = random.integers(-1, 2, 2)
        labels[(rows - y - dy) ** 2 + (columns - x - dx) ** 2 <= 25] = number
    return labels


@pytest.fixture
def disks(settings: Settings) -> Settings:
    """Settings whose dataset ``cells`` shows blurred disks in the target, with their labels."""
    assert settings.data is not None
    folder = settings.data / "cells"
    rows = ["field,group,input,target,labels"]
    for number, group in enumerate("aaabcc"):
        labels = _disks(number)
        glow = ndimage.gaussian_filter((labels > 0).astype(float), 1)
        noise = np.random.default_rng(number).normal(size=SHAPE)
        shown = (500 + 2000 * glow + 100 * noise).clip(0).astype(np.uint16)
        tifffile.imwrite(folder / f"{number}_target.tif", shown)
        tifffile.imwrite(folder / f"{number}_input.tif", shown.max() - shown)
        tifffile.imwrite(folder / f"{number}_labels.tif", labels)
        names = ",".join(f"{number}_{kind}.tif" for kind in ("input", "target", "labels"))
        rows.append(f"f{number},{group},{names}")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return settings


def _config(**changes: object):  # type: ignore[no-untyped-def]
    from cytopress.training.config import TaskTraining

    return TaskTraining.model_validate(
        {
            "kind": "task",
            "name": "segmentation/cells",
            "dataset": "cells",
            "channel": "target",
            "network": {"channels": 8, "depth": 2},
            "fit": {
                "steps": 60,
                "batch": 4,
                "crop": 32,
                "learning_rate": 1e-2,
                "loss": "cross-entropy",
                "validate_every": 30,
                "threads": 1,
            },
            "augmentation": {"zoom": 1.2, "noise": 0.1},
            **changes,
        }
    )


def test_boundary_is_the_rim_of_each_object() -> None:
    from cytopress.training.kinds.classes import classes

    labels = np.zeros((9, 12), np.int32)
    labels[2:7, 1:6] = 1
    labels[2:7, 6:11] = 7
    found = classes(labels)
    assert np.array_equal(found > 0, labels > 0)
    for name in (1, 7):
        inside = ndimage.binary_erosion(labels == name, structure=np.ones((3, 3)))
        assert np.array_equal(found[labels == name] == 1, inside[labels == name])


def test_planes_far_apart_leave_flat_objects_an_interior() -> None:
    from cytopress.training.kinds.classes import classes

    labels = np.zeros((7, 12, 12), np.int32)
    labels[2:4, 2:10, 2:10] = 1
    labels[4:6, 2:10, 2:10] = 2
    cubes, coarse = classes(labels, (0.3, 0.2, 0.2)), classes(labels, (1.0, 0.2, 0.2))
    assert np.array_equal(cubes > 0, labels > 0)
    assert np.array_equal(coarse > 0, labels > 0)
    # Two planes thick: all rim where every face counts.
    assert not (cubes == 1).any()
    assert (coarse[[2, 5], 3:9, 3:9] == 1).all()
    # What touches from above is still kept apart, and so is the rim in the plane.
    assert (coarse[3:5, 2:10, 2:10] == 2).all()
    assert (coarse[2:6, 2, 2:10] == 2).all()


def test_least_area_counts_each_object() -> None:
    from cytopress.training.kinds.classes import least_area

    plane = np.zeros((20, 60), np.uint8)
    for number in range(5):
        plane[:10, 12 * number : 12 * number + 8] = number + 1
    assert least_area([plane, plane]) == 20
    # Half as wide in three dimensions is an eighth.
    assert least_area([np.stack([plane] * 3)]) == 30
    assert least_area([np.zeros((4, 4), np.uint8)]) == 1


def test_seeds_lie_at_a_share_of_how_deep_objects_are() -> None:
    from cytopress.training.kinds.classes import seed_depth

    labels = np.zeros((30, 60, 60), np.uint16)
    labels[5:26, 5:26, 5:26] = 1
    labels[5:26, 30:51, 30:51] = 2
    # Of cubes of 21 voxels the outermost are boundary, and the middle is 10 from there.
    assert seed_depth([labels], [None]) == pytest.approx(0.6 * 10)
    # Half as high: the middle is as near to the planes as five pixels.
    assert seed_depth([labels], [(0.5, 1.0, 1.0)]) == pytest.approx(0.6 * 5)
    assert seed_depth([np.zeros_like(labels)], [None]) == 0


def test_loss_is_least_for_the_truth_and_weighs_the_rare() -> None:
    from cytopress.training.kinds.classes import classes
    from cytopress.training.kinds.segmentation import ClassLoss
    from cytopress.training.pairs import Pair

    truth = classes(_disks(0))
    loss = ClassLoss([Pair("f", "a", truth, truth)])
    target = torch.from_numpy(truth)[None, None]
    right = 20 * torch.nn.functional.one_hot(target[:, 0].long(), 3).movedim(-1, 1).float()
    nothing = torch.zeros_like(right)
    nothing[:, 0] = 20
    assert float(loss(right, target)) < 1e-3
    assert (
        float(loss(right, target)) < float(loss(right * 0, target)) < float(loss(nothing, target))
    )
    shares = np.bincount(truth.astype(int).ravel()) / truth.size
    expected = shares**-0.5 / (shares**-0.5).mean()
    np.testing.assert_allclose(loss.weights.numpy(), expected, rtol=1e-6)


def test_package_tells_objects_from_background_and_each_other(
    disks: Settings, tmp_path: Path
) -> None:
    from cytopress.tasks.builtin.labelfree import standardize
    from cytopress.training.task import train_task

    package = open_package(train_task(_config(), tmp_path, settings=disks))
    manifest = package.manifest
    assert manifest["input"]["channel"] == manifest["trained_on"]["channel"] == "target"
    areas = [np.bincount(_disks(number).ravel())[1:] for number in range(3)]
    least = round(np.percentile(np.concatenate(areas), 5) / 4)
    assert manifest["segmentation"] == {"interior": 0.5, "foreground": 0.5, "min_area": least}
    assert manifest["selection"]["by"] == "validation dice"
    assert disks.data is not None
    shown = tifffile.imread(disks.data / "cells" / "4_target.tif")
    (logits,) = package.run("network", standardize(shown)[None, None])
    assert logits.shape == (1, 3, *SHAPE)
    labels, found = _disks(4), logits[0].argmax(0)
    agreed = (found > 0) == (labels > 0)
    assert agreed.mean() > 0.95
    # Some disks touch: interiors keep apart what the foreground joins.
    joined, apart = ndimage.label(labels > 0)[1], ndimage.label(found == 1)[1]
    assert joined + 2 < apart <= labels.max()
    assert "boundary" in (tmp_path / "card.md").read_text()


def test_the_input_is_segmented_where_asked(disks: Settings, tmp_path: Path) -> None:
    from cytopress.datasets.catalogue import dataset
    from cytopress.training.kinds.segmentation import SegmentationKind

    cells = dataset("cells", disks)
    field = cells.part("test")[0]
    for channel, read in (("input", cells.read_input), ("target", cells.read_target)):
        kind = SegmentationKind(channel)  # type: ignore[arg-type]
        assert np.array_equal(kind.source(cells, field).pixels, read(field).pixels)
        assert kind.manifest(cells)["input"]["name"] == getattr(cells, channel)


def test_a_field_without_labels_is_named(settings: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    with pytest.raises(DatasetError, match="'f0' has no labels"):
        train_task(_config(), tmp_path / "out", settings=settings)
    assert not (tmp_path / "out").exists()


def test_resumed_equals_uninterrupted(disks: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    fit = {**_config().fit.model_dump(), "steps": 5, "validate_every": 2}
    config = _config(fit=fit)

    def stop(done: int, *_: object) -> None:
        if done == 2:
            raise KeyboardInterrupt

    whole = train_task(config, tmp_path / "whole", settings=disks)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train_task(config, tmp_path / "out", settings=disks, progress=stop)
    resumed = train_task(config, tmp_path / "out", settings=disks)
    graphs = [open_package(path).read("network.onnx") for path in (whole, resumed)]
    assert graphs[0] == graphs[1]
    logs = [(path.parent / "log.csv").read_text() for path in (whole, resumed)]
    assert logs[0] == logs[1]
    assert len(logs[0].splitlines()) == 4
