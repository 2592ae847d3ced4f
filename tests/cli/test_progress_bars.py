"""Bars on a terminal: one display, however many things are under way."""

import io

import pytest
from rich.console import Console

from cytopress.cli import progress_bars as progress
from cytopress.cli.progress_bars import bar


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    screen = io.StringIO()
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=120)
    )
    return screen


def test_a_bar_within_a_bar_is_shown_below_it(terminal: io.StringIO) -> None:
    with bar("Training") as outer:
        outer(1, 10, "step")
        with bar("Simulating phantom-3d") as inner:
            inner(3, 40, "slide-1")
            (display,) = progress._shown
            assert [task.description for task in display.tasks] == [
                "Training", "Simulating phantom-3d",
            ]  # fmt: skip
            display.refresh()
        assert [task.completed for task in display.tasks] == [1]
    assert progress._shown == []
    assert "Simulating phantom-3d" in terminal.getvalue()
    assert "3/40" in terminal.getvalue()
