"""SHA256SUMS: the digest of every file of an archive, for ``sha256sum -c``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cytopress.atomic import atomic_file

NAME = "SHA256SUMS"
PIECE = 2**20


def write(out: Path) -> None:
    """Write the digests of all files; the file itself and locks are left out."""
    lines = [f"{digest(path)}  {path.relative_to(out).as_posix()}\n" for path in files(out)]
    with atomic_file(out / NAME) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8", newline="\n")


def read(out: Path) -> dict[str, str]:
    """Return the digests by path."""
    text = (out / NAME).read_text(encoding="utf-8")
    return {line[66:]: line[:64] for line in text.splitlines()}


def files(out: Path) -> Iterator[Path]:
    """Yield the files of an archive in order."""
    for path in sorted(out.rglob("*")):
        if path.is_file() and path != out / NAME and ".lock" not in path.name:
            yield path


def digest(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            found.update(piece)
    return found.hexdigest()
