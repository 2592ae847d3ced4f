"""What `recommend --write` wrote is read back by what it was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cytopress.errors import NotAvailableError, PackageError, StoreError, UsageError
from cytopress.results.recommendation import Criterion, as_json, recommend
from cytopress.results.recommendation.recorded import FILE, read_recommendation, write_rows
from cytopress.settings import from_environment
from fakes.made_up_study import TASK, make_study


def row(**changes: Any) -> dict[str, Any]:
    """A row of `recommend`, made from a study with known numbers."""
    return dict(ROW) | changes


(FOUND,) = recommend(make_study(fields=12, groups=6), Criterion(task=TASK, margin=0.01))
ROW = as_json(FOUND)


def test_one_recommendation_needs_no_choice(tmp_path: Path) -> None:
    write_rows(tmp_path, [row()])
    found = read_recommendation(tmp_path)
    assert FOUND.chosen is not None
    assert (found.spec, found.bound) == (FOUND.chosen.spec, FOUND.chosen.bound)
    assert (found.dataset, found.channel) == ("cells", "phase contrast")
    assert (found.task, found.metric, found.margin) == (TASK, "pearson", "0.01")
    assert found.request(from_environment()).spec == found.spec
    assert list(tmp_path.iterdir()) == [tmp_path / FILE]


def test_several_are_told_apart_by_task_margin_and_channel(tmp_path: Path) -> None:
    write_rows(
        tmp_path,
        [
            row(spec="jpegxl:ratio=5"),
            row(margin_asked="2%", spec="jpegxl:ratio=6"),
            row(task="other", margin_asked="noise", spec="jpegxl:ratio=7"),
            row(name="plate/DNA", channel="DNA", spec="jpegxl:ratio=8"),
            row(metric="nrmse", spec="jpegxl:ratio=9"),
        ],
    )
    with pytest.raises(UsageError) as told:
        read_recommendation(tmp_path)
    text = str(told.value)
    assert "5 recommendations fit" in text
    assert f"--channel (cells, plate/DNA) and --task ({TASK}/pearson, other/pearson" in text
    assert "--margin (0.01, 2%, noise)" in text
    assert "\n" not in text

    def spec(**chosen: str) -> str:
        return read_recommendation(tmp_path, **chosen).spec

    pearson = f"{TASK}/pearson"
    assert spec(task="other") == "jpegxl:ratio=7"
    assert spec(margin="noise") == "jpegxl:ratio=7"
    assert spec(margin="2 %") == "jpegxl:ratio=6"
    for channel in ("dna", "plate/DNA", "DNA"):
        assert spec(channel=channel) == "jpegxl:ratio=8"
    assert spec(task=pearson, margin="1e-2", channel="cells") == "jpegxl:ratio=5"
    assert spec(task=f"{TASK}/nrmse") == "jpegxl:ratio=9"
    with pytest.raises(UsageError, match="nothing fits --task none; it holds"):
        spec(task="none")


def test_the_same_question_is_answered_once(tmp_path: Path) -> None:
    write_rows(tmp_path, [row(spec="jpegxl:ratio=5"), row(task="other")])
    write_rows(tmp_path, [row(spec="jpegxl:ratio=6")])
    assert read_recommendation(tmp_path, task=TASK).spec == "jpegxl:ratio=6"
    assert len(json.loads((tmp_path / FILE).read_text())) == 2


def test_nothing_inside_is_coded_without_loss(tmp_path: Path) -> None:
    write_rows(tmp_path, [row(spec=None, bound=None, lossless={"spec": "jpegls"})])
    found = read_recommendation(tmp_path)
    assert (found.spec, found.bound) == ("jpegls", 0)
    write_rows(tmp_path, [row(spec=None, bound=None, lossless=None)])
    with pytest.raises(NotAvailableError, match="no lossless one"):
        read_recommendation(tmp_path)


def test_a_folder_without_the_file_says_which_command_writes_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"recommend .* --task NAME --margin M --write"):
        read_recommendation(tmp_path)
    (tmp_path / FILE).write_text('[{"name": 1}]')
    with pytest.raises(StoreError, match="not a file of `recommend`"):
        read_recommendation(tmp_path)


def test_rows_of_earlier_versions_are_read(tmp_path: Path) -> None:
    new = ("channel", "margin_asked", "models", "task_sha256")
    old = {key: value for key, value in row().items() if key not in new}
    (tmp_path / FILE).write_text(json.dumps([old, old | {"task": "b", "margin_from": "noise"}]))
    assert read_recommendation(tmp_path, margin="noise").task == "b"
    assert read_recommendation(tmp_path, margin=0.01).task == TASK


def test_another_model_of_the_same_name_is_refused(tmp_path: Path) -> None:
    spec = "learned/cytopress-2d:ratio=20"
    (package,) = _request(spec).packages
    models = [{"name": package.name, "sha256": package.sha256}]
    write_rows(tmp_path, [row(spec=spec, models=models)])
    # It was measured before structured noise was coded apart, or resolutions were chosen.
    found = read_recommendation(tmp_path).request(from_environment())
    assert found.spec == f"{spec},lines=0,scale=1"
    models[0]["sha256"] = "0" * 64
    write_rows(tmp_path, [row(spec=spec, models=models)])
    with pytest.raises(PackageError, match=f"package {package.name} on this machine is not"):
        read_recommendation(tmp_path).request(from_environment())


def _request(spec: str) -> Any:
    from cytopress.codecs.spec import codec

    return codec(spec, from_environment())
