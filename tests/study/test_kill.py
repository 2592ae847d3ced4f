"""A study that is killed at any moment goes on where it was and ends with the same table."""

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.spec import Study
from cytopress.study.store import load_results

from .conftest import MakeDataset

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows"),
]

RUN = """
import sys
import time
from pathlib import Path
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.spec import load_study

folder, hold = Path(sys.argv[1]), sys.argv[2] != "never"


def say(done: int, total: int, now: str) -> None:
    print(now, done, flush=True)
    if hold and now == "trials" and done == total:
        # Who kills may be slow; what is to be killed must not be over before.
        time.sleep(60)


execute(
    load_study(folder / "small.toml"),
    folder / "out",
    settings=Settings(data=None, models=(), cache=folder, user_data=folder),
    progress=say,
)
"""


def run_until(folder: Path, line: str) -> int:
    """Run the study as a process, kill it as soon as it says ``line``; return how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), line], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as lines:
        for said in lines:
            if said.strip() == line:
                process.kill()
                break
    return process.wait(60)


def test_killed_again_and_again(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
) -> None:
    make_dataset()
    study = study_of(codecs='[[codecs]]\nspec = "jpegls"\nmax_error = [1, 2, 3, 4, 5, 6, 7, 8]\n')
    (tmp_path / "small.toml").write_text(study.toml)
    whole = execute(study, tmp_path / "whole", settings=settings)
    done = 0
    # The first kill comes in the survey, before there is a plan.
    for line in ("reading e1-1 4", "trials 0", "trials 3", "trials 11", "trials 25"):
        assert run_until(tmp_path, line) == -signal.SIGKILL
        if line.startswith("trials"):
            found = load_results(tmp_path / "out").trials_done
            assert done <= found <= 32
            assert found >= int(line.split()[1])
            done = found
    assert run_until(tmp_path, "never") == 0
    resumed = load_results(tmp_path / "out")
    assert resumed.trials_done == resumed.trials_planned == 32
    assert [replace(t, encode_s=None, decode_s=None) for t in resumed.trials] == [
        replace(t, encode_s=None, decode_s=None) for t in whole.trials
    ]
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files <= {"study.sqlite", "study.sqlite-wal", "study.sqlite-shm", ".study.lock"}
    for trial in resumed.trials:
        shown = [(p.kind, p.task, p.image) for p in resumed.previews(trial.key)]
        assert shown == [(p.kind, p.task, p.image) for p in whole.previews(trial.key)]
