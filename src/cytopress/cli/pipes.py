"""Standard input and output (``-``), pipes and devices as a command's files."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cytopress.atomic import copy_into, is_special
from cytopress.errors import CytopressError, UsageError

STREAM = Path("-")
# First bytes of the formats that can be read from a pipe, with their suffixes.
SIGNATURES = {
    b"cyto": ".cyto",
    b"cytm": ".cyto",
    b"\x89PNG": ".png",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"II+\0": ".tif",
    b"MM\0+": ".tif",
}
IMAGES = (".ome.tif", ".tif", ".tiff", ".png")
STDOUT = 1


def check_source(source: Path) -> None:
    """Refuse an input that is not there.

    Raises
    ------
    UsageError
        The message says so.
    """
    if source != STREAM and not source.exists():
        raise UsageError(f"{source}: there is no such file or folder.")


@contextmanager
def source_file(source: Path) -> Iterator[Path]:
    """Give a command's input as a file: what ``-`` or a pipe holds is copied to a temporary one.

    Raises
    ------
    UsageError
        A pipe holds no TIFF, PNG or .cyto file.
    """
    if source != STREAM and not is_special(source):
        yield source
        return
    shown = "standard input" if source == STREAM else str(source)
    data = sys.stdin.buffer.read() if source == STREAM else source.read_bytes()
    suffix = SIGNATURES.get(data[:4])
    if suffix is None:
        began = f"bytes that begin with {data[:4]!r}" if data else "nothing"
        raise UsageError(
            f"{shown}: a TIFF, PNG or .cyto file is expected, and {began} came; save other formats"
            " as a file first."
        )
    with tempfile.TemporaryDirectory(prefix="cytopress-") as folder:
        copy = Path(folder) / f"{'stdin' if source == STREAM else source.stem}{suffix}"
        copy.write_bytes(data)
        del data
        try:
            yield copy
        except CytopressError as error:
            error.args = tuple(str(part).replace(str(copy), shown) for part in error.args)
            raise


@contextmanager
def output_file(output: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    """Give the path to write: ``output``, or for ``-``, pipes and devices a temporary file.

    What it holds is copied there if the block ends without an error. Its format is ``output``'s if
    that has one of the ``suffixes``, else that of the first.
    """
    if output != STREAM and not is_special(output):
        yield output
        return
    suffix = output.suffix if output.suffix in suffixes else suffixes[0]
    with tempfile.TemporaryDirectory(prefix="cytopress-") as folder:
        copy = Path(folder) / f"output{suffix}"
        yield copy
        sys.stdout.flush()
        if output == STREAM:
            with copy.open("rb") as data, os.fdopen(os.dup(STDOUT), "wb") as out:
                shutil.copyfileobj(data, out)
        else:
            copy_into(copy, output)


def print_written(output: Path, text: str = "") -> None:
    """Print what was written; on stderr where ``output`` is standard output itself."""
    try:
        on_stdout = output == STREAM or os.path.samestat(output.stat(), os.fstat(STDOUT))
    except OSError:
        on_stdout = False
    line = f"{output}: {text}" if text else str(output)
    print(line, file=sys.stderr if on_stdout else sys.stdout)
