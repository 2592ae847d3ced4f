"""Scoring a finished package: each task gets its own kind of truth, in the original image."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from cytopress.datasets.catalogue import dataset
from cytopress.image import Image
from cytopress.models.model_package import Package, write_package
from cytopress.settings import Settings
from cytopress.tasks import registry
from cytopress.tasks.objects import Objects, measure_objects
from cytopress.tasks.protocol import Score
from cytopress.training.evaluate import evaluate


class Counted:
    """A task that finds what is bright, scored by the count of objects and their area."""

    scores = (Score("count", "", "lower"), Score("area", "pixels", "lower"))
    truth = "labels"

    def __init__(self, package: Package) -> None:
        self.name = package.name

    def predict(self, image: Image) -> Objects:
        return measure_objects((image.pixels > 100).astype(int), image)

    def score(self, prediction: Objects, reference: Objects, image: Image) -> dict[str, float]:
        assert reference.intensity.size == 0 or reference.intensity[0] == image.pixels.max()
        return {
            "count": float(abs(prediction.count - reference.count)),
            "area": float(abs(prediction.area.sum() - reference.area.sum())),
        }


@pytest.fixture
def package(tmp_path: Path) -> Package:
    manifest = {"kind": "task", "name": "counted/cells", "architecture": "none", "axes": "YX"}
    return write_package(tmp_path / "counted.cytomodel", manifest, graphs={})


@pytest.fixture
def squares(settings: Settings) -> Settings:
    """Settings whose test fields have one bright square of 6 and of 8 pixels, labeled 4 by 4."""
    assert settings.data is not None
    folder = settings.data / "cells"
    rows = ["field,group,input,target,labels"]
    for name, side in (("f1", 6), ("f2", 8)):
        plane, labels = np.zeros((44, 52), np.uint16), np.zeros((44, 52), np.uint8)
        plane[5 : 5 + side, 7 : 7 + side] = 900
        labels[5:9, 7:11] = 3
        tifffile.imwrite(folder / f"{name}.tif", plane)
        tifffile.imwrite(folder / f"{name}_labels.tif", labels)
        rows.append(f"{name},c,0_input.tif,{name}.tif,{name}_labels.tif")
    rows += [f"g{group},{group},0_input.tif,0_target.tif,f1_labels.tif" for group in "ab"]
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return settings


def test_objects_are_scored_against_labels_in_the_chosen_image(
    squares: Settings, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.FAMILIES, "counted", Counted)  # type: ignore[arg-type]
    cells = dataset("cells", squares)
    found = evaluate(cells, package, lambda cells, field: cells.read_target(field))
    assert found == {
        "scores": ["count", "area"],
        "fields": {"f1": {"count": 0.0, "area": 20.0}, "f2": {"count": 0.0, "area": 48.0}},
        "mean": {"count": 0.0, "area": 34.0},
    }


def test_a_family_that_no_task_serves_is_not_scored(package: Package) -> None:
    nothing = SimpleNamespace(part=None)
    found = evaluate(nothing, package, lambda *_: None)  # type: ignore[arg-type,return-value]
    assert found == {"scores": [], "fields": {}, "mean": {}}
