"""Run a program without a shell and with a time limit, and kill its whole process group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cytopress.errors import InterruptedTaskError, TaskError
from cytopress.tasks.foreign.command import with_own_python

# Scores need less; more output is not read.
MOST_PRINTED = 1 << 20


def run_program(command: Sequence[str], *, folder: Path, timeout: float, name: str) -> str:
    """Return what a program prints on stdout.

    It runs in ``folder`` with an empty stdin, in a process group of its own, which is killed when
    the program ends.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments; ``python`` is the interpreter that runs cytopress.
    folder : Path
        Its working directory.
    timeout : float
        Time limit in seconds.
    name : str
        The task's name in errors.

    Raises
    ------
    InterruptedTaskError
        The program cannot be started, takes longer, or is ended by a signal.
    TaskError
        It exits with another code than 0, or prints more than a megabyte.
    """
    # Files instead of pipes: a pipe stays open as long as any grandchild lives.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        try:
            process = subprocess.Popen(  # noqa: S603
                with_own_python(command),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        # A ValueError is a character that no argument may have.
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise InterruptedTaskError(
                f"{name}: {command[0][:80]} cannot be started ({reason}); correct command."
            ) from error
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise InterruptedTaskError(
                f"{name}: the program took longer than {timeout:g} s and was ended; raise timeout"
                " if it needs more."
            ) from None
        finally:
            _end(process)
        stdout.seek(0)
        printed = stdout.read(MOST_PRINTED + 1)
        if code != 0:
            stderr.seek(0, os.SEEK_END)
            stderr.seek(max(0, stderr.tell() - MOST_PRINTED))
            kind = InterruptedTaskError if code < 0 else TaskError
            raise kind(f"{name}: the program {_ended(code)}{_last_line(stderr.read())}.")
    if len(printed) > MOST_PRINTED:
        raise TaskError(f"{name}: the program prints more than a megabyte, and no JSON answer.")
    return printed.decode("utf-8", errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with its group, which may outlive it."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _ended(code: int) -> str:
    if code < 0:
        return f"was ended by signal {-code}"
    return f"ended with exit code {code}"


def _last_line(printed: bytes) -> str:
    lines = printed.decode("utf-8", errors="replace").strip().splitlines()
    return f" ({lines[-1].strip().rstrip('.')})" if lines else " and said nothing on stderr"
