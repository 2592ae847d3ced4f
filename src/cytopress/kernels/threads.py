"""Threads over rows: native code and numpy's products release the interpreter's lock.

There is one thread unless ``OMP_NUM_THREADS`` or `using` names more: several fields at a time, in
processes of their own, keep processors busier than one field in several threads does.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context

from cytopress.settings import omp_threads

_number: ContextVar[int] = ContextVar("threads", default=0)


def number() -> int:
    """Return the number of threads that kernels share their work among."""
    return _number.get() or omp_threads()


@contextmanager
def using(threads: int) -> Iterator[None]:
    """Share work among ``threads`` threads inside a ``with`` block; no result depends on it."""
    token = _number.set(threads)
    try:
        yield
    finally:
        _number.reset(token)


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "kernels")


if hasattr(os, "register_at_fork"):
    # A child has none of its parent's threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def in_spans(function: Callable[[int, int], None], count: int) -> None:
    """Call ``function(first, end)`` for spans that cover ``range(count)``, each in a thread.

    Kernels that a function calls share nothing: each thread computes a span alone. Raises what the
    first span that failed raised, once all have ended.
    """
    parts = max(1, min(number(), count))
    if parts == 1:
        function(0, count)
        return
    ends = [count * n // parts for n in range(parts + 1)]
    # The calling thread takes the last span.
    pool = _pool(parts - 1)
    spans = list(itertools.pairwise(ends))
    pending: list[Future[None]] = []
    try:
        for span in spans[:-1]:
            # With the path that the caller takes.
            pending.append(pool.submit(copy_context().run, _alone, function, span))  # noqa: PERF401
    except RuntimeError as ended:
        # The main thread has ended, and then pools take nothing more; this one goes on. Where no
        # thread can be started the span is queued all the same, and must not be taken twice.
        if "shutdown" not in str(ended):
            raise
        spans[-1] = spans[len(pending)][0], count
    try:
        _alone(function, spans[-1])
    finally:
        errors = [future.exception() for future in pending]
    for error in errors:
        if error is not None:
            raise error


def _alone(function: Callable[[int, int], None], span: tuple[int, int]) -> None:
    with using(1):
        function(*span)
