"""A study that is killed at any moment goes on where it was and ends with the same table."""

import signal
import subprocess
import sys
import time
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
import multiprocessing
import sys
import time
from pathlib import Path
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.spec import load_study

folder, hold, jobs = Path(sys.argv[1]), sys.argv[2] != "never", int(sys.argv[3])


def say(done: int, total: int, now: str) -> None:
    if done == 2 and jobs > 1:
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    print(now, done, flush=True)
    if hold and now == "trials" and done == total:
        # Who kills may be slow; what is to be killed must not be over before.
        time.sleep(60)


execute(
    load_study(folder / "small.toml"),
    folder / "out",
    settings=Settings(data=None, models=(), cache=folder, user_data=folder),
    progress=say,
    jobs=jobs,
)
"""


def run_until(
    folder: Path, line: str, *, jobs: int = 1, said_before: list[str] | None = None
) -> int:
    """Run the study as a process, kill it as soon as it says ``line``; return how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), line, str(jobs)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as lines:
        for said in lines:
            if said.strip() == line:
                process.kill()
                break
            if said_before is not None:
                said_before.append(said.strip())
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


def is_alive(process: str) -> bool:
    """Whether a process runs: one that has ended may wait for somebody to ask how."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_killed_with_processes_it_leaves_none_and_resumes(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
) -> None:
    make_dataset()
    study = study_of(codecs='[[codecs]]\nspec = "jpegls"\nmax_error = [1, 2, 3, 4, 5, 6, 7, 8]\n')
    (tmp_path / "small.toml").write_text(study.toml)
    said: list[str] = []
    assert run_until(tmp_path, "trials 9", jobs=2, said_before=said) == -signal.SIGKILL
    workers = next(line.split() for line in said if line.replace(" ", "").isdigit())
    assert len(workers) >= 2
    until = time.monotonic() + 60
    while any(map(is_alive, workers)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(map(is_alive, workers))
    assert 9 <= load_results(tmp_path / "out").trials_done < 32
    assert run_until(tmp_path, "never", jobs=2) == 0
    whole = execute(study, tmp_path / "whole", settings=settings)
    resumed = load_results(tmp_path / "out")
    assert [replace(t, encode_s=None, decode_s=None) for t in resumed.trials] == [
        replace(t, encode_s=None, decode_s=None) for t in whole.trials
    ]
