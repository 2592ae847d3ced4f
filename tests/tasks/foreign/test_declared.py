"""Tables that declare tasks: every key is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cytopress.errors import UnknownNameError, UsageError
from cytopress.tasks.foreign.declared import TASK_KINDS, declared_name, declared_task
from fakes.onnx_graphs import blur

ONNX = {"kind": "onnx", "path": "m.onnx"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"paht": "x"}, r"unknown key 'paht'; known: .*path"),
        ({"input": {"axis": "YX"}}, r"unknown key 'axis' in input; known: .*axes"),
        ({"output": {"kind": "labels"}}, r"unknown key 'kind' in output; known: .*as"),
        ({"output": {"form": "labels"}}, r"unknown key 'form' in output; known: .*as"),
        ({"input": {"normalize": "minmax"}}, r"input\.normalize = 'minmax' is .*'percentile'"),
        ({"input": {"axes": "NCYXY"}}, "no letter twice"),
        ({"input": {"axes": "NCX"}}, "need Y and X"),
        ({"input": {"low": 99, "high": 1}}, "low must be below high"),
        ({"input": {"full_scale": 10}}, "full_scale goes with"),
        ({"score": ["accuracy"]}, "no score 'accuracy'.*pearson"),
        ({"score": ["iou"]}, "no score 'iou' for output as 'image'"),
        ({"score": ["nrmse", "nrmse"]}, "twice"),
        ({"truth": "labels"}, "cannot be compared with truth = 'labels'"),
        ({"truth": "target", "output": {"as": "labels"}}, "truth = 'target'"),
        ({"range": 0}, "range = 0 is not .* greater than 0"),
        ({"range": 5, "output": {"as": "labels"}}, "range is for images"),
    ],
)
def test_faults_name_the_table_and_the_key(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    (tmp_path / "m.onnx").write_bytes(blur())
    declared_task("net", ONNX, folder=tmp_path)
    with pytest.raises(UsageError, match=rf"\[tasks\.net\]: .*{words}"):
        declared_task("net", {**ONNX, **change}, folder=tmp_path)


def test_a_missing_key() -> None:
    with pytest.raises(UsageError, match="'path' must be given"):
        declared_task("net", {"kind": "onnx"}, folder=Path())
    with pytest.raises(UsageError, match="'command' must be given"):
        declared_task("net", {"kind": "external"}, folder=Path())


def test_kinds_and_names() -> None:
    assert [declared_name("a", {"kind": kind}) for kind in TASK_KINDS] == [
        "onnx/a",
        "bioimageio/a",
        "external/a",
    ]
    with pytest.raises(UnknownNameError, match=r"'onxx' in \[tasks\.a\].*'onnx'"):
        declared_name("a", {"kind": "onxx"})
    with pytest.raises(UsageError, match="'kind' must be given; known: onnx"):
        declared_name("a", {})
    with pytest.raises(UsageError, match="letters"):
        declared_name("a/b", ONNX)
