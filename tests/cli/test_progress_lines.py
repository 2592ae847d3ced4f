"""Progress without a terminal: a line in regular intervals, and nothing for short work."""

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from cytopress.cli import progress_lines
from cytopress.cli.progress_bars import bar, coding, spinner
from cytopress.codecs.progress import track

Waits = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def wait_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Give a block that is left once a text has been written; lines come every 5 ms."""
    monkeypatch.setattr(progress_lines, "EVERY", 0.005)

    @contextmanager
    def wait(text: str) -> Iterator[None]:
        capsys.readouterr()
        yield
        err, end = "", time.monotonic() + 10
        while text not in err and time.monotonic() < end:
            time.sleep(0.002)
            err += capsys.readouterr().err
        assert text in err, err[-500:]

    return wait


def test_a_line_says_what_is_done_of_how_much(wait_for: Waits) -> None:
    line = "cytopress: Study small, 3 of 12, 25%, trials (0:00:0"
    with bar("Study small") as report, wait_for(line):
        report(3, 12, "trials")


def test_inner_work_stands_behind_the_outer(wait_for: Waits) -> None:
    with bar("Study small") as outer:
        outer(1, 4, "")
        with bar("Simulating") as inner, wait_for("small, 1 of 4, 25%; Simulating, 2 of 3, 67%, s"):
            inner(2, 3, "slide-1")
        with wait_for("small, 1 of 4, 25% ("):
            pass


def test_an_encode_tells_its_share(wait_for: Waits) -> None:
    with coding("Encoding cells.tif"):
        for part in track(range(4)):
            if part == 2:
                with wait_for("Encoding cells.tif, 50% ("):
                    pass


def test_work_without_steps_still_shows_that_it_runs(wait_for: Waits) -> None:
    with spinner("Predicting"), wait_for("cytopress: Predicting (0:00:0"):
        pass


def test_short_work_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("Study small") as report:
        report(1, 2, "trials")
    assert capsys.readouterr().err == ""


def test_a_closed_stderr_ends_the_lines_and_not_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_lines, "EVERY", 0.005)
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    with bar("Study small") as report:
        time.sleep(0.03)
        report(1, 2, "trials")
