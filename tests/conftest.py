"""What every test may use."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from cytopress.image import Image
from cytopress.settings import Settings
from fakes.serving import Server, serving

# Every run tries new examples; a failure prints the line that repeats it.
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.load_profile("explore")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two environments share the tests: what passed in the first need not run in the second."""
    group = parser.getgroup("cytopress")
    group.addoption(
        "--record-passed", type=Path, metavar="FILE", help="write the names of passed tests there"
    )
    group.addoption(
        "--leave-passed",
        type=Path,
        metavar="FILE",
        help="leave out tests named there, those marked both_numpy apart",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Record passed tests in the process that collects every report."""
    record = config.getoption("--record-passed")
    if record is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Passed(record))


class _Passed:
    """Collects the tests that passed, and writes them when all are done."""

    def __init__(self, path: Path) -> None:
        self._path, self._names = path, set[str]()
        path.unlink(missing_ok=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._names.add(report.nodeid)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        # What a failed run saw passing says nothing to the next one.
        if exitstatus == 0:
            self._path.write_text("\n".join(sorted(self._names)) + "\n", encoding="utf-8")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, and say why; files with long tests go first.

    Where files are shared among processes, one that is long and late would be waited for.
    """
    leave = config.getoption("--leave-passed")
    if leave is not None:
        passed = set(leave.read_text(encoding="utf-8").splitlines())
        left = [i for i in items if i.nodeid in passed and not i.get_closest_marker("both_numpy")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)
    data = os.environ.get("CYTOPRESS_DATA")
    has_data = data is not None and Path(data).is_dir()
    has_torch = importlib.util.find_spec("torch") is not None
    has_av = importlib.util.find_spec("av") is not None
    for item in items:
        if not has_av and re.search(r"[\[-](hevc|av1)\b", item.nodeid):
            item.add_marker(pytest.mark.skip(reason="PyAV is not installed (extra video)"))
        if item.get_closest_marker("data") and not has_data:
            item.add_marker(pytest.mark.skip(reason="CYTOPRESS_DATA names no folder of datasets"))
        if item.get_closest_marker("learn") and not has_torch:
            item.add_marker(pytest.mark.skip(reason="torch is not installed (extra learn)"))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the tests out of the user's cache."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CYTOPRESS_CACHE", str(cache))
        yield cache


@pytest.fixture
def report_extra() -> None:
    """Skip a test that writes a report where the extra report is missing."""
    for library in ("jinja2", "plotly"):
        pytest.importorskip(library, reason="reports need the extra report")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings whose every folder lies in a temporary one."""
    return Settings(
        data=tmp_path / "data", models=(), cache=tmp_path / "cache", user_data=tmp_path / "user"
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Serve an empty folder over HTTP on this machine; see `Server` for what it can be told."""
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as state:
        yield state


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of real datasets (mark the test ``data``)."""
    return Path(os.environ["CYTOPRESS_DATA"])


@pytest.fixture(scope="session")
def micrograph() -> Image:
    """Return a synthetic 12-bit micrograph, 96 x 128: cells on a background, with camera noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :128]
    light = np.full(y.shape, 300.0)
    for cy, cx, radius in zip(
        rng.uniform(0, 96, 12), rng.uniform(0, 128, 12), rng.uniform(4, 9, 12), strict=True
    ):
        light += 1200 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * radius**2))
    electrons = rng.poisson(light / 2.0) * 2.0
    pixels = np.clip(np.rint(electrons + rng.normal(100, 4, y.shape)), 0, 4095)
    return Image(pixels.astype(np.uint16), bits=12, spacing_um=(0.65, 0.65), name="micrograph")
