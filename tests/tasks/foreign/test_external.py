"""Programs as tasks: what they are given, what they may answer, and how they fail."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytopress.errors import TaskError, UsageError
from cytopress.image import Image
from cytopress.tasks.foreign.declared import declared_task
from cytopress.tasks.foreign.external import External

EXAMPLES = Path(__file__).parents[3] / "examples" / "external"
PROMISE = '[{"name": "change", "unit": "counts", "better": "lower"}]'
SCRIPT = """
import json, os, sys, time
if len(sys.argv) == 1:
    print('''{promise}''')
    raise SystemExit
original, decoded = sys.argv[1:]
{body}
"""


def _program(folder: Path, body: str, *, promise: str = PROMISE, **table: Any) -> External:
    (folder / "own.py").write_text(SCRIPT.format(promise=promise, body=body))
    command = [sys.executable, "own.py"]
    found = declared_task("own", {"kind": "external", "command": command, **table}, folder=folder)
    assert isinstance(found, External)
    return found


def _pair(micrograph: Image) -> tuple[Image, Image]:
    changed = micrograph.pixels.copy()
    changed[0, 0] += 7
    return micrograph, micrograph.with_pixels(changed)


def _score(task: External, pair: tuple[Image, Image]) -> dict[str, float]:
    original, decoded = pair
    return task.score(task.predict(decoded), task.predict(original), decoded)


def test_original_first_and_decoded_second(tmp_path: Path, micrograph: Image) -> None:
    body = """
import tifffile
one, two = (tifffile.imread(path).astype(int) for path in (original, decoded))
print(json.dumps({"change": int((two - one).sum())}))
"""
    task = _program(tmp_path, body)
    assert (task.name, task.truth) == ("external/own", "none")
    assert [(score.name, score.unit, score.better) for score in task.scores] == [
        ("change", "counts", "lower")
    ]
    assert _score(task, _pair(micrograph)) == {"change": 7.0}


def test_only_their_order_tells_the_files_apart(tmp_path: Path, micrograph: Image) -> None:
    body = """
import shutil
for path in (original, decoded):
    shutil.copy2(path, KEPT)
print(json.dumps({"change": 0}))
"""
    kept = tmp_path / "kept"
    kept.mkdir()
    task = _program(tmp_path, body.replace("KEPT", repr(str(kept))))
    decoded = Image(
        micrograph.pixels, bits=12, spacing_um=micrograph.spacing_um, name="jpegxl at ratio 50"
    )
    _score(task, (micrograph, decoded))
    first, second = (kept / "first.tif", kept / "second.tif")
    assert sorted(kept.iterdir()) == [first, second]
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_mtime == second.stat().st_mtime == 0
    assert b"micrograph" not in first.read_bytes()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit('no\\nobject was found')", r"exit code 1 \(object was found\)"),
        ("sys.exit(3)", "exit code 3 and said nothing"),
        ("os.kill(os.getpid(), 9)", "ended by signal 9"),
        ("print('hello')", "JSON and nothing else, not 'hello'"),
        ("pass", "nothing else, not nothing"),
        ("print('[1]')", r"one JSON object, not '\[1\]'"),
        ("print('{\"other\": 1}')", "scores change, but returns other"),
        ('print(\'{"change": 1, "more": 2}\')', "but returns change, more"),
        ("print('{}')", "but returns nothing"),
        ("print('{\"change\": NaN}')", "NaN for 'change', not a finite"),
        ("print('{\"change\": 1e999}')", "not a finite number"),
        ("print('{\"change\": 1' + '0' * 400 + '}')", "not a finite number"),
        ('print(\'{"change": "1"}\')', "not a finite number"),
        ("print('{\"change\": true}')", "not a finite number"),
        ("print('x' * (1 << 21))", "more than a megabyte"),
    ],
)
def test_a_wrong_answer_is_told(tmp_path: Path, micrograph: Image, body: str, words: str) -> None:
    task = _program(tmp_path, body)
    with pytest.raises(TaskError, match=f"external/own: .*{words}"):
        _score(task, _pair(micrograph))


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        ("hello", "called without arguments.*'hello'"),
        ("[]", "JSON list of its scores"),
        ('{"change": 1}', "JSON list of its scores"),
        ('[{"name": "a", "unit": ""}]', "better"),
        ('[{"name": "a", "unit": "", "better": "up"}]', "higher"),
        ('[{"name": "a/b", "unit": "", "better": "lower"}]', "slash"),
        ('[{"name": "a", "unit": 3, "better": "lower"}]', "unit"),
        (PROMISE[:-1] + ", " + PROMISE[1:], "twice"),
    ],
)
def test_a_wrong_promise_is_told_when_declared(tmp_path: Path, promise: str, words: str) -> None:
    with pytest.raises(TaskError, match=f"external/own: .*{words}"):
        _program(tmp_path, "pass", promise=promise)


def test_a_program_that_hangs_is_ended_with_all_it_started(
    tmp_path: Path, micrograph: Image
) -> None:
    alive = tmp_path / "alive"
    child = (
        f"import time, pathlib\\nwhile True: pathlib.Path({str(alive)!r}).touch(); time.sleep(0.05)"
    )
    body = f"""
