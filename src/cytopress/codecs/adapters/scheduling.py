"""Keep a library from changing how urgent this process is.

SVT-AV1, when it is called by root, makes the calling thread and its own real-time, for good; what
the process starts later is real-time as well, and on a small machine nothing else runs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

TASKS = Path("/proc/self/task")


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Give this thread, and those begun meanwhile, the scheduling that this thread has now.

    Where the system has no such scheduling (it is Linux's), nothing is done.
    """
    if not TASKS.is_dir():
        yield
        return
    policy, parameter, others = os.sched_getscheduler(0), os.sched_getparam(0), _threads()
    try:
        yield
    finally:
        for thread in (0, *(_threads() - others)):
            # One may have ended by now.
            with contextlib.suppress(ProcessLookupError):
                os.sched_setscheduler(thread, policy, parameter)


def _threads() -> set[int]:
    return {int(task.name) for task in TASKS.iterdir()}
