"""Trials in several processes of this machine, by concurrent.futures.

Each process works on a field of its own, so a field's images are read and its originals predicted
once. A process without a field takes over half of the trials that another one has left. Results
come back trial by trial. A process that dies costs one trial: a new process goes on with the
others, and the trial is tried once more, alone, before it counts as failed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from cytopress.errors import UsageError
from cytopress.study.field_job import FieldJob
from cytopress.study.run_in_worker import run_single_trial
from cytopress.study.run_trial import TrialResult, TrialResults

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
# The trial that runs and the next one, so that a process never waits for its next trial.
AT_ONCE = 2
DIED = (
    "the process that ran this trial died, and once more when it was tried alone: it may need more"
    " memory than there is, or crash a library; the next run of the study tries it again."
)


def run_in_processes(jobs: Sequence[FieldJob], processes: int) -> TrialResults:
    """Run trials in processes with one thread each; yield the key and the result of each.

    Raises
    ------
    UsageError
        A process cannot be started.
    """
    waiting = deque(jobs)
    workers = [_Worker() for _ in range(processes)]
    fatal: list[FieldJob] = []
    try:
        while True:
            for worker in workers:
                _hand_out(worker, workers, waiting)
            running = [future for worker in workers for future, _ in worker.handed]
            if not running:
                break
            wait(running, return_when=FIRST_COMPLETED)
            for worker in workers:
                for job, result in worker.collect():
                    if result is None:
                        fatal.append(job)
                    else:
                        yield job.plans[0].spec.key, result
    finally:
        for worker in workers:
            worker.close()
    for job in fatal:
        yield job.plans[0].spec.key, _run_alone(job)


def _hand_out(worker: _Worker, workers: Sequence[_Worker], waiting: deque[FieldJob]) -> None:
    """Give a worker its next trials: of its field, a field that waits, or half of another's."""
    while len(worker.handed) < AT_ONCE:
        if not worker.left and waiting:
            worker.left.extend(waiting.popleft().single_trials())
        if not worker.left:
            slowest = max(workers, key=lambda one: len(one.left))
            half = (len(slowest.left) + 1) // 2
            worker.left.extendleft(slowest.left.pop() for _ in range(half))
        if not worker.left:
            return
        worker.hand(worker.left.popleft())


def _run_alone(job: FieldJob) -> TrialResult:
    worker = _Worker()
    try:
        worker.hand(job)
        wait([worker.handed[0][0]])
        ((_, result),) = worker.collect()
    finally:
        worker.close()
    return TrialResult(error=DIED, retry=True, died=True) if result is None else result


class _Worker:
    """One process, started when it is first needed and again if it died.

    ``left`` are the trials of its field that it has not been handed yet, ``handed`` those that it
    has, in the order in which it runs them.
    """

    def __init__(self) -> None:
        self.left: deque[FieldJob] = deque()
        self.handed: deque[tuple[Future[TrialResult], FieldJob]] = deque()
        self._pool: ProcessPoolExecutor | None = None
        self._started: Future[None] | None = None

    def hand(self, job: FieldJob) -> None:
        """Queue a trial."""
        if self._pool is None:
            self._start()
        assert self._pool is not None
        try:
            future = self._pool.submit(run_single_trial, job)
        except BrokenProcessPool as error:
            # It died while it had nothing to do, or `collect` will find what it was doing.
            future = Future()
            future.set_exception(error)
        self.handed.append((future, job))

    def collect(self) -> Iterator[tuple[FieldJob, TrialResult | None]]:
        """Yield finished trials with their results, None for one that the process died of."""
        while self.handed and self.handed[0][0].done():
            future, job = self.handed.popleft()
            try:
                result = future.result()
            except BrokenProcessPool as error:
                self._check_started(error)
                # It runs trials in order: those behind the first unfinished one had not begun.
                self.left.extendleft(job for _, job in reversed(self.handed))
                self.handed.clear()
                self.close()
                yield job, None
                return
            yield job, result

    def close(self) -> None:
        """End the process, once the trials that it has been handed are done or cancelled."""
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
                "a process for trials ended while it was starting; use one job if --jobs was given."
                " In a Python script, call `execute` under `if __name__ == '__main__':`."
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
    """End this process with the study's, even if that is killed; on Ctrl-C end at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
