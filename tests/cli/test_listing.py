"""The lists, as programs read them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import cytopress
from cytopress.cli import main
from cytopress.codecs.registry import families
from cytopress.tasks.builtin.measurement import Measurement


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    with pytest.raises(SystemExit) as leave:
        main([*arguments, "--json"])
    assert not leave.value.code
    found = json.loads(capsys.readouterr().out)
    assert all(row["name"] for row in found)
    return found  # type: ignore[no-any-return]


def test_every_codec_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    names = [row["name"] for row in listed(capsys, "codecs")]
    assert names[: len(families())] == list(families())
    models = [row["name"] for row in listed(capsys, "models")]
    # Models that were replaced are selected by their digests.
    assert names[len(families()) :] == [name for name in models if "@" not in name]


def test_a_model_is_told_with_its_digest_and_rates(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(cytopress.__file__).parent / "models" / "shipped"
    rows = {row["name"]: row for row in listed(capsys, "models")}
    shipped = rows["learned/cytopress-2d"]
    file = folder / "cytopress-2d.cytomodel"
    assert shipped["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert shipped["bytes"] == file.stat().st_size
    assert shipped["rates"] == "continuous"


def test_a_task_is_told_with_the_whole_digest_of_its_package(
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path(cytopress.__file__).parent / "models" / "shipped"
    files = folder.glob("labelfree-*.cytomodel")
    digests = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    assert digests
    assert digests <= {row["weights"] for row in listed(capsys, "tasks")}


def test_the_measurement_is_a_task_without_a_package(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["name"]: row for row in listed(capsys, "tasks")}
    scores = str(rows["measurement"]["scores"])
    assert scores.startswith("intensity_error (lower is better), count_error")
    assert rows["measurement"]["weights"] == Measurement().weights


def test_a_dataset_says_where_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ecoli-phase").mkdir()
    (tmp_path / "ecoli-phase" / "dataset.toml").touch()
    monkeypatch.setenv("CYTOPRESS_DATA", str(tmp_path))
    here = {row["name"]: row["here"] for row in listed(capsys, "datasets")}
    assert here["ecoli-phase"] == str(tmp_path / "ecoli-phase")
    assert here["nuclei-brightfield"] is None


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_a_damaged_or_strange_package_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cytopress.models.model_package import write_package

    (tmp_path / "damaged.cytomodel").write_bytes(b"cut short")
    manifest = {"architecture": "none", "axes": "YX"}
    for kind, name in (("task", "labelfree/strange"), ("codec", "learned/strange")):
        path = tmp_path / f"{name.replace('/', '-')}.cytomodel"
        write_package(path, {"kind": kind, "name": name, **manifest}, graphs={})
    for command, other in (
        ("codecs", "learned/cytopress-2d"),
        ("tasks", "labelfree/ecoli-phase"),
        ("models", "learned/cytopress-2d"),
    ):
        with pytest.raises(SystemExit) as leave:
            main([command, "--models", str(tmp_path), "--json"])
        assert not leave.value.code
        out, err = capsys.readouterr()
        assert other in {row["name"] for row in json.loads(out)}
        assert "damaged.cytomodel: this is not a whole model package" in err
        notes = {line for line in err.splitlines() if line.endswith("The package is skipped.")}
        assert len(notes) == (1 if command == "models" else 2)
