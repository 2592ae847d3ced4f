"""Studies of a folder of images: scored without ground truth, and identified by content."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cytopress.datasets.dataset import open_dataset
from cytopress.digests import digest_paths, digest_text
from cytopress.errors import CytopressWarning, DatasetError
from cytopress.settings import Settings
from cytopress.study import run_here
from cytopress.study.execute import execute
from cytopress.study.reference_scales import sources_of
from cytopress.study.results import Results
from cytopress.study.spec import parse_study
from fakes.plate import write_plate

STUDY = """
name = "small"
metrics = ["psnr"]
speed = false
noise_draws = 1
[[datasets]]
images = "{images}"
only = ["DNA", "ER"]
tasks = ["measurement"]
[[codecs]]
spec = "jpegls"
max_error = [0, 8]
"""

pytestmark = pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
Execute = Callable[..., tuple[Results, list[str]]]


@pytest.fixture
def run(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Execute:
    """Run the study of a folder, and return its results and the fields whose trials were run."""
    ran: list[str] = []
    original = run_here.run_job_trial

    def recorded(job, plan, recent):  # type: ignore[no-untyped-def]
        ran.append(f"{plan.dataset} {plan.field}")
        return original(job, plan, recent)

    monkeypatch.setattr(run_here, "run_job_trial", recorded)

    def call(images: str = "plate", **changes: str) -> tuple[Results, list[str]]:
        ran.clear()
        text = STUDY.format(images=images).replace("noise_draws = 1", "noise_draws = 0")
        for old, new in changes.items():
            text = text.replace(old, new)
        study = parse_study(text, folder=tmp_path, label="study.toml")
        return execute(study, tmp_path / "out", settings=settings), list(ran)

    return call


def test_every_channel_is_scored_against_the_original(run: Execute, tmp_path: Path) -> None:
    write_plate(tmp_path / "plate", fields=(1, 2))
    results, ran = run()
    assert [facts.name for facts in results.datasets] == ["plate/DNA", "plate/ER"]
    assert {facts.target for facts in results.datasets} == {""}
    assert len(ran) == 8
    for trial in results.trials:
        harm = trial.scores["measurement/intensity_error/harm"]
        assert trial.error == ""
        assert trial.scores["measurement/intensity_error/baseline"] == 0
        assert (harm == 0) is (trial.target_value == 0)
    assert "ground truth" in results.tasks[0].summary
    shown = [trial for trial in results.trials if results.previews(trial.key)]
    assert {trial.field for trial in shown} == {"field1"}
    kinds = {(one.kind, one.task) for one in results.previews(shown[0].key)}
    assert {kind for kind, _ in kinds} == {
        "original",
        "decoded",
        "prediction",
        "prediction-decoded",
    }


def test_the_same_images_elsewhere_and_under_other_names_run_no_trial(
    run: Execute, tmp_path: Path
) -> None:
    write_plate(tmp_path / "plate", fields=(1, 2))
    assert len(run()[1]) == 8
    assert run()[1] == []
    shutil.move(tmp_path / "plate", tmp_path / "moved")
    assert run("moved")[1] == []
    write_plate(tmp_path / "renamed", fields=(1, 2), name="A0{field}-{stain}.tif")
    assert run("renamed")[1] == []


def test_files_added_later_run_only_what_is_new(run: Execute, tmp_path: Path) -> None:
    write_plate(tmp_path / "plate", fields=(3, 4))
    first = run()[0]
    # One before and one behind: the first of a group has its pictures.
    write_plate(tmp_path / "plate", fields=(1, 9))
    with pytest.warns(CytopressWarning, match="stay those of the first 2 fields"):
        results, ran = run()
    assert {name.partition(" ")[2] for name in ran} == {"field1", "field9"}
    assert len(ran) == 8
    assert results.datasets[0].data_range == first.datasets[0].data_range
    assert len({trial.field for trial in results.trials}) == 4
    assert run()[1] == []
    # Without the first ones nothing is left of what the scales were measured on.
    for field in (3, 4):
        for path in (tmp_path / "plate").glob(f"field{field}_*"):
            path.unlink()
    assert len(run()[1]) == 8


def test_a_pixel_or_a_stated_size_makes_another_trial(run: Execute, tmp_path: Path) -> None:
    write_plate(tmp_path / "plate", fields=(1,))
    run()
    assert len(run(**{"only =": "pixel_size_um = 0.5\nonly ="})[1]) == 4


def test_copies_of_a_field_are_told(run: Execute, tmp_path: Path) -> None:
    folder = write_plate(tmp_path / "plate", fields=(1, 2), stains=("DNA", "ER"))
    shutil.copy(folder / "field1_DNA.tif", folder / "field7_DNA.tif")
    with pytest.warns(CytopressWarning, match=r"plate/DNA: 2 fields .* field1 and field7"):
        run()


def test_no_trial_runs_where_a_file_cannot_be_read(run: Execute, tmp_path: Path) -> None:
    folder = write_plate(tmp_path / "plate", fields=(1, 2, 3))
    for field in (1, 3):
        path = folder / f"field{field}_DNA.tif"
        path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(DatasetError, match="2 of 3 images cannot be read") as caught:
        run()
    lines = str(caught.value).splitlines()
    assert ["field1_DNA" in lines[1], "field3_DNA" in lines[2]] == [True, True]
    assert not (tmp_path / "out/study.sqlite").exists()
    results, _ = run(**{"only =": "skip_unreadable = true\nonly ="})
    assert [t.field for t in results.trials if t.dataset == "plate/DNA"] == ["field2"] * 2


def test_scales_of_datasets_with_tables_keep_their_key(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    """The key of stores that older versions wrote: format, bits, axes and files."""
    found = open_dataset(make_dataset())
    training = [field.input for field in found.part("train")]
    text = "\n".join(["2", str(found.bits), found.axes, digest_paths(training)])
    assert sources_of(found, {}).key == digest_text(text)
    assert sources_of(found, {}).images == ()
