"""Verification of an archive: files against the ledger, bytes, pixels, and the sources."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import google_crc32c
import numpy as np
import zarr

from cytopress.archive import certificate, checksums
from cytopress.archive.errors_of_pixels import Errors, errors_between
from cytopress.archive.plan import Plan, read_plan
from cytopress.archive.run import all_tasks
from cytopress.archive.shard import ShardTask, source_pixels
from cytopress.archive.sources import find_sources
from cytopress.archive.stores import FOLDER, Location, Store, store_of
from cytopress.errors import CytopressError

Depth = Literal["quick", "default", "full"]
Row = dict[str, Any]
# Sums of squares add up in another order when they are computed again.
RELATIVE = 1e-6


@dataclass
class Verification:
    """What was found: ``failures`` are sentences, of files or shards; none is a PASS."""

    depth: Depth
    against: bool
    checked: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failures

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "passed": self.passed,
            "depth": self.depth,
            "against": self.against,
            "checked": self.checked,
            "failures": self.failures,
            "notes": self.notes,
        }


def verify(
    out: Location,
    *,
    depth: Depth = "default",
    against: Path | None = None,
    share: float = 1.0,
    progress: Callable[[int, int, str], None] | None = None,
) -> Verification:
    """Verify an archive.

    Parameters
    ----------
    out : Path
        The archive.
    depth : {"quick", "default", "full"}
        ``quick`` compares the listing with the ledger; ``default`` reads every byte as well;
        ``full`` decodes every chunk as well.
    against : Path, optional
        The sources, a file or the folder they were archived from: the errors are computed again
        and must be those of the ledger.
    share : float
        Share of the shards that are read or decoded, evenly spaced.
    progress : callable, optional
        Called as (shards done, all, name of the shard).

    Raises
    ------
    StoreError
        There is no archive.
    UsageError
        The sources are not there.
    """
    store = store_of(out)
    plan, rows = read_plan(store), certificate.rows_of(store)
    result = Verification(depth, against is not None)
    tasks = [task for level in all_tasks(store, plan, plan.images) for task in level]
    for name, why in _listing(store, plan, tasks, rows):
        result.failures[name] = why
    sources = {} if against is None else _sources(store, plan, against, result)
    if depth == "quick" and against is None:
        result.checked = len(tasks)
        return result
    if depth != "quick":
        result.failures |= _metadata(store)
    sound = [task for task in tasks if task.key not in result.failures]
    chosen = _sample(sound, share)
    for number, task in enumerate(chosen):
        why = "" if depth == "quick" else _check_bytes(task, rows[task.key])
        if not why and (depth == "full" or against is not None):
            why = _check_pixels(task, rows[task.key], sources.get(task.image.name))
        if why:
            result.failures[task.key] = why
        result.checked += 1
        if progress is not None:
            progress(number + 1, len(chosen), task.key)
    return result


def _listing(
    store: Store, plan: Plan, tasks: list[ShardTask], rows: dict[str, Row]
) -> Iterator[tuple[str, str]]:
    """Yield files that are missing, of another size, or too many."""
    sizes = dict(store.list())
    for task in tasks:
        row = rows.get(task.key)
        if row is None:
            yield task.key, "was never written; run `cytopress archive run` again"
        elif row.get("error"):
            yield task.key, f"could not be written: {row['error']}"
        else:
            size = sizes.get(task.key)
            if size is None:
                yield task.key, "is missing"
            elif size != row["coded_bytes"]:
                yield task.key, f"has {size} bytes, and {row['coded_bytes']} were written"
    known = {task.key for task in tasks}
    for image in plan.images:
        for name in (one for one in sizes if one.startswith(f"{image.name}/")):
            if name.rsplit("/", 1)[-1] != "zarr.json" and name not in known:
                yield name, "belongs to no shard of the plan"


def _metadata(store: Store) -> dict[str, str]:
    """Return metadata files that differ from SHA256SUMS."""
    try:
        sums = checksums.read(store)
    except OSError:
        return {checksums.NAME: "is missing: the archive is not complete"}
    failures = {}
    for name, expected in sums.items():
        if name.rsplit("/", 1)[-1] == "zarr.json" or name.startswith(f"{FOLDER}/"):
            if store.size(name) is None:
                failures[name] = "is missing"
            elif checksums.digest(store, name) != expected and name != certificate.CERTIFICATE:
                failures[name] = "has changed since it was written"
    return failures


def _sample(tasks: list[ShardTask], share: float) -> list[ShardTask]:
    count = min(len(tasks), max(1, math.ceil(len(tasks) * share))) if tasks else 0
    return [tasks[at] for at in np.linspace(0, len(tasks) - 1, count, dtype=int)]


def _sources(store: Store, plan: Plan, against: Path, result: Verification) -> dict[str, Path]:
    """Return the source of each image."""
    found, _ = find_sources([against], Path(str(store)))
    by_name = {source.name: source for source in found}
    sources = {}
    for image in plan.images:
        name = image.name.removesuffix(".ome.zarr")
        source = by_name.get(name) or by_name.get(name.rpartition("_")[0])
        if source is None:
            result.failures[image.name] = f"has no source in {against}"
        else:
            sources[image.name] = source.path
    return sources


def _check_bytes(task: ShardTask, row: Row) -> str:
    """Return what is wrong with a shard's file, "" if nothing."""
    data = task.store.read(task.key)
    if google_crc32c.value(data) != row["crc32c"]:
        return "its bytes have changed since it was written"
    return ""


def _check_pixels(task: ShardTask, row: Row, source: Path | None) -> str:
    """Return what is wrong with a shard's pixels, decoded and held against their source."""
    try:
        with zarr.config.set({"async.concurrency": 1}):
            decoded = np.asarray(task.array(task.level, mode="r")[task.region])
    # Codecs of others fail on damaged bytes in their own ways.
    except Exception as error:  # noqa: BLE001
        return f"cannot be decoded: {error}"
    if task.level or source is None:
        return ""
    try:
        raw = source_pixels(task, source)
    except CytopressError as error:
        return f"its source cannot be read: {error}"
    if hashlib.sha256(raw.data).hexdigest() != row["raw_sha256"]:
        return "its source's pixels are not those that were archived"
    return _difference(errors_between(raw, decoded, task.coding.noise_model), row)


def _difference(now: Errors, row: Row) -> str:
    then = Errors.of_row(row["errors"])
    same = math.isclose(now.squares, then.squares, rel_tol=RELATIVE)
    if now.max_error == then.max_error and same:
        return ""
    return (
        f"its errors are not those of the ledger: largest {now.max_error:g} instead of"
        f" {then.max_error:g}, RMSE {now.rmse:.6g} instead of {then.rmse:.6g}"
    )
