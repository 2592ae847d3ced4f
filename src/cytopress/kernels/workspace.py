"""Workspace: memory of the arrays between kernels, which is taken again.

Of large fields fresh pages take up to a quarter of the time. Memory comes back when the last view
of an array goes. What lies idle is bounded.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
# Smaller arrays are left to the allocator, which keeps their pages by itself.
LEAST_BYTES = 2**16
# Memory lies idle up to this, or up to what arrays hold at present: 64 channels of a field of
# 4096 x 4096 pixels, or all arrays of one of 2048 x 2048.
IDLE_BYTES = 65 * 2**20
# Rows of vectors begin at a line of the cache.
ALIGNMENT = 64


class _Loan:
    """Memory on loan: the base of an array and of all its views."""

    def __init__(self, memory: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        address = memory.__array_interface__["data"][0]
        data = (address + -address % ALIGNMENT, False)
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": dtype.str,
            "data": data,
        }
        self._memory = memory

    def __del__(self) -> None:
        _pool.give_back(self._memory)


class _Pool:
    def __init__(self) -> None:
        self._idle: list[Array] = []
        self._lent = 0
        # A loan may end in the thread that is taking another one, by the garbage collector.
        self._lock = threading.RLock()

    def take(self, size: int) -> Array:
        """Return memory of this many bytes, or at most twice as many."""
        with self._lock:
            fitting = [n for n, each in enumerate(self._idle) if size <= each.size <= 2 * size]
            best = min(fitting, key=lambda n: self._idle[n].size, default=None)
            memory = np.empty(size, np.uint8) if best is None else self._idle.pop(best)
            self._lent += memory.size
        return memory

    def give_back(self, memory: Array) -> None:
        """Keep memory, the latest first to be given up last."""
        with self._lock:
            self._lent -= memory.size
            self._idle.append(memory)
            most = max(IDLE_BYTES, self._lent)
            while sum(each.size for each in self._idle) > most:
                del self._idle[0]


_pool = _Pool()


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an array of any numbers, as `numpy.empty`."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if size < LEAST_BYTES:
        return np.empty(shape, kind)
    return np.asarray(_Loan(_pool.take(size + ALIGNMENT), shape, kind))


def zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an array of zeros, as `numpy.zeros`."""
    found = empty(shape, dtype)
    flat = found.reshape(-1)
    in_spans(lambda first, end: flat[first:end].fill(0), flat.size)
    return found
