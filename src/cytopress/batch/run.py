"""Batch run: tasks in processes, each with its row in the ledger before the next result is taken.

The plan, and which tasks a ledger's rows leave to do, are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any, Protocol, TypeVar

from cytopress.batch.ledger import Ledger
from cytopress.batch.processes import in_processes

DIED = (
    "the process that worked on it died, and once more when it was tried alone: it may need more"
    " memory than there is, or crash a library"
)


class Keyed(Protocol):
    """A task with a name that is its own in the run; it must pickle."""

    @property
    def key(self) -> str:
        """The name."""
        ...


Task = TypeVar("Task", bound=Keyed)


def run(
    tasks: Sequence[Task],
    work: Callable[[Task], Mapping[str, Any]],
    ledger: Ledger,
    *,
    processes: int,
    purpose: str,
) -> Generator[dict[str, Any], None, None]:
    """Work on tasks in processes, two for each in flight; yield the row of each as it is done.

    Parameters
    ----------
    tasks : sequence
        Those that are left to do.
    work : callable
        A function of a module. Returns what JSON holds; ``error``, a sentence, where it failed.
        What it raises stops the run.
    ledger : Ledger
        Takes a row for each task: ``key``, ``error`` ("" where there is none) and what ``work``
        returned.
    processes : int
        Number of processes, at least 1.
    purpose : str
        What the tasks are, in the plural.

    Raises
    ------
    UsageError
        A process cannot be started.
    StoreError
        The ledger cannot be written.
    """
    groups = ((task,) for task in tasks)
    with closing(in_processes(groups, work, processes, purpose=purpose)) as results:
        for task, result in results:
            found = {"error": DIED} if result is None else result
            row = {"key": task.key, "error": "", **found}
            ledger.add(row)
            yield row
