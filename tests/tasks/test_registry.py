"""Tasks are found by name, by path and as a list."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cytopress.errors import PackageError, UnknownNameError, UsageError
from cytopress.models.model_package import write_package
from cytopress.settings import Settings
from cytopress.tasks.builtin.labelfree import LabelFree
from cytopress.tasks.builtin.measurement import Measurement
from cytopress.tasks.builtin.segmentation import Segmentation
from cytopress.tasks.registry import BUILT_IN, FAMILIES, from_package, task, tasks
from fakes.segmentation import MANIFEST

MODELS = Path(__file__).parents[2] / "src" / "cytopress" / "models" / "shipped"
SETTINGS = Settings(None, (), Path("none"), Path("none"))


def test_every_shipped_task_is_listed_and_found() -> None:
    names = [found.name for found in tasks(SETTINGS)]
    assert names == sorted(names)
    assert {
        "labelfree/ecoli-phase",
        "labelfree/nuclei-brightfield",
        "labelfree/scratch-assay",
        "measurement",
    } <= {*names}
    for name in names:
        assert task(name, SETTINGS).name == name


def test_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.cytomodel"
    shutil.copy(MODELS / "labelfree-scratch-assay.cytomodel", path)
    assert task(path, SETTINGS).name == "labelfree/scratch-assay"


def test_a_given_folder_comes_before_the_shipped(tmp_path: Path) -> None:
    manifest = {
        "kind": "task",
        "name": "labelfree/scratch-assay",
        "architecture": "unet",
        "axes": "YX",
        "stride": 1,
        "reach": 0,
        "target": {"mean": 0, "std": 1, "data_range": 1},
    }
    package = write_package(tmp_path / "own.cytomodel", manifest, graphs={"network": b""})
    found = task("labelfree/scratch-assay", SETTINGS.with_models(tmp_path))
    assert found.weights == package.sha256


def test_unknown_name_says_what_there_is() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'labelfree/ecoli-phase'") as caught:
        task("labelfree/ecoli-fase", SETTINGS)
    assert isinstance(caught.value, UsageError)


def test_measurement_needs_no_package(settings: Settings) -> None:
    assert isinstance(task("measurement", settings), Measurement)
    # These folders hold no package but those that ship.
    with pytest.raises(UnknownNameError, match="Did you mean 'measurement'"):
        task("measurment", settings)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("labelfree/mine", LabelFree),
        ("labelfree-pix2pix/mine", LabelFree),
        ("segmentation/mine", Segmentation),
    ],
)
def test_families(tmp_path: Path, name: str, made: type) -> None:
    manifest = MANIFEST | {"name": name, "target": {"mean": 0, "std": 1, "data_range": 1}}
    write_package(tmp_path / "mine.cytomodel", manifest, graphs={})
    found = task(name, SETTINGS.with_models(tmp_path))
    assert type(found) is made
    assert found.name == name
    assert name in [listed.name for listed in tasks(SETTINGS.with_models(tmp_path))]


def test_missing_path() -> None:
    with pytest.raises(PackageError, match="cannot read"):
        task("none/there.cytomodel", SETTINGS)


def test_unknown_family(tmp_path: Path) -> None:
    manifest = {"kind": "task", "name": "guess/x", "architecture": "unet", "axes": "YX"}
    package = write_package(tmp_path / "x.cytomodel", manifest, graphs={})
    with pytest.raises(PackageError, match=r"guess/x.*labelfree"):
        from_package(package)


def test_families_make_tasks_of_their_own_name() -> None:
    heads = {found.name.partition("/")[0] for found in tasks(SETTINGS)}
    assert heads <= {*FAMILIES, *BUILT_IN}
    assert not set(FAMILIES) & set(BUILT_IN)
    assert all(make().name == name for name, make in BUILT_IN.items())
