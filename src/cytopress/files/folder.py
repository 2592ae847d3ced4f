"""Folder runs: every file of a folder coded in processes, resumable, with a row for each file."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cytopress.batch import ledger as ledgers
from cytopress.batch.run import run
from cytopress.callbacks import Progress, no_progress
from cytopress.errors import CytopressError, CytopressWarning, UsageError
from cytopress.figures import count_text, ratio_text, shown_bytes, shown_time
from cytopress.files.find import LEDGER, LOCK, Found, output_names
from cytopress.lock import locked

# What an interrupted run leaves of a file that it was writing (`atomic_file`).
UNFINISHED = ".part-*"
Row = Mapping[str, Any]
Work = Callable[[Path, Path], Row]


@dataclass(frozen=True, kw_only=True)
class FolderRun:
    """What is asked of a folder of files.

    Parameters
    ----------
    source, out : Path
        The folder that is read, and the one that is written.
    find : callable
        Returns the files of ``source``, without those in ``out``.
    work : callable
        Takes a file and the file to write, and returns ``raw_bytes``, ``coded_bytes`` and
        ``codec``; it must pickle.
    suffix : str
        Of the files that are written.
    command : str
        Name of the command, such as ``encode``.
    options : mapping
        Options that decide what is written, as the command line names them.
    """

    source: Path
    out: Path
    find: Callable[[Path], Found]
    work: Work
    suffix: str
    command: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class FolderResult:
    """The row of every file, in the order of their names, and what was left out.

    A row has ``key`` (the file), ``output``, ``error`` ("" where it succeeded), ``notes``, and
    where it succeeded ``raw_bytes``, ``coded_bytes``, ``codec``. ``done_before`` counts files that
    an earlier run had done.
    """

    rows: tuple[Row, ...]
    others: tuple[str, ...]
    done_before: int

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows of files that could not be coded."""
        return tuple(row for row in self.rows if row["error"])


@dataclass(frozen=True)
class FileTask:
    """One file to code; ``identity`` is the size and the time of what is read."""

    key: str
    source: Path
    output: Path
    identity: tuple[int, int]
    work: Work


def run_folder(
    asked: FolderRun, *, jobs: int, overwrite: bool = False, progress: Progress = no_progress
) -> FolderResult:
    """Code every file of a folder, or those that are missing or changed since the last run.

    Parameters
    ----------
    asked : FolderRun
        What to do.
    jobs : int
        Number of processes.
    overwrite : bool, optional
        Whether files that no earlier run wrote may be replaced.
    progress : callable, optional
        Called as (bytes of sources done, all bytes, what there is to say).

    Raises
    ------
    UsageError
        There is nothing to code, the output folder was begun with other options, or holds files
        that would be replaced.
    StoreError
        Another run is writing into the folder, or it cannot be written.
    """
    found = asked.find(asked.source)
    if not found.sources and not found.unreadable:
        raise UsageError(f"{asked.source}: the folder holds no file that {asked.command} takes.")
    plan = {
        "command": asked.command,
        "folder": str(asked.source.resolve()),
        "options": dict(asked.options),
    }
    with locked(asked.out, LOCK, "writing files"), ledgers.opened(asked.out / LEDGER, plan) as book:
        _check_same(asked.out, book.plan, plan)
        tasks, failed = _tasks(asked, found, book, overwrite=overwrite)
        for stray in asked.out.rglob(UNFINISHED):
            stray.unlink(missing_ok=True)
        todo = [task for task in tasks if not _is_done(task, book.rows[task.key])]
        _work(todo, tasks, book, jobs, progress)
        rows = [book.rows[task.key] for task in tasks] + failed
    ordered = tuple(sorted(rows, key=lambda row: row["key"]))
    return FolderResult(ordered, found.others, len(tasks) - len(todo))


