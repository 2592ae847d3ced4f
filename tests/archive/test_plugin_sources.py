"""Sources of bioio's plugins: larger than any memory, of several scenes, of silent plugins."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import zarr

from cytopress.archive import layout
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.shard import tasks_of, write_shard
from cytopress.archive.stores import store_of
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from fakes.archives import in_this_process
from fakes.microscopes import Microscope, use

pytest.importorskip("yaozarrs")
EDGE = 256


def plane(*place: int) -> np.ndarray:
    """Return the pixels of a plane, which no other has."""
    random = np.random.default_rng(place)
    return random.normal(900 + 20 * place[-1], 9, (EDGE, EDGE)).astype(np.uint16)


class Planes:
    """Stand-in for a dask array that makes planes as they are computed, and notes their pixels."""

    def __init__(self, number: int, noted: list[int]) -> None:
        self.number, self.noted = number, noted

    def __getitem__(self, index: Any) -> Any:
        *outside, rows, columns = index

        def compute() -> np.ndarray:
            assert all(isinstance(at, int) for at in outside)
            self.noted.append(EDGE**2)
            return plane(self.number, *outside)[rows, columns]

        return SimpleNamespace(compute=compute)


class Endless(Microscope):
    """A recording of 262 TB."""

    scenes = ("XYPos:0",)
    shape = (10**5, 2, 10**4, EDGE, EDGE)
    channel_names = ("DNA", "ER")
    noted: ClassVar[list[int]] = []

    @property
    def ome_metadata(self) -> Any:
        raise NotImplementedError

    @property
    def dask_data(self) -> Any:
        return Planes(self.number, self.noted)


class TwoPositions(Endless):
    scenes = ("XYPos:0", "XYPos:1")
    shape = (1, 2, 3, EDGE, EDGE)


@pytest.fixture
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)


def test_a_source_larger_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, out = use(monkeypatch, Endless, tmp_path), tmp_path / "out"
    plan, notes = make_plan([path], out, Wanted(codec="jpegls:max_error=3", memory=350_000_000))
    assert plan.raw_bytes == math.prod(Endless.shape) * 2 > 2**47
    assert any("gives no OME-XML" in note for note in notes)
    # To plan, some planes are enough.
    assert 0 < len(Endless.noted) < 100
    (image,) = plan.images
    layout.create(store_of(out), plan, plan.images)
    tasks = tasks_of(store_of(out), image, plan.codings, plan.readers, 0)
    task = next(task for task in tasks if task.place[1] == 1)
    Endless.noted.clear()
    row = write_shard(task)
    assert not row.get("error")
    _, _, deep, _, _ = image.shard
    assert len(Endless.noted) == deep
    assert deep * EDGE**2 * 2 < 2**28
    stored = zarr.open_array(str(out / image.name / "0"), mode="r")[0, 1, 7]
    assert np.abs(stored.astype(int) - plane(0, 0, 1, 7)).max() <= 3


@pytest.mark.usefixtures("_here")
def test_positions_become_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    path, out = use(monkeypatch, TwoPositions, tmp_path / "in"), tmp_path / "out"
    make_plan([path.parent], out, Wanted())
    assert run(out).complete
    for number in range(2):
        group = zarr.open_group(str(out / f"a_{number}.ome.zarr"), mode="r")
        assert [one["label"] for one in group.attrs["ome"]["omero"]["channels"]] == ["DNA", "ER"]
        np.testing.assert_array_equal(group["0"][0, 1, 2], plane(number, 0, 1, 2))
    found = verify(out, depth="full", against=path.parent)
    assert (found.passed, found.fit) == (True, False)
    assert "gives no OME-XML" in found.reasons[0]
    assert verify(out, depth="full", against=path.parent, accept_lost=True).fit
    # Dates and positions of bioio's own metadata are kept.
    document = (out / "a_1.ome.zarr/OME/METADATA.ome.xml").read_text()
    assert "2024-03-05T06:07:08" in document
    assert 'PositionX="100.5"' in document
