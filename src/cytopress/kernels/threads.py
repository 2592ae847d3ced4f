"""Threads over rows: native code and numpy's products release the interpreter's lock."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "kernels")


if hasattr(os, "register_at_fork"):
    # A child has none of its parent's threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def in_spans(function: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call ``function(first, end)`` for spans that cover ``range(count)``, in ``threads`` threads.

    Raises what the first span that failed raised, once all have ended.
    """
    parts = max(1, min(threads, count))
    if parts == 1:
        function(0, count)
        return
    ends = [count * n // parts for n in range(parts + 1)]
    # The calling thread takes the last span.
    pool = _pool(parts - 1)
    spans = list(itertools.pairwise(ends))
    pending = [pool.submit(function, *span) for span in spans[:-1]]
    try:
        function(*spans[-1])
    finally:
        errors = [future.exception() for future in pending]
    for error in errors:
        if error is not None:
            raise error
