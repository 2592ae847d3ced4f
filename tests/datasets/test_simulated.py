"""The dataset that is made here: its form, and that making it can be broken off."""

import dataclasses
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from cytopress.callbacks import Progress
from cytopress.datasets import simulated
from cytopress.datasets.build_progress import display
from cytopress.datasets.catalogue import KNOWN_DATASETS, cached_folder, dataset
from cytopress.datasets.fetch import fetch
from cytopress.datasets.splits import KNOWN_SPLITS
from cytopress.errors import DatasetError, NotAvailableError
from cytopress.settings import Settings

HAS_WAVEORDER = pytest.mark.skipif(
    importlib.util.find_spec("waveorder") is None,
    reason="needs waveorder (extra phantom)",
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the dataset of one small volume a slide."""

    def simulate(folder: Path, progress: Progress) -> None:
        simulated.simulate_phantom_3d(folder, progress, shape=(4, 24, 32), volumes=1)

    known = dataclasses.replace(KNOWN_DATASETS["phantom-3d"], simulate=simulate)
    monkeypatch.setitem(KNOWN_DATASETS, "phantom-3d", known)


@HAS_WAVEORDER
@pytest.mark.long
def test_it_is_simulated_at_first_use_and_goes_on_where_it_stopped(
    settings: Settings, small: None
) -> None:
    def stop(done: int, _total: int, _now: str) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("phantom-3d", settings=settings, progress=stop)
    assert not cached_folder("phantom-3d", settings).exists()
    (kept,) = cached_folder("phantom-3d", settings).parent.glob(".*.unfinished")
    first = kept / "images" / "slide-1_volume-1_input.tif"
    before = first.stat().st_mtime_ns, first.read_bytes()

    told = []

    @contextmanager
    def watching(title: str) -> Iterator[Progress]:
        yield lambda *args: told.append((title, *args))

    token = display.set(watching)
    found = dataset("phantom-3d", settings)
    display.reset(token)
    assert told[0] == ("Simulating phantom-3d", 0, 8, "slide-1_volume-1")
    assert told[-1][1:3] == (8, 8)
    path = found.fields[0].input
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert found.folder == cached_folder("phantom-3d", settings)
    assert found.folder == fetch("phantom-3d", settings=settings)
    assert "imulated" in found.title
    assert "Simulated" in found.notes
    assert [f.group for f in found.fields] == [f"slide-{n}" for n in range(1, 9)]
    assert [len(found.part(part)) for part in ("train", "validation", "test")] == [5, 1, 2]
    for field in found.fields[:2]:
        image, target = found.read_input(field), found.read_target(field)
        assert image.shape == target.shape == found.read_labels(field).shape == (4, 24, 32)
        assert image.spacing_um == target.spacing_um == (0.29, 0.108, 0.108)
        assert image.bits == 14
        assert not np.array_equal(image.pixels, target.pixels)


def test_a_full_disk_leaves_what_was_made(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def simulate(folder: Path, progress: Progress) -> None:
        (folder / "made").write_text("made")
        raise OSError(28, "No space left on device")

    known = dataclasses.replace(KNOWN_DATASETS["phantom-3d"], simulate=simulate)
    monkeypatch.setitem(KNOWN_DATASETS, "phantom-3d", known)
    with pytest.raises(DatasetError, match="No space left"):
        dataset("phantom-3d", settings)
    folder = cached_folder("phantom-3d", settings)
    assert not folder.exists()
    assert (folder.with_name(".phantom-3d.unfinished") / "made").exists()


def test_without_waveorder_the_error_is_the_command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "waveorder", None)
    with pytest.raises(NotAvailableError, match=r"cytopress\[phantom\]"):
        dataset("phantom-3d", settings)


def test_whole_slides_are_for_test_and_validation() -> None:
    split = KNOWN_SPLITS["phantom-3d"]
    parts = [split("", f"slide-{number}") for number in range(1, 9)]
    assert parts == ["train"] * 5 + ["validation", "test", "test"]
