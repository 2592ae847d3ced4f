"""Progress bars on stderr, only where somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Report = Callable[[int, int, str], None]
# Two displays would write over each other.
_shown: list[Progress] = []


@contextmanager
def bar(title: str) -> Iterator[Report]:
    """Show a bar; the yielded function takes (done, total, what is being done now).

    Within another bar it is shown below that one.
    """
    if _shown:
        with _task(_shown[-1], title) as report:
            yield report
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with _progress(*columns) as progress:
        _shown.append(progress)
        try:
            with _task(progress, title) as report:
                yield report
        finally:
            _shown.pop()


@contextmanager
def _task(progress: Progress, title: str) -> Iterator[Report]:
    task = progress.add_task(title, total=None, now="")

    def report(done: int, total: int, now: str = "") -> None:
        progress.update(task, completed=done, total=total, now=now)

    yield report
    progress.remove_task(task)


@contextmanager
def coding(title: str) -> Iterator[None]:
    """Show how far an encode or decode is, as far as its codec tells."""
    from cytopress.codecs.progress import listen

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with _progress(*columns) as progress:
        # Without a total the bar pulses: it stays so where a codec has no parts.
        task = progress.add_task(title, total=None, now="")

        def tell(share: float, now: str) -> None:
            progress.update(task, completed=share, total=1.0, now=now)

        with listen(tell):
            yield


@contextmanager
def spinner(title: str) -> Iterator[None]:
    """Show that something without steps is under way."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with _progress(*columns) as progress:
        progress.add_task(title, total=None)
        yield


def _progress(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
