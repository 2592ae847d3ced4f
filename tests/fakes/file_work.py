"""Work on files that leaves a trace: which process worked on what, and which of them died."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any


def copy_file(source: Path, output: Path, *, notes: Path) -> dict[str, Any]:
    """Copy a file, as its text asks: fail, be a bug, die once or always, or wait for a file."""
    text = source.read_text(encoding="utf-8")
    tried = len(list(notes.glob(f"{source.name}.*")))
    (notes / f"{source.name}.{tried}").write_text(str(os.getpid()), encoding="utf-8")
    if text == "fail":
        raise OSError(5, "Input/output error", str(source))
    if text == "bug":
        raise ZeroDivisionError("division by zero")
    if text == "die" or (text == "die once" and not tried):
        os.kill(os.getpid(), signal.SIGKILL)
    if text == "wait":
        end = time.monotonic() + 60
        while not (notes / "go").exists() and time.monotonic() < end:
            time.sleep(0.01)
    output.write_text(text, encoding="utf-8")
    return {"raw_bytes": 10 * len(text), "coded_bytes": len(text), "codec": "copy"}


def tries(notes: Path) -> dict[str, int]:
    """Return how often each file was worked on."""
    names = [path.name.rpartition(".")[0] for path in notes.glob("*.*")]
    return {name: names.count(name) for name in sorted(set(names))}
