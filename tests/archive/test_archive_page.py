"""Blocks of the page on archives that a shell cannot run: on SLURM, dask, a bucket, and readers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest
import zarr

from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.cli import main
from fakes.archives import field, in_this_process, write_fields
from fakes.s3_server import make_bucket, s3_server

pytest.importorskip("yaozarrs")
PAGE = (Path(__file__).parents[2] / "docs/archive.md").read_text(encoding="utf-8")
FIRST = "field 0 µ"


def block(word: str) -> str:
    """Return the only block of text that holds a word."""
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (found,) = [one for one in blocks if word in one]
    return str(found)


def cli(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a command; its words have no blanks."""
    monkeypatch.setattr(sys, "argv", line.split())
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code, line


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with the fields of a plate."""
    write_fields(tmp_path / "plate", 2)
    return tmp_path


def test_jobs_of_an_array(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = block("#SBATCH")
    make_plan([data / "plate"], data / "store", Wanted())
    count = re.search(r"--array=1-(\d+)", text)
    assert count is not None
    line = text.splitlines()[-1].replace("/data/", f"{data}/").replace('"', "")
    assert line.count(f"$SLURM_ARRAY_TASK_ID/{count[1]}") == 1
    for number in (1, 2, int(count[1])):
        cli(line.replace("$SLURM_ARRAY_TASK_ID", str(number)), monkeypatch)
    assert verify(data / "store", against=data / "plate", depth="full").fit


def test_clusters_of_dask(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scaled: list[dict[str, Any]] = []
    ran: list[tuple[str, str]] = []

    class Cluster(SimpleNamespace):
        scheduler_address = "tcp://somewhere"

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def scale(self, **how: Any) -> None:
            scaled.append(how)

    for name in ("dask_jobqueue", "dask_cloudprovider", "dask_cloudprovider.aws"):
        module = ModuleType(name)
        module.SLURMCluster = module.FargateCluster = Cluster  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)

    def note(out: str, *, scheduler: str) -> None:
        ran.append((out, scheduler))

    exec(block("SLURMCluster"), {"run": note})
    assert scaled == [{"jobs": 40}]
    assert ran == [("/data/store", "tcp://somewhere"), ("s3://bucket/store", "tcp://somewhere")]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pytest.importorskip("obstore")
    with s3_server() as endpoint:
        make_bucket(endpoint, "bucket", monkeypatch)
        yield


@pytest.mark.network
@pytest.mark.usefixtures("bucket")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_bucket(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = block("s3://bucket/plate").splitlines()
    assert len(lines) == 2
    for line in lines:
        cli(line.replace("/data/", f"{data}/"), monkeypatch)


def test_readers_of_other_programs(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorstore")
    wanted = Wanted(codec="round-zstd:max_error=4", readers="everyone")
    make_plan([data / "plate"], data / "for-everyone", wanted)
    assert run(data / "for-everyone").complete
    monkeypatch.chdir(data)
    namespace: dict[str, Any] = {}
    exec(block("tensorstore").replace("field0", FIRST), namespace)
    pixels = namespace["array"][0, 0, 0].read().result()
    assert 0 < np.abs(pixels.astype(int) - field(0)[0]).max() <= 4


def test_napari(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The viewer that the page makes opens the image with the plugin that it names."""
    pytest.importorskip("napari_ome_zarr")
    pytest.importorskip("npe2").PluginManager.instance().discover()
    model = pytest.importorskip("napari.components").ViewerModel
    make_plan([data / "plate"], data / "store", Wanted())
    assert run(data / "store").complete
    monkeypatch.chdir(data)
    monkeypatch.setattr("napari.Viewer", model)
    namespace: dict[str, Any] = {}
    exec(block("import napari").replace("field0", FIRST), namespace)
    names = [layer.name for layer in namespace["viewer"].layers]
    assert [name.rpartition(" ")[2] for name in names] == ["DNA", "ER"]
    group = zarr.open_group(str(data / f"store/{FIRST}.ome.zarr"), mode="r")
    np.testing.assert_array_equal(np.asarray(group["0"])[0, :, 0], field(0))
