"""Decoding in a child process with limits of time and memory, for bytes that are not trusted.

The child sends pixels and texts, never objects: what took it over can return a wrong image, and no
more. It is given the container through a file, and answers through one, whose size is limited too.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from cytopress import errors
from cytopress.codecs.container.container import Form
from cytopress.errors import CorruptDataError, CytopressError, CytopressWarning, LimitError
from cytopress.image import Image
from cytopress.settings import Settings

# The child's script; its paths come first, so that it finds what this process would.
CHILD = (
    "import json, sys; asked = json.loads(sys.stdin.buffer.readline());"
    " sys.path[:] = asked['path'];"
    " from cytopress.codecs.isolated_child import main; main(asked)"
)
# Working memory: for libraries, and for each byte of pixels; at most so many times the limit.
LIBRARIES, WORKING, MOST_TIMES = 2**30, 64, 4
# A slow codec of a slow machine still decodes a MiB in that time.
SECONDS, SECONDS_PER_MIB = 60, 4
# What a child may write beside the pixels: a line of JSON.
MOST_TEXT = 2**16


def decode_isolated(data: bytes, form: Form, settings: Settings, most: int) -> Image:
    """Return the image of a container, decoded in a child process.

    Parameters
    ----------
    data : bytes
        The container.
    form : Form
        What its header promises.
    settings : Settings
        Says where model packages are.
    most : int
        The limit on decoded bytes.

    Raises
    ------
    LimitError
        The child crashed, or took too much time or memory.
    NotAvailableError
        This system has no limits of memory.
    CorruptDataError, PackageError
        As `registry.decode`.
    """
    if sys.platform != "linux":
        raise errors.NotAvailableError(
            "Bytes that are not trusted are decoded with a limit of memory, which needs Linux;"
            " decode them in a container or a virtual machine."
        )
    raw = form.raw_bytes
    asked = {
        "path": sys.path,
        "settings": asdict(settings) | {"max_bytes": most},
        "memory": min(LIBRARIES + WORKING * raw, MOST_TIMES * most),
        "seconds": SECONDS + SECONDS_PER_MIB * raw // 2**20,
        "file": raw + MOST_TEXT,
    }
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer:
        given.write(json.dumps(asked, default=_plain).encode() + b"\n" + data)
        given.seek(0)
        _run(given, answer, asked)
        answer.seek(0)
        said = _read_line(answer)
        for text in said.get("warnings", ()):
            warnings.warn(str(text), CytopressWarning, stacklevel=3)
        if "error" in said:
            raise _kind(said.get("kind"))(str(said["error"]))
        pixels = answer.read(raw + 1)
    if len(pixels) != raw:
        raise CorruptDataError(f"{len(pixels)} bytes of pixels came, and {raw} are promised.")
    array = np.frombuffer(pixels, form.dtype).reshape(form.shape)
    try:
        return Image(array, axes=form.axes, bits=form.bits, spacing_um=form.spacing_um)
    except errors.ImageError as error:
        raise CorruptDataError(f"The decoded image is invalid: {error}") from error


def _run(given: IO[bytes], answer: IO[bytes], asked: dict[str, Any]) -> None:
    command = [sys.executable, "-c", CHILD]
    seconds = asked["seconds"]
    try:
        ended = subprocess.run(  # noqa: S603 - this interpreter, and a constant
            command,
            stdin=given,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LimitError(
            f"Decoding took longer than {seconds} seconds and was stopped; the file may be crafted"
            " to do so. Decode it without --untrusted only if you trust it."
        ) from error
    if ended.returncode:
        raise LimitError(
            f"The decoder ended with {_named(ended.returncode)}: the file is damaged or crafted, or"
            f" needs more than {asked['memory'] >> 20} MiB or {seconds} seconds."
        )


def _read_line(answer: IO[bytes]) -> dict[str, Any]:
    try:
        said = json.loads(answer.readline(MOST_TEXT))
    except ValueError as error:
        raise LimitError("The decoder ended without an answer.") from error
    if not isinstance(said, dict):
        raise LimitError("The decoder gave no valid answer.")
    return said


def _kind(name: object) -> type[CytopressError]:
    known = (errors.PackageError, errors.NotAvailableError, LimitError)
    return next((kind for kind in known if kind.__name__ == name), CorruptDataError)


def _named(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(type(value).__name__)