def code_file(task: FileTask) -> Row:
    """Code one file in a worker; every failure becomes a sentence in the row."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CytopressWarning)
        try:
            task.output.parent.mkdir(parents=True, exist_ok=True)
            row = dict(task.work(task.source, task.output))
            row["output_bytes"] = task.output.stat().st_size
        # A library may fail in any way at one file of thousands.
        except Exception as error:  # noqa: BLE001
            row = {"error": _sentence(error)}
    notes = [str(one.message) for one in caught if issubclass(one.category, CytopressWarning)]
    prefix = f"{task.source}: "
    row["error"] = row.get("error", "").removeprefix(prefix)
    row["notes"] = list(dict.fromkeys(note.removeprefix(prefix) for note in notes))
    row["source"] = list(task.identity)
    return row


def _check_same(out: Path, begun: Row, plan: Row) -> None:
    """Refuse to go on with a run that another command, folder or codec began."""
    for key, shown in (("command", "the command"), ("folder", "the folder")):
        if begun.get(key) != plan[key]:
            raise UsageError(
                f"{out}: was begun with {shown} {begun.get(key)}, not {plan[key]}; choose another"
                " output folder."
            )
    before, now = begun.get("options", {}), plan["options"]
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            was = f"with {name} {before[name]}" if name in before else f"without {name}"
            given = f"not {now[name]}" if name in before and name in now else "not with it"
            if name in before and name not in now:
                given = "which is not given now"
            raise UsageError(
                f"{out}: was begun {was}, {given}; give the same options, or choose another output"
                " folder."
            )


def _tasks(
    asked: FolderRun, found: Found, book: ledgers.Ledger, *, overwrite: bool
) -> tuple[list[FileTask], list[Row]]:
    """Return the task of each file, its output noted in the ledger, and rows of what has none."""
    failed: list[Row] = [
        {"key": key, "output": "", "error": why, "notes": []}
        for key, why in found.unreadable.items()
    ]
    known = {key: row["output"] for key, row in book.rows.items() if "output" in row}
    names = output_names(found.sources, asked.suffix, known)
    new = {key: name for key, name in names.items() if key not in known}
    in_the_way = [name for name in new.values() if (asked.out / name).exists()]
    if in_the_way and not overwrite:
        more = f" and {len(in_the_way) - 1} more" if len(in_the_way) > 1 else ""
        raise UsageError(
            f"{asked.out}: {in_the_way[0]}{more} would be replaced; give --overwrite, or choose"
            " another output folder."
        )
    book.add(*({"key": key, "output": name, "error": "", "notes": []} for key, name in new.items()))
    tasks = []
    for key, path in found.sources.items():
        try:
            identity = _identity([path, *found.parts.get(key, ())])
        except OSError as error:
            why = f"cannot be read ({error.strerror})."
            failed.append({"key": key, "output": names[key], "error": why, "notes": []})
        else:
            tasks.append(FileTask(key, path, asked.out / names[key], identity, asked.work))
    return tasks, failed


def _identity(paths: Sequence[Path]) -> tuple[int, int]:
    """Return the bytes of files and folders, and the newest time at which one was changed."""
    files = [
        Path(folder, name)
        for path in paths
        if path.is_dir()
        for folder, _, names in os.walk(path)
        for name in names
    ]
    found = [one.stat() for one in (*files, *(path for path in paths if not path.is_dir()))]
    return sum(one.st_size for one in found), max((one.st_mtime_ns for one in found), default=0)


def _is_done(task: FileTask, row: Row) -> bool:
    """Whether a file was coded, its source is as it was then, and the output is there."""
    if row.get("error") or row.get("source") != list(task.identity):
        return False
    try:
        return bool(task.output.stat().st_size == row["output_bytes"])
    except OSError:
        return False


def _work(
    todo: Sequence[FileTask],
    tasks: Sequence[FileTask],
    book: ledgers.Ledger,
    jobs: int,
    progress: Progress,
) -> None:
    sizes = {task.key: task.identity[0] for task in tasks}
    counter = _Counter(progress, len(tasks), sum(sizes.values()))
    before = {task.key for task in tasks} - {task.key for task in todo}
    counter.begin(len(before), sum(sizes[key] for key in before))
    with closing(run(todo, code_file, book, processes=jobs, purpose="files")) as rows:
        for row in rows:
            counter.add(row, sizes[row["key"]])


@dataclass
class _Counter:
    """Files and bytes done, reported with the ratio so far and the time left."""

    progress: Progress
    files: int
    size: int
    done: int = 0
    done_bytes: int = 0
    begun_bytes: int = 0
    raw: int = 0
    coded: int = 0
    started: float = field(default_factory=time.monotonic)

    def begin(self, done: int, done_bytes: int) -> None:
        """Start with what an earlier run had done."""
        self.done, self.done_bytes, self.begun_bytes = done, done_bytes, done_bytes
        self._report()

    def add(self, row: Row, size: int) -> None:
        """Count a file."""
        self.done += 1
        self.done_bytes += size
        self.raw += row.get("raw_bytes", 0)
        self.coded += row.get("coded_bytes", 0)
        self._report()

    def _report(self) -> None:
        parts = [
            f"{self.done} of {count_text(self.files, 'file')}",
            f"{shown_bytes(self.done_bytes)} of {shown_bytes(self.size)}",
        ]
        if self.coded:
            parts.append(f"{ratio_text(self.raw / self.coded)} smaller")
        worked = self.done_bytes - self.begun_bytes
        if worked and self.done < self.files:
            left = (time.monotonic() - self.started) / worked * (self.size - self.done_bytes)
            parts.append(f"{shown_time(left)} left")
        self.progress(self.done_bytes, max(self.size, 1), ", ".join(parts))


def _sentence(error: Exception) -> str:
    """Return why a file could not be coded."""
    if isinstance(error, CytopressError):
        return str(error)
    if isinstance(error, MemoryError):
        return "needs more memory than there is; give fewer --jobs."
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror}."
    return f"failed ({type(error).__name__}: {error})."