import subprocess
subprocess.Popen([sys.executable, "-c", "{child}"])
time.sleep(60)
"""
    task = _program(tmp_path, body, timeout=1.5)
    begin = time.monotonic()
    with pytest.raises(TaskError, match=r"longer than 1\.5 s"):
        _score(task, _pair(micrograph))
    assert time.monotonic() - begin < 20
    assert alive.exists(), "the child never ran"
    time.sleep(0.2)
    alive.unlink()
    time.sleep(0.3)
    assert not alive.exists()


def test_a_child_that_stays_behind_does_not_hold_the_answer(
    tmp_path: Path, micrograph: Image
) -> None:
    body = """
import subprocess
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
print(json.dumps({"change": 1}))
"""
    begin = time.monotonic()
    assert _score(_program(tmp_path, body), _pair(micrograph)) == {"change": 1.0}
    assert time.monotonic() - begin < 15


def test_no_shell(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("import sys; print(sys.argv[1:]); sys.exit(sys.argv[1])")
    command = [sys.executable, "own.py", "; echo $HOME > out"]
    with pytest.raises(TaskError, match=r"\(; echo \$HOME > out\)"):
        declared_task("own", {"kind": "external", "command": command}, folder=tmp_path)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    table = {"kind": "external", "command": ["no-such-program"]}
    with pytest.raises(TaskError, match="no-such-program cannot be started"):
        declared_task("own", table, folder=tmp_path)


@pytest.mark.parametrize("length", [200, 260, 5000])
def test_a_script_within_the_command_may_have_any_length(
    tmp_path: Path, micrograph: Image, length: int
) -> None:
    body = f"import sys\n{'#' * length}\n"
    body += f"print('{PROMISE}' if len(sys.argv) == 1 else '{{\"agreement\": 1}}')"
    table = {"kind": "external", "command": [sys.executable, "-c", body]}
    task = declared_task("inline", table, folder=tmp_path)
    assert isinstance(task, External)
    assert task.command[2] == body
    assert len(task.weights) == 64


def test_a_character_that_no_argument_may_have_is_one_clear_error(tmp_path: Path) -> None:
    table = {"kind": "external", "command": [sys.executable, "-c", "print(\0)"]}
    with pytest.raises(TaskError, match=r"cannot be started .*null byte"):
        declared_task("inline", table, folder=tmp_path)


def test_an_edited_script_is_another_task(tmp_path: Path, micrograph: Image) -> None:
    first = _program(tmp_path, "print(json.dumps({'change': 1}))")
    moved = tmp_path / "moved"
    moved.mkdir()
    assert _program(moved, "print(json.dumps({'change': 1}))").weights == first.weights
    second = _program(tmp_path, "print(json.dumps({'change': 2}))")
    assert second.weights != first.weights
    with pytest.raises(TaskError, match="has changed since it was declared"):
        _score(first, _pair(micrograph))
    assert _score(second, _pair(micrograph)) == {"change": 2.0}


def test_numbers_are_no_images(tmp_path: Path, micrograph: Image) -> None:
    with pytest.raises(TaskError, match="an original image and a decoded one"):
        _program(tmp_path, "pass").score({"a": 1.0}, micrograph, micrograph)


def _example(name: str, program: str) -> External:
    command = [program, name]
    found = declared_task("own", {"kind": "external", "command": command}, folder=EXAMPLES)
    assert isinstance(found, External)
    return found


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell")
def test_the_shell_example(micrograph: Image) -> None:
    task = _example("count.sh", "sh")
    same = _score(task, (micrograph, micrograph))
    assert same == {"detail_change": 0, "bytes_change": 0}
    smooth = micrograph.with_pixels(micrograph.pixels // 16 * 16)
    found = _score(task, (micrograph, smooth))
    assert 10 < found["detail_change"] < 100
    assert found["bytes_change"] > 1000


def test_the_cellprofiler_like_example(micrograph: Image) -> None:
    task = _example("cellprofiler_like.py", sys.executable)
    assert task.scores[0].name == "count_difference"
    assert _score(task, (micrograph, micrograph)) == dict.fromkeys(
        ("count_difference", "area_difference", "intensity_difference"), 0.0
    )
    # A third of the light above the offset is gone: objects stay, their intensity does not.
    dimmed = np.rint(100 + (micrograph.pixels.astype(float) - 100) * 2 / 3)
    found = _score(task, (micrograph, micrograph.with_pixels(dimmed.astype(np.uint16))))
    assert found["intensity_difference"] == pytest.approx(1 / 3, abs=0.02)
    assert found["count_difference"] < 0.2


def test_a_failing_example_says_why(micrograph: Image) -> None:
    task = _example("cellprofiler_like.py", sys.executable)
    flat = micrograph.with_pixels(np.full(micrograph.shape, 5, np.uint16))
    with pytest.raises(TaskError, match="external/own"):
        _score(task, (flat, micrograph))


NUMBER = """
import sys
original, decoded = sys.argv[1:]
import tifffile
print({answer})
"""


def _undeclared(folder: Path, answer: str) -> External:
    (folder / "own.py").write_text(NUMBER.format(answer=answer))
    command = ["python", "own.py", "{original}", "{decoded}"]
    found = declared_task("own", {"kind": "external", "command": command}, folder=folder)
    assert isinstance(found, External)
    return found


@pytest.mark.parametrize(
    ("answer", "change"),
    [
        ("int(tifffile.imread(original).sum()) - int(tifffile.imread(decoded).sum())", 7.0),
        ("'{\"cells\": 0.25}'", 0.25),
        (f"int(sys.executable == {sys.executable!r})", 1.0),
    ],
)
def test_a_program_without_scores_prints_one_number(
    tmp_path: Path, micrograph: Image, answer: str, change: float
) -> None:
    task = _undeclared(tmp_path, answer)
    assert [(score.name, score.better) for score in task.scores] == [("change", "lower")]
    assert _score(task, _pair(micrograph)) == {"change": change}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('\'{"a": 1, "b": 2}\'', "declares no scores, so it must print one number"),
        ("'[1]'", "must print one number"),
        ("'nan'", "must print JSON and nothing else"),
        ("'NaN'", "not a finite number"),
        ("''", "must print JSON and nothing else, not nothing"),
    ],
)
def test_other_answers_without_scores_are_one_sentence(
    tmp_path: Path, micrograph: Image, answer: str, words: str
) -> None:
    with pytest.raises(TaskError, match=words):
        _score(_undeclared(tmp_path, answer), _pair(micrograph))


def test_places_change_nothing_of_a_program_that_declares(
    tmp_path: Path, micrograph: Image
) -> None:
    body = "print(json.dumps({'change': 3}))"
    (tmp_path / "own.py").write_text(SCRIPT.format(promise=PROMISE, body=body))
    command = ["python", "own.py", "{original}", "{decoded}"]
    task = declared_task("own", {"kind": "external", "command": command}, folder=tmp_path)
    assert isinstance(task, External)
    assert task.scores[0].unit == "counts"
    assert _score(task, _pair(micrograph)) == {"change": 3.0}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import absent_module", "ModuleNotFoundError"),
        ("print(", "SyntaxError"),
    ],
)
def test_a_program_that_no_image_would_mend_is_told_at_once(
    tmp_path: Path, script: str, words: str
) -> None:
    (tmp_path / "own.py").write_text(script)
    table = {"kind": "external", "command": ["python", "own.py", "{original}", "{decoded}"]}
    with pytest.raises(TaskError, match=words):
        declared_task("own", table, folder=tmp_path)
    with pytest.raises(TaskError, match=r"absent\.py"):
        declared_task(
            "own",
            table | {"command": ["python", "absent.py", "{original}", "{decoded}"]},
            folder=tmp_path,
        )
    with pytest.raises(UsageError, match=r"needs \{decoded\} too"):
        declared_task("own", table | {"command": ["python", "{original}"]}, folder=tmp_path)
