"""Progress on stderr: bars on a terminal, elsewhere a line every 30 seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from cytopress.callbacks import Progress
from cytopress.cli.progress_lines import Lines

Display = Bars | Lines

# Two displays would write over each other.
_shown: list[Display] = []


@contextmanager
def bar(title: str) -> Iterator[Progress]:
    """Show a bar, and give the progress callback that moves it.

    Inside another bar it is shown below that one.
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
def _task(shown: Display, title: str) -> Iterator[Progress]:
    task = shown.add_task(title, total=None, now="")

    def report(done: int, total: int, now: str = "") -> None:
        shown.update(task, completed=done, total=total, now=now)

    yield report
    shown.remove_task(task)


@contextmanager
def coding(title: str) -> Iterator[Progress]:
    """Show how far an encode or decode is, where its codec reports progress.

    Gives the progress callback for several images: each is a part of the bar.
    """
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
        # Without a total the bar pulses, and does so to the end where a codec has no parts.
        task = progress.add_task(title, total=None, now="")
        images = _Images()

        def tell(share: float, now: str) -> None:
            text = f"{images.label} {now}".strip()
            progress.update(task, completed=images.done + share, total=images.total, now=text)

        def report(done: int, total: int, label: str = "") -> None:
            images.done, images.total, images.label = done, total, label
            if total > 1:
                tell(0.0, "")

        with listen(tell):
            yield report


@dataclass
class _Images:
    """How many images are done, of how many, and the label of the one that is worked on."""

    done: int = 0
    total: int = 1
    label: str = ""


@contextmanager
def spinner(title: str) -> Iterator[None]:
    """Show that work without steps is running."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with _progress(*columns) as progress:
        progress.add_task(title, total=None)
        yield


def _progress(*columns: ProgressColumn) -> Display:
    console = Console(stderr=True)
    return Bars(*columns, console=console, transient=True) if console.is_terminal else Lines()


@contextmanager
def share_bar(title: str) -> Iterator[Progress]:
    """Show a bar of a share, whose counts are in the text beside it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with _progress(*columns) as progress:
        task = progress.add_task(title, total=None, now="")

        def report(done: int, total: int, now: str = "") -> None:
            progress.update(task, completed=done / total, total=1.0, now=now)

        yield report
