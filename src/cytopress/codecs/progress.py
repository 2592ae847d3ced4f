"""How far a long encode or decode is: codecs go through their parts, whoever listens is told.

A codec wraps the loop over its planes, tiles or blocks in `track`. Loops nest: what goes on inside
a part moves the share within that part, so wrappers need not know of each other. Nobody listening
costs nothing.

    with progress.listen(lambda share, now: print(f"{share:.0%} {now}")):
        cytopress.decode(data)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

Part = TypeVar("Part")
# Takes the share that is done, 0 to 1, and what is under way ("" unless a `stage` says).
Listener = Callable[[float, str], None]


@dataclass
class _Hearing:
    """A listener, and the span of the whole that the innermost part under way is."""

    tell: Listener
    now: str = ""
    start: float = 0.0
    length: float = 1.0


_hearing: ContextVar[_Hearing | None] = ContextVar("cytopress_progress", default=None)


@contextmanager
def listen(tell: Listener) -> Iterator[None]:
    """Call ``tell(share, now)`` after every part of what is coded or decoded in this context.

    Parameters
    ----------
    tell : callable
        Takes the share done so far, 0 to 1, and what is under way. The share starts again where
        a new stage begins (each setting that a search tries).
    """
    token = _hearing.set(_Hearing(tell))
    try:
        yield
    finally:
        _hearing.reset(token)


def stage(now: str) -> None:
    """Begin anew: what follows runs from 0 to 1, under this text."""
    hearing = _hearing.get()
    if hearing is not None:
        hearing.now, hearing.start, hearing.length = now, 0.0, 1.0
        hearing.tell(0.0, now)


def track(parts: Iterable[Part], total: int | None = None) -> Iterator[Part]:
    """Yield parts that take about equally long, and tell after each how far this is.

    Parameters
    ----------
    parts : iterable
        What a loop goes through.
    total : int, optional
        How many there are; needed where ``parts`` has no length.
    """
    hearing = _hearing.get()
    if total is None:
        if not isinstance(parts, Sized):
            raise TypeError("track needs total= for parts without a length")
        total = len(parts)
    if hearing is None or not total:
        yield from parts
        return
    # A loop that ends early leaves its span behind; the loop around it, or `stage`, sets its own.
    start, length = hearing.start, hearing.length
    for done, part in enumerate(parts):
        hearing.start, hearing.length = start + length * done / total, length / total
        yield part
        hearing.tell(start + length * (done + 1) / total, hearing.now)
    hearing.start, hearing.length = start, length
