"""Process pool: tasks in processes of this machine, of which one that dies costs one task.

Tasks come in groups. Each process works on a group of its own, so what the tasks of a group share
is made once; a process without a group takes over half of the tasks that another one has left.
Results come back task by task. Where a process dies, a new one goes on with the other tasks, and
the task is tried once more, alone, before it counts as failed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Generic, TypeVar

from cytopress.errors import UsageError

Task = TypeVar("Task")
Result = TypeVar("Result")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
# The task that runs and the next one, so that a process never waits for its next task.
AT_ONCE = 2


def in_processes(
    groups: Iterable[Iterable[Task]],
    work: Callable[[Task], Result],
    processes: int,
    *,
    purpose: str,
) -> Generator[tuple[Task, Result | None], None, None]:
    """Run tasks in processes with one thread each; yield each task with its result.

    Parameters
    ----------
    groups : iterable of iterable of Task
        Taken one by one as processes become free; a task must pickle.
    work : callable
        A function of a module, which takes a task. What it raises is raised here.
    processes : int
        Number of processes, at least 1.
    purpose : str
        What the tasks are, in the plural, for an error message.

    Yields
    ------
    task : Task
        In the order in which they are done.
    result : Result or None
        None where the process died of the task, and again when it was tried alone.

    Raises
    ------
    UsageError
        A process cannot be started.
    """
    waiting = iter(groups)
    workers: list[_Worker[Task, Result]] = [_Worker(work, purpose) for _ in range(processes)]
    fatal: list[Task] = []
    try:
        while True:
            for worker in workers:
                _hand_out(worker, workers, waiting)
            running = [future for worker in workers for future, _ in worker.handed]
            if not running:
                break
            wait(running, return_when=FIRST_COMPLETED)
            for worker in workers:
                for task, result in worker.collect():
                    if result is None:
                        fatal.append(task)
                    else:
                        yield task, result
    finally:
        for worker in workers:
            worker.close()
    for task in fatal:
        yield task, _run_alone(task, work, purpose)


def _hand_out(
    worker: _Worker[Task, Result],
    workers: Sequence[_Worker[Task, Result]],
    waiting: Iterator[Iterable[Task]],
) -> None:
    """Give a worker its next tasks: of its group, a group that waits, or half of another's."""
    while len(worker.handed) < AT_ONCE:
        if not worker.left:
            worker.left.extend(next(waiting, ()))
        if not worker.left:
            slowest = max(workers, key=lambda one: len(one.left))
            half = (len(slowest.left) + 1) // 2
            worker.left.extendleft(slowest.left.pop() for _ in range(half))
        if not worker.left:
            return
        worker.hand(worker.left.popleft())


def _run_alone(task: Task, work: Callable[[Task], Result], purpose: str) -> Result | None:
    worker = _Worker(work, purpose)
    try:
        worker.hand(task)
        wait([worker.handed[0][0]])
        ((_, result),) = worker.collect()
    finally:
        worker.close()
    return result


class _Worker(Generic[Task, Result]):
    """One process, started when it is first needed and again if it died.

    ``left`` are the tasks of its group that it has not been handed yet, ``handed`` those that it
    has, in the order in which it runs them.
    """

    def __init__(self, work: Callable[[Task], Result], purpose: str) -> None:
        self.left: deque[Task] = deque()
        self.handed: deque[tuple[Future[Result], Task]] = deque()
        self._work, self._purpose = work, purpose
        self._pool: ProcessPoolExecutor | None = None
        self._started: Future[None] | None = None

    def hand(self, task: Task) -> None:
        """Queue a task."""
        if self._pool is None:
            self._start()
        assert self._pool is not None
        try:
            future = self._pool.submit(self._work, task)
        except BrokenProcessPool as error:
            # It died while it had nothing to do, or `collect` will find what it was doing.
            future = Future()
            future.set_exception(error)
        self.handed.append((future, task))

    def collect(self) -> Iterator[tuple[Task, Result | None]]:
        """Yield finished tasks with their results, None for one that the process died of."""
        while self.handed and self.handed[0][0].done():
            future, task = self.handed.popleft()
            try:
                result = future.result()
            except BrokenProcessPool as error:
                self._check_started(error)
                # It runs tasks in order: those behind the first unfinished one had not begun.
                self.left.extendleft(task for _, task in reversed(self.handed))
                self.handed.clear()
                self.close()
                yield task, None
                return
            yield task, result

    def close(self) -> None:
        """End the process, once the tasks that it has been handed are done or cancelled."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None

    def _start(self) -> None:
        # A forked process would share locks of threads that it does not have.
        self._pool = ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent
        )
        with _environment(ONE_THREAD):
            self._started = self._pool.submit(_do_nothing)

    def _check_started(self, error: BrokenProcessPool) -> None:
        assert self._started is not None
        if self._started.exception() is not None:
            raise UsageError(
                f"a process for {self._purpose} ended while it was starting; use one job if --jobs"
                " was given. In a Python script, start it under `if __name__ == '__main__':`."
            ) from error


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for processes started within: libraries read them when loaded."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _do_nothing() -> None:
    """Succeed in a process that has started."""


def _end_with_parent() -> None:
    """End this process with its parent, even if that is killed; on Ctrl-C end at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
