"""Reuse of results between computations on one image.

A search for a target codes an image several times, and a study compares it with many decoded ones,
each within `reusing`. What does not depend on the setting or on the decoded image is taken from
`reused`. Outside it costs nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# Of all results together.
MOST_BYTES = 2**27


@dataclass
class Reuse:
    """Results of an image, the most recent ones, and the seconds that making them took.

    ``spared_s`` counts the seconds that computations did not take because of it.
    """

    most_bytes: int = MOST_BYTES
    spared_s: float = 0.0
    _made: OrderedDict[bytes, tuple[Array, float]] = field(default_factory=OrderedDict)

    def of(self, key: bytes, make: Callable[[], Array]) -> Array:
        """Return the result of a key, which must not be written to, made now or before."""
        if key in self._made:
            self._made.move_to_end(key)
            found, seconds = self._made[key]
            self.spared_s += seconds
            return found
        begin = time.perf_counter()
        made = make()
        self.keep(key, made, time.perf_counter() - begin)
        return made

    def keep(self, key: bytes, made: Array, seconds: float = 0.0) -> None:
        """Take a result that took so many seconds; from here on it is read-only."""
        made.flags.writeable = False
        self._made[key] = made, seconds
        while sum(array.nbytes for array, _ in self._made.values()) > self.most_bytes:
            self._made.popitem(last=False)


_active: ContextVar[Reuse | None] = ContextVar("cytopress_reuse", default=None)


@contextmanager
def reusing(results: Reuse) -> Iterator[None]:
    """Take results in this context from here, and put them here."""
    token = _active.set(results)
    try:
        yield
    finally:
        _active.reset(token)


def reused(name: str, inputs: Iterable[Array], make: Callable[[], Array]) -> Array:
    """Return what ``make`` gives for these inputs, made now or before.

    Parameters
    ----------
    name : str
        What is made of the inputs, with the identity of the model that makes it.
    inputs : iterable of ndarray
        All that the result depends on besides; compared by their contents.
    make : callable
        Makes the result.

    Returns
    -------
    ndarray
        Read-only where it is kept.
    """
    results = _active.get()
    if results is None or not results.most_bytes:
        return make()
    return results.of(_key(name, inputs), make)


def keep(name: str, inputs: Iterable[Array], made: Array) -> None:
    """Keep what another computation made on its way, for `reused` of that name and inputs.

    ``made`` is read-only where it is kept.
    """
    results = _active.get()
    if results is not None and results.most_bytes:
        results.keep(_key(name, inputs), made)


def _key(name: str, inputs: Iterable[Array]) -> bytes:
    digest = hashlib.blake2b(name.encode(), digest_size=32)
    for one in inputs:
        digest.update(repr((one.shape, one.dtype.str)).encode())
        digest.update(np.ascontiguousarray(one).data)
    return digest.digest()
