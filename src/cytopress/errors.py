"""Exceptions of cytopress: one root class; each exception is also a standard one.

A message is one sentence that says what was expected, what was found and what to do. ``exit_code``
is the exit code of the command line: 2 for a wrong command, 1 for work that failed.
"""

from __future__ import annotations


class CytopressError(Exception):
    """Root of all errors that cytopress raises on purpose."""

    exit_code = 1
    # Whether the same request may succeed elsewhere or later: a study tries it again.
    about_machine = False

    def __str__(self) -> str:
        # KeyError would print the repr of its message.
        return " ".join(str(part) for part in self.args)


class Stopped(KeyboardInterrupt):
    """Long work was ended by a signal, and what it had reached is kept."""

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(CytopressError, ValueError):
    """A wrong request: an unknown option, two targets, a file that does not exist."""

    exit_code = 2


class UnknownNameError(UsageError, KeyError):
    """No codec, metric, task, dataset or model has this name."""

    def __init__(self, kind: str, name: str, known: list[str], place: str = "") -> None:
        import difflib

        by_lower = {one.lower(): one for one in known}
        near = difflib.get_close_matches(name.lower(), by_lower, n=1)
        hint = f" Did you mean {by_lower[near[0]]!r}?" if near else ""
        listed = ", ".join(known) or "none"
        super().__init__(f"There is no {kind} named {name!r}{place}.{hint} Known: {listed}.")
        self._parts = (kind, name, known, place)

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, list[str], str]]:
        # So that it can be pickled and raised in another process.
        return type(self), self._parts


class ImageError(CytopressError, ValueError):
    """Pixels that cannot be an Image, or a file that cannot be read as images."""


class DatasetError(CytopressError, ValueError):
    """A dataset that is incomplete, inconsistent or damaged."""


class CodecError(CytopressError, ValueError):
    """A codec failed at a valid request. A study stores it as a result."""


class UnsupportedImageError(CodecError):
    """The codec cannot code this image: wrong dimensions, dtype or bit depth."""


class UnreachableTargetError(CodecError):
    """No setting of the codec reaches the target on this image."""


class CorruptDataError(CytopressError, ValueError):
    """Coded bytes that are truncated, damaged or of another format."""


class LimitError(CorruptDataError):
    """Coded bytes that claim more than a limit, or whose decoding went beyond one."""


class PackageError(CytopressError, ValueError):
    """A model package that is missing, damaged or of another format version."""


class TaskError(CytopressError, ValueError):
    """A task could not predict or score. A study stores it as a result."""


class InterruptedTaskError(TaskError):
    """A task's program that was not started, ran out of time or was killed."""

    about_machine = True


class StoreError(CytopressError, RuntimeError):
    """A study's store that cannot be used, or a folder that another process is writing into."""


class LockHeldError(StoreError):
    """Another process is writing into a folder."""


class NotAvailableError(CytopressError, RuntimeError):
    """An optional part is not on this machine: an extra, a weight file, an encoder."""

    about_machine = True


class CytopressWarning(UserWarning):
    """The request was fulfilled, with a result that deserves attention."""
