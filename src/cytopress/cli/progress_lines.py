"""Progress lines: plain text in regular intervals, where there is no terminal for bars."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from rich.progress import TaskID

# Seconds between two lines; work that is done before leaves none.
EVERY = 30.0


@dataclass
class _Task:
    description: str
    total: float | None
    completed: float = 0.0
    now: str = ""


class Lines:
    """Progress of tasks, written to stderr every 30 seconds.

    Has those methods of `rich.progress.Progress` that this package uses, so that whoever reports
    does not ask which of the two it is. A thread writes: an encode of minutes that reports nothing
    still shows that it runs.
    """

    def __init__(self) -> None:
        self._tasks: dict[TaskID, _Task] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._begin = time.monotonic()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def add_task(self, description: str, total: float | None = 100.0, **fields: Any) -> TaskID:
        """Begin a task and return its number."""
        with self._lock:
            number = TaskID(max(self._tasks, default=-1) + 1)
            self._tasks[number] = _Task(description, total, now=fields.get("now", ""))
        return number

    def update(
        self, task: TaskID, *, completed: float, total: float | None = None, now: str = ""
    ) -> None:
        """Set how far a task is, and what it is doing now."""
        with self._lock:
            found = self._tasks[task]
            found.completed, found.total, found.now = completed, total, now

    def remove_task(self, task: TaskID) -> None:
        """End a task."""
        with self._lock:
            del self._tasks[task]

    def line(self) -> str:
        """Return what is being done, how far it is and since when."""
        with self._lock:
            tasks = [_text(task) for task in self._tasks.values()]
        elapsed = timedelta(seconds=round(time.monotonic() - self._begin))
        return f"cytopress: {'; '.join(tasks)} ({elapsed} elapsed)"

    def _write(self) -> None:
        while not self._ended.wait(EVERY):
            try:
                print(self.line(), file=sys.stderr, flush=True)
            except (OSError, ValueError):
                # Whoever read the lines has closed them; the work goes on.
                return


def _text(task: _Task) -> str:
    """Return a task in one line: counts where it is counted, else its share."""
    parts = [task.description]
    if task.total and task.total > 1:
        parts.append(f"{task.completed:g} of {task.total:g}")
    if task.total:
        parts.append(f"{task.completed / task.total:.0%}")
    if task.now:
        parts.append(task.now)
    return ", ".join(parts)
