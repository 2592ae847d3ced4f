"""Who is told how far a dataset is that takes minutes to make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

# Called with (done, total, what is being done now).
Progress = Callable[[int, int, str], None]


@contextmanager
def silently(_title: str) -> Iterator[Progress]:
    """Tell nobody."""
    yield lambda _done, _total, _now: None


# A dataset may be made wherever it is opened first; only the command line shows anything.
watch: ContextVar[Callable[[str], AbstractContextManager[Progress]]] = ContextVar(
    "watch", default=silently
)
