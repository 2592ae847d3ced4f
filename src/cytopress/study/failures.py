"""Failures of trials: which are results, and which are about the machine and tried again."""

from __future__ import annotations

from typing import NamedTuple

from cytopress.errors import CodecError, CorruptDataError, NotAvailableError, TaskError

# Failures that are results of a trial, a codec's own bytes that do not decode among them. Any other
# exception is a bug, and stops the study.
EXPECTED = (
    CodecError,
    CorruptDataError,
    TaskError,
    NotAvailableError,
    MemoryError,
    OSError,
)


class Failure(NamedTuple):
    """Why a trial failed, and whether another run of it may succeed on the same bytes."""

    error: str = ""
    retry: bool = False


def failure_of(error: Exception) -> Failure:
    """Return what a trial stores of an error; only what is about the machine is tried again."""
    if isinstance(error, MemoryError):
        detail = f" ({error})" if str(error) else ""
        return Failure(
            f"this trial needs more memory than there is{detail}; run the study again with fewer"
            " jobs or more memory.",
            retry=True,
        )
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return Failure(f"{name}{error.strerror or error}.", retry=True)
    return Failure(str(error), retry=getattr(error, "about_machine", False))
