"""``encode`` and ``decode`` of whole folders: progress, the table at the end, and the exit code."""

from __future__ import annotations

import os
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cytopress.cli.pipes import STREAM
from cytopress.cli.progress_bars import share_bar
from cytopress.errors import CodecError, CytopressWarning, UsageError
from cytopress.figures import count_text, metadata_matter, ratio_text

if TYPE_CHECKING:
    from cytopress.files.folder import FolderResult, FolderRun, Row

# Other kinds of files that are named in a line.
SHOWN = 5


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder of files, and no OME-Zarr image."""
    from cytopress.formats.opening import is_zarr

    return path.is_dir() and not is_zarr(path)


def check_folders(source: Path, out: Path) -> None:
    """Refuse an output that is no folder of its own.

    Raises
    ------
    UsageError
        It is a stream or a file, or the input.
    """
    if out == STREAM or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out}: {source} is a folder, so -o names a folder, too.")
    if out.exists() and out.samefile(source):
        raise UsageError(f"{out}: is the input; give the output another folder.")


def default_jobs() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def code_folder(asked: FolderRun, *, jobs: int | None, overwrite: bool) -> None:
    """Code the files of a folder, print the table, and say what failed.

    Raises
    ------
    CodecError
        A file could not be coded; all others were.
    """
    from cytopress.files.folder import run_folder

    check_folders(asked.source, asked.out)
    verb = {"encode": "Encoding", "decode": "Decoding"}[asked.command]
    with share_bar(f"{verb} {asked.source.name or asked.source}") as progress:
        result = run_folder(
            asked, jobs=jobs or default_jobs(), overwrite=overwrite, progress=progress
        )
    for line in table(result.rows):
        print(line)
    _print_summary(asked, result)
    _warn(result.rows)
    if result.others:
        print(f"{_others(result.others)} left out: {_endings(result.others)}.", file=sys.stderr)
    if result.failed:
        first = result.failed[0]
        raise CodecError(
            f"{len(result.failed)} of {count_text(len(result.rows), 'file')} failed, such as"
            f" {first['key']}: {first['error']} Run the same command again to try what failed"
            " again."
        )


def table(rows: Sequence[Row]) -> list[str]:
    """Return lines of a table: file, bytes before and after, ratio, codec or why it failed.

    Where metadata matter in a file, they have a column, and so has the ratio of the pixels alone.
    """
    apart = any(_metadata_matter(row) for row in rows)
    head = ("file", "bytes", "coded", "ratio", *(("metadata", "pixels") if apart else ()), "codec")
    cells = [head]
    for row in rows:
        if row["error"]:
            blank = [""] * (len(head) - 5)
            cells.append((row["key"], "", "", "failed", *blank, row["error"]))
            continue
        raw, coded, metadata = row["raw_bytes"], row["coded_bytes"], row.get("metadata_bytes", 0)
        pixels = [str(metadata), f"{raw / (coded - metadata):.2f}"] if apart else []
        sizes = [str(raw), str(coded), f"{raw / coded:.2f}", *pixels]
        cells.append((row["key"], *sizes, row["codec"]))
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if 0 < column < len(head) - 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _metadata_matter(row: Row) -> bool:
    return not row["error"] and metadata_matter(
        row["raw_bytes"], row["coded_bytes"], row.get("metadata_bytes", 0)
    )


def _print_summary(asked: FolderRun, result: FolderResult) -> None:
    from cytopress.figures import shown_bytes

    good = [row for row in result.rows if not row["error"]]
    raw = sum(row["raw_bytes"] for row in good)
    coded = sum(row["coded_bytes"] for row in good)
    parts = [f"{len(good)} of {count_text(len(result.rows), 'file')}"]
    if coded:
        parts.append(
            f"{shown_bytes(raw)} in {shown_bytes(coded)}, {ratio_text(raw / coded)} smaller"
        )
    metadata = sum(row.get("metadata_bytes", 0) for row in good)
    if metadata_matter(raw, coded, metadata):
        pixels = ratio_text(raw / (coded - metadata))
        parts.append(f"{shown_bytes(metadata)} of it metadata and the pixels {pixels} smaller")
    if result.done_before:
        parts.append(f"{result.done_before} of them done before")
    print(f"{asked.out}: {', '.join(parts)}")


def _warn(rows: Sequence[Row]) -> None:
    """Show each note once, with the file that it is about, or one of them and their number."""
    notes = [(note, row["key"]) for row in rows for note in row["notes"]]
    counts = Counter(note for note, _ in notes)
    first = dict(reversed(notes))
    for note, count in counts.items():
        about = first[note] if count == 1 else f"{count} files, such as {first[note]}"
        warnings.warn(f"{about}: {note}", CytopressWarning, stacklevel=1)


def _others(others: Sequence[str]) -> str:
    return f"{len(others)} other file{'s were' if len(others) > 1 else ' was'}"


def _endings(others: Sequence[str]) -> str:
    kinds = Counter(Path(name).suffix or Path(name).name for name in others)
    listed = [f"{count} {kind}" for kind, count in kinds.most_common(SHOWN)]
    return ", ".join(listed) + (", ..." if len(kinds) > SHOWN else "")
