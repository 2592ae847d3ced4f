"""Scheduling policy of this process, kept as it is while a library is called.

SVT-AV1, called by root, makes the calling thread and its own threads real-time for good. What the
process starts later is real-time too, and on a small machine nothing else runs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

TASKS = Path("/proc/self/task")


@contextlib.contextmanager
def preserved() -> Iterator[None]:
    """Restore the scheduling of this thread at the end, also for threads started meanwhile.

    Does nothing on systems other than Linux.
    """
    if not TASKS.is_dir():
        yield
        return
    policy, parameter, others = os.sched_getscheduler(0), os.sched_getparam(0), _threads()
    try:
        yield
    finally:
        for thread in (0, *(_threads() - others)):
            # A thread may have ended by now.
            with contextlib.suppress(ProcessLookupError):
                os.sched_setscheduler(thread, policy, parameter)


def _threads() -> set[int]:
    return {int(task.name) for task in TASKS.iterdir()}
