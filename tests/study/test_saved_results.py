"""Results in the repository: smaller stores that print the same figures as the study's own."""

import importlib.util
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cytopress.report.pictures import display_range
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.results import Results
from cytopress.study.spec import Study
from cytopress.study.store import load_results

from .conftest import Doubling, MakeDataset

ROOT = Path(__file__).parents[2]
CODECS = '[[codecs]]\nspec = "jpegxl"\n[[codecs]]\nspec = "jpegls"\nmax_error = [1, 4, 8]\n'


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("plotly", reason="reports need the extra report")
    spec = importlib.util.spec_from_file_location("docs_results", ROOT / "docs" / "results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its processes look for its functions there.
    monkeypatch.setitem(sys.modules, "docs_results", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def out(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    doubling: list[Doubling],
    settings: Settings,
    tmp_path: Path,
) -> Path:
    make_dataset(per_group=3)
    study = study_of(codecs=CODECS, dataset='tasks = ["fake/doubling"]', head="noise_draws = 3")
    execute(study, tmp_path / "out", settings=settings)
    return tmp_path / "out"


def pictured(results: Results) -> set[str]:
    return {trial.key for trial in results.trials if results.previews(trial.key)}


def test_saved_results_print_the_same_figures(
    script: ModuleType, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = runpy.run_path(str(ROOT / "reference" / "tables.py"))
    tables["main"]([str(out)])
    printed = capsys.readouterr().out
    assert "fake/doubling/error" in printed
    saved = script.save(out, "small", results=tmp_path)
    with script.opened(saved) as results:
        assert list(results.trials) == list(load_results(out).trials)
        tables["main"].__globals__["load_results"] = lambda folder: results
        tables["main"](["saved"])
    assert capsys.readouterr().out == printed


def test_images_are_kept_exactly_and_predictions_as_they_are_shown(
    script: ModuleType, out: Path, tmp_path: Path
) -> None:
    before = load_results(out)
    with script.opened(script.save(out, "small", results=tmp_path)) as results:
        keys = pictured(results)
        assert keys == {key for key in pictured(before) if key in keys}
        assert len(keys) == 3 * 2
        for key in keys:
            for kept, given in zip(results.previews(key), before.previews(key), strict=True):
                assert (kept.kind, kept.task) == (given.kind, given.task)
                assert kept.section == given.section
                assert kept.image.dtype == given.image.dtype
                assert kept.image.spacing_um == given.image.spacing_um
                span = display_range(given.image)
                level = (span.high - span.low) / 255
                most = level / 2 if kept.kind.startswith("prediction") else 0
                error = np.abs(kept.image.pixels.astype(float) - given.image.pixels)
                assert error.max() <= most * (1 + 1e-6)


def test_a_small_room_keeps_every_trial_and_pictures_of_every_setting_far_apart(
    script: ModuleType, out: Path, tmp_path: Path
) -> None:
    whole = script.save(out, "whole", results=tmp_path)
    most = whole.stat().st_size * 2 // 3
    small = script.save(out, "small", results=tmp_path, most=most)
    assert small.stat().st_size <= most
    with script.opened(small) as results, script.opened(whole) as all_of_it:
        assert list(results.trials) == list(all_of_it.trials)
        assert pictured(results) < pictured(all_of_it)
        fields = [trial.field for trial in results.trials if trial.key in pictured(results)]
        # The first field goes first, in all of its settings.
        assert fields.count(fields[0]) == 3


def test_reports_share_one_script(script: ModuleType, out: Path, tmp_path: Path) -> None:
    script.save(out, "small", results=tmp_path)
    script.render_all(tmp_path)
    page = (tmp_path / "small-report.html").read_text(encoding="utf-8")
    assert '<script src="plotly.min.js"></script>' in page
    assert len(page) < 1_000_000
    assert "Plotly" in (tmp_path / "plotly.min.js").read_text(encoding="utf-8")
