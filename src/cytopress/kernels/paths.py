"""Paths of the kernels: an instruction set of the native code, or numpy; all give the same results.

A kernel is compared with numpy on its known answer before its native code is trusted.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cytopress.errors import CytopressWarning, UsageError
from cytopress.kernels import extension
from cytopress.settings import forced_kernels

NUMPY = "numpy"
# Fastest first; the numbers are those of native/vectors.h.
NUMBERS = {"avx512": 4, "avx2": 3, "sse4.1": 2, "neon": 1, "plain": 0}
# Whether a path gives a kernel's known answer.
Check = Callable[[str], bool]
_forced: ContextVar[str | None] = ContextVar("forced", default=None)


def available() -> tuple[str, ...]:
    """Return the paths that this machine can take, fastest first; numpy is the last of them."""
    return _available(extension.native())


@functools.cache
def _available(native: Any | None) -> tuple[str, ...]:
    if native is None:
        return (NUMPY,)
    held = native.instruction_sets()
    return (*(name for name, number in NUMBERS.items() if held >> number & 1), NUMPY)


def current(check: Check | None = None) -> str:
    """Return the path to take now: of a kernel with a known answer, one that gives it.

    Raises
    ------
    UsageError
        The environment names a path that this machine cannot take.
    """
    forced = _forced.get() or _from_environment()
    if forced:
        return forced
    path = available()[0]
    if path == NUMPY or _trust.broken or (check is not None and not _trust.given(check, path)):
        return NUMPY
    return path


def described() -> str:
    """Return a sentence about the kernels of this installation."""
    held = available()
    if held == (NUMPY,):
        return (
            "The native kernels were not compiled: numpy computes, and learned codecs are slow. A C"
            " compiler and another installation of cytopress would add them."
        )
    return f"Kernels of learned codecs: {held[0]} (of {', '.join(held)})."


@contextmanager
def using(path: str) -> Iterator[None]:
    """Take one of the `available` paths inside a ``with`` block.

    Raises
    ------
    UsageError
        This machine cannot take the path.
    """
    _refuse_unknown(path)
    token = _forced.set(path)
    try:
        yield
    finally:
        _forced.reset(token)


class _Trust:
    """Whether native code has given a wrong answer in this process."""

    def __init__(self) -> None:
        self.broken = False
        self._asked: set[Check] = set()

    def given(self, check: Check, path: str) -> bool:
        """Return whether a path gave the known answer; ask it once."""
        if check not in self._asked:
            right = _answers(check, path)
            self.broken = self.broken or not right
            # Not before: another thread would take for granted what is still being asked.
            self._asked.add(check)
            if not right:
                warnings.warn(
                    f"The native kernels ({path}) do not compute what numpy does on this machine,"
                    " so numpy computes: learned codecs are slow. Install cytopress once more to"
                    " compile them anew.",
                    CytopressWarning,
                    stacklevel=2,
                )
        return not self.broken


def _answers(check: Check, path: str) -> bool:
    """Whether a path gives a known answer; an extension of another version may not even take it."""
    try:
        return check(path)
    except (AttributeError, TypeError, ValueError):
        return False


_trust = _Trust()


@functools.cache
def _from_environment() -> str:
    wanted = forced_kernels()
    if wanted:
        _refuse_unknown(wanted)
    return wanted


def _refuse_unknown(path: str) -> None:
    if path not in available():
        raise UsageError(
            f"Kernels cannot take the path {path!r} here, only one of: {', '.join(available())}."
        )
