"""Progress display of datasets that take minutes to build."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from cytopress.callbacks import Progress, no_progress


@contextmanager
def no_display(_title: str) -> Iterator[Progress]:
    """Show nothing."""
    yield no_progress


# Takes a title and gives a progress callback. A dataset is built wherever it is opened first, and
# only the command line shows how far it is.
display: ContextVar[Callable[[str], AbstractContextManager[Progress]]] = ContextVar(
    "display", default=no_display
)
