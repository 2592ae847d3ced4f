"""The child process of `isolated`: limits itself, decodes, and writes pixels or an error."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from cytopress.codecs import registry
from cytopress.errors import CytopressError, CytopressWarning
from cytopress.settings import Settings


def main(asked: dict[str, Any]) -> None:
    """Decode what follows on stdin, and answer on stdout: a line of JSON, then the pixels."""
    data = sys.stdin.buffer.read()
    # Libraries print; only this process writes the answer.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit(asked)
    said: dict[str, Any] = {}
    pixels = b""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CytopressWarning)
        try:
            pixels = registry.decode(data, _settings(asked["settings"])).pixels.tobytes()
        except CytopressError as error:
            said = {"kind": type(error).__name__, "error": str(error)}
        except MemoryError:
            said = {"kind": "LimitError", "error": "Decoding needs more memory than the limit."}
    ours = [str(one.message) for one in caught if issubclass(one.category, CytopressWarning)]
    answer.write(json.dumps(said | {"warnings": ours}).encode() + b"\n")
    answer.write(pixels)
    answer.close()


def _limit(asked: dict[str, Any]) -> None:
    import resource

    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    memory, seconds = held + asked["memory"], asked["seconds"]
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, asked["file"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _settings(given: dict[str, Any]) -> Settings:
    return Settings(
        data=None,
        models=tuple(map(Path, given["models"])),
        cache=Path(given["cache"]),
        user_data=Path(given["user_data"]),
        max_bytes=given["max_bytes"],
    )
