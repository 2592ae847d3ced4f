"""Progress callbacks for long encodes and decodes.

A codec wraps the loop over its planes, tiles or blocks in `track`; a caller shows progress with
`listen`. Loops nest: a loop inside a part moves the share within that part, so wrappers need not
know of each other. Without a listener it costs nothing.

    with progress.listen(lambda share, stage: print(f"{share:.0%} {stage}")):
        cytopress.decode(data)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

Part = TypeVar("Part")
# Takes the share done, 0 to 1, and the name of the stage ("" without one).
Listener = Callable[[float, str], None]


@dataclass
class _Position:
    """A listener, and the span of the whole that the innermost part covers."""

    listener: Listener
    stage: str = ""
    start: float = 0.0
    length: float = 1.0


_position: ContextVar[_Position | None] = ContextVar("cytopress_progress", default=None)


@contextmanager
def listen(listener: Listener) -> Iterator[None]:
    """Call ``listener(share, stage)`` after every part coded or decoded in this context.

    Parameters
    ----------
    listener : callable
        Takes the share done so far, 0 to 1, and the name of the stage. The share starts again at 0
        in each stage (each setting that a search tries).
    """
    token = _position.set(_Position(listener))
    try:
        yield
    finally:
        _position.reset(token)


def stage(name: str) -> None:
    """Begin a stage: what follows runs from 0 to 1 under this name."""
    position = _position.get()
    if position is not None:
        position.stage, position.start, position.length = name, 0.0, 1.0
        position.listener(0.0, name)


def track(parts: Iterable[Part], total: int | None = None) -> Iterator[Part]:
    """Yield parts that take about equally long, and call the listener after each.

    Parameters
    ----------
    parts : iterable
        Items of a loop.
    total : int, optional
        Number of parts; needed where ``parts`` has no length.
    """
    position = _position.get()
    if total is None:
        if not isinstance(parts, Sized):
            raise TypeError("track needs total= for parts without a length")
        total = len(parts)
    if position is None or not total:
        yield from parts
        return
    # A loop that ends early leaves its span behind; the loop around it, or `stage`, sets its own.
    start, length = position.start, position.length
    for done, part in enumerate(parts):
        position.start, position.length = start + length * done / total, length / total
        yield part
        position.listener(start + length * (done + 1) / total, position.stage)
    position.start, position.length = start, length
