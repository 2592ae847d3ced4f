"""Sources: planes in the used range, of training and validation groups alone."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.datasets.catalogue import dataset
from cytopress.errors import CytopressWarning, DatasetError, UnknownNameError, UsageError
from cytopress.settings import Settings
from cytopress.training.codec.sources import load_planes, sources_used


@dataclass(frozen=True)
class Options:
    dataset: str | None = None
    folder: str | None = None
    archive: str | None = None
    images: tuple[str, ...] = ("input", "target")
    weight: float = 1.0
    files: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    planes: tuple[int, int] | None = None
    title: str = ""
    licence: str = ""
    attribution: str = ""


def _write(folder: Path, count: int, shape: tuple[int, ...] = (40, 48), start: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    for n in range(start, start + count):
        pixels = np.random.default_rng(n).integers(100, 900, shape).astype(np.uint16)
        tifffile.imwrite(folder / f"{n:02d}.tif", pixels)


def test_test_groups_are_never_opened(settings: Settings) -> None:
    opened = dataset("cells", settings)
    for field in opened.part("test"):
        # If one were opened, this would not go well.
        field.input.write_bytes(b"")
        field.target.write_bytes(b"")
    train = load_planes([Options("cells")], settings, "train", crop=16)
    validation = load_planes([Options("cells")], settings, "validation", crop=16)
    with (opened.folder / "pairs.csv").open() as stream:
        group = {row["field"]: row["group"] for row in csv.DictReader(stream)}
    assert {group[plane.name] for plane in train} == {"a"}
    assert {plane.kind for plane in train} == {"input", "target"}
    assert {group[plane.name] for plane in validation} == {"b"}
    assert {plane.kind for plane in validation} == {"input"}
    with pytest.raises(UsageError, match="never on 'test'"):
        load_planes([Options("cells")], settings, "test", crop=16)  # type: ignore[arg-type]


def test_the_used_range_is_0_to_1_and_counts_come_back(settings: Settings) -> None:
    field = dataset("cells", settings).part("train")[0]
    counts = tifffile.imread(field.input).astype(np.float64)
    (plane,) = (
        p
        for p in load_planes([Options("cells")], settings, "train", crop=16)
        if p.name == field.name and p.kind == "input"
    )
    assert np.percentile(plane.pixels, [0.1, 99.9]) == pytest.approx([0, 1], abs=1e-5)
    assert plane.pixels.max() > 1
    back = plane.low + plane.pixels * (plane.high - plane.low)
    assert np.allclose(back, counts, rtol=1e-5)


def test_data_range_and_noise_are_of_the_training_part(settings: Settings) -> None:
    trained = dataset("cells", settings).part("train")
    counts = np.concatenate([tifffile.imread(field.input).ravel() for field in trained])
    expected = np.subtract(*np.percentile(counts, [99.99, 0.01]))
    (plane, *_) = load_planes([Options("cells")], settings, "validation", crop=16, noise=True)
    assert plane.data_range == pytest.approx(expected, rel=1e-5)
    assert plane.noise is not None
    assert plane.noise.b > 0
    assert load_planes([Options("cells")], settings, "train", crop=16)[0].noise is None


def test_folders_hold_out_every_tenth_file_unless_a_dataset_validates(
    tmp_path: Path, settings: Settings
) -> None:
    folder = tmp_path / "mine"
    _write(folder, 12)
    own = [Options(folder=str(folder))]
    with pytest.warns(CytopressWarning, match="2 of 12 files are held out"):
        train = load_planes(own, settings, "train", crop=16)
    validation = load_planes(own, settings, "validation", crop=16)
    assert len(train) == 10
    assert {p.name for p in validation} == {"00.tif", "10.tif"}
    both = [*own, Options("cells")]
    names = [p.name for p in load_planes(both, settings, "train", crop=16)]
    assert sum(name.endswith(".tif") for name in names) == 12
    held = load_planes(both, settings, "validation", crop=16)
    assert {p.source.name for p in held} == {"cells"}


def test_a_folder_with_or_inside_a_dataset_hides_its_test_groups(settings: Settings) -> None:
    folder = dataset("cells", settings).folder
    inner = dataset("cells", settings).fields[0].input.parent
    planes = load_planes([Options(folder=str(folder))], settings, "train", crop=16)
    assert {plane.group for plane in planes} == {"a"}
    for other in {folder.parent, inner} - {folder}:
        with pytest.raises(UsageError, match="test groups stay unseen"):
            load_planes([Options(folder=str(other))], settings, "train", crop=16)


def test_small_and_constant_images_are_left_out_with_a_warning(
    tmp_path: Path, settings: Settings
) -> None:
    folder = tmp_path / "mine"
    _write(folder, 3)
    _write(folder, 1, (8, 48), start=50)
    tifffile.imwrite(folder / "60.tif", np.full((40, 48), 7, np.uint16))
    sources = [Options(folder=str(folder)), Options("cells", weight=3)]
    with pytest.warns(CytopressWarning) as caught:
        planes = load_planes(sources, settings, "train", crop=16)
    said = " ".join(str(w.message) for w in caught)
    assert "'50.tif'" in said
    assert "8 x 48" in said
    assert "'60.tif'" in said
    assert "constant" in said
    facts = {fact["name"]: fact for fact in sources_used(planes)}
    assert facts[folder.name]["planes"] == 3
    assert facts[folder.name]["pixels"] == 3 * 40 * 48
    assert facts["cells"]["licence"] == "CC0-1.0"
    assert facts["cells"]["groups"] == ["a"]
    assert facts["cells"]["weight"] == 3


@pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
def test_what_cannot_be_trained_on_is_an_error(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "mine"
    _write(folder, 3)
    with pytest.raises(DatasetError, match="mine can be trained on with crops of 64 x 64"):
        load_planes([Options(folder=str(folder))], settings, "train", crop=64)
    pixels = np.random.default_rng(1).normal(size=(40, 48)).astype(np.float32)
    pixels[3, 4] = np.nan
    tifffile.imwrite(folder / "bad.tif", pixels)
    with pytest.raises(DatasetError, match=r"bad\.tif.*NaN"):
        load_planes([Options(folder=str(folder))], settings, "train", crop=16)
    with pytest.raises(UsageError, match="at least one"):
        load_planes([], settings, "train", crop=16)
    with pytest.raises(UsageError, match="not none of them"):
        load_planes([Options()], settings, "train", crop=16)
    with pytest.raises(UsageError, match="no such folder"):
        load_planes([Options(folder=str(tmp_path / "no"))], settings, "train", crop=16)
    for unknown in (Options("nowhere"), Options(archive="nowhere")):
        with pytest.raises(UnknownNameError, match="nowhere"):
            load_planes([unknown], settings, "train", crop=16)


@pytest.mark.parametrize("suffix", [".tif", ".TIFF", ".btf", ".tf8"])
def test_a_folder_gives_every_kind_of_file_that_is_read(
    tmp_path: Path, settings: Settings, suffix: str
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 900, (40, 48)).astype(np.uint16)
    tifffile.imwrite(folder / f"a{suffix}", pixels, bigtiff=suffix != ".tif")
    assert len(load_planes([Options(folder=str(folder))], settings, "train", crop=16)) == 1


def test_a_folder_says_which_files_are_used_and_held_out(
    settings: Settings, tmp_path: Path
) -> None:
    _write(tmp_path / "images", 12)
    named = Options(
        folder=str(tmp_path / "images"),
        files=("0*.tif",),
        validation=("*3.tif", "07.*"),
        licence="CC0-1.0",
        attribution="a test",
    )
    parts = {
        part: load_planes([named, Options("cells")], settings, part, crop=16)
        for part in ("train", "validation")
    }
    own = {
        part: {plane.name for plane in planes if plane.source.name == "images"}
        for part, planes in parts.items()
    }
    assert own["validation"] == {"03.tif", "07.tif"}
    assert own["train"] == {f"0{n}.tif" for n in range(10)} - own["validation"]
    (facts,) = (f for f in sources_used(parts["train"]) if f["name"] == "images")
    assert (facts["licence"], facts["attribution"]) == ("CC0-1.0", "a test")


def test_no_file_of_a_pattern_is_an_error(settings: Settings, tmp_path: Path) -> None:
    _write(tmp_path / "images", 2)
    for wrong in ({"files": ("x*",)}, {"validation": ("x*",)}):
        options = Options(folder=str(tmp_path / "images"), **wrong)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=r"no image is named like x\*"):
            load_planes([options], settings, "train", crop=16)


def test_planes_of_a_stack_are_held_out(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    stack = np.arange(8, dtype=np.uint16)[:, None, None] * 100 + np.arange(32, dtype=np.uint16)
    stack = np.broadcast_to(stack, (8, 32, 32))
    tifffile.imwrite(tmp_path / "stacks" / "s.ome.tif", stack, metadata={"axes": "ZYX"})
    options = Options(folder=str(tmp_path / "stacks"), planes=(2, 5))
    low = {
        part: sorted(
            round(plane.low) // 100 for plane in load_planes([options], settings, part, crop=16)
        )
        for part in ("train", "validation")
    }
    assert low == {"train": [2, 3, 4, 5], "validation": [0, 1, 6, 7]}
