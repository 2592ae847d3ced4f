"""Verification of an archive: files against the ledger, bytes, pixels, and the sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cytopress.archive import (
    certificate,
    checksums,
    fitness,
    verify_files,
    verify_metadata,
    verify_sources,
)
from cytopress.archive.plan import PLAN, Plan, read_plan
from cytopress.archive.planning import software
from cytopress.archive.run import all_tasks
from cytopress.archive.shard import ShardTask
from cytopress.archive.sources import Source
from cytopress.archive.store_keys import FOLDER, LEDGERS
from cytopress.archive.stores import Location, Store, store_of
from cytopress.archive.verify_shards import ShardCheck, check_shard, checks_of
from cytopress.batch.processes import in_processes
from cytopress.errors import StoreError
from cytopress.figures import count_text
from cytopress.machine import processor

Depth = Literal["quick", "default", "full"]
Progress = Callable[[int, int, str], None]
INEXACT = "Decoded on this processor; others may differ by a count."


@dataclass
class Verification:
    """What was found.

    Parameters
    ----------
    depth : {"quick", "default", "full"}
        What was read.
    against : bool
        Whether errors were computed again from the sources.
    share : float
        Share of the shards that were read or decoded.
    checked : int
        Their number.
    failures : dict
        By file or image, what is wrong with it; none is a PASS.
    notes : list of str
        What is worth knowing, and wrong with nothing.
    reasons : list of str
        What stands against deleting the sources, though verification passed.
    fit : bool, optional
        Whether the sources may be deleted as far as this archive is concerned; None where the
        verification does not tell: without sources, or not of every chunk.
    """

    depth: Depth
    against: bool
    share: float = 1.0
    checked: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    fit: bool | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failures

    @property
    def whole(self) -> bool:
        """Whether every chunk was decoded and held against its source."""
        return self.depth == "full" and self.against and self.share >= 1

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "passed": self.passed,
            "depth": self.depth,
            "against": self.against,
            "share": self.share,
            "checked": self.checked,
            "failures": self.failures,
            "notes": self.notes,
            "fit_to_delete_sources": self.fit,
            "reasons": self.reasons,
        }


def verify(
    out: Location,
    *,
    depth: Depth = "default",
    against: Path | Sequence[Path] | None = None,
    share: float = 1.0,
    workers: int = 1,
    accept_inexact: bool = False,
    accept_lost: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Verify an archive.

    Where every chunk was decoded and compared with its source, the result is written into the
    certificate: whether the archive is fit for deleting the sources.

    Parameters
    ----------
    out : Path or str
        The archive.
    depth : {"quick", "default", "full"}
        ``quick`` compares the listing with the ledger, and the digests of all files but shards;
        ``default`` reads every byte as well; ``full`` decodes every chunk as well, and proves
        lossless ones by the digests of their source's pixels.
    against : Path or sequence of Path, optional
        The sources, or the folders they were archived from: errors are computed again and must be
        those of the ledger, within the promise of the plan.
    share : float
        Share of the shards that are read or decoded, evenly spaced.
    workers : int
        Processes.
    accept_inexact : bool
        Whether an archive whose decoding may differ by a count on another processor can be fit
        for deleting its sources.
    accept_lost : bool
        The same of an archive that lacks metadata of its sources: what OME-Zarr has no place for,
        as the plan said.
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
    paths = [against] if isinstance(against, Path) else list(against or ())
    result = Verification(depth, bool(paths), share)
    if store.size(PLAN) is None:
        read_plan(store)
    sums = _sums(store, result)
    read = _plan_and_rows(store, sums, result)
    if read is None:
        return result
    plan, rows = read
    tasks = [task for level in all_tasks(store, plan, plan.images) for task in level]
    shards = [task.key for task in tasks]
    result.failures |= dict(verify_files.changed_files(store, sums, set(shards)))
    result.failures |= dict(verify_files.listing(store, plan, shards, rows, sums))
    result.failures |= dict(verify_files.models(store, plan))
    matched = verify_sources.match(store, plan, paths) if paths else verify_sources.Matched()
    result.failures |= matched.failures
    result.notes += matched.notes
    _check_shards(result, plan, tasks, rows, matched.sources, workers, progress)
    if result.whole:
        _judge(store, plan, result, matched, accept_inexact=accept_inexact, accept_lost=accept_lost)
    return result


def _sums(store: Store, result: Verification) -> dict[str, str]:
    try:
        return checksums.read(store)
    except StoreError as error:
        result.failures[checksums.NAME] = str(error).removeprefix(f"{store}/{checksums.NAME}: ")
        return {}


def _plan_and_rows(
    store: Store, sums: Mapping[str, str], result: Verification
) -> tuple[Plan, dict[str, dict[str, Any]]] | None:
    """Return plan and ledger; None where one is damaged, so that nothing else can be judged."""
    for key in (PLAN, *(key for key, _ in store.list(LEDGERS))):
        if key in sums and checksums.digest(store, key) != sums[key]:
            result.failures[key] = "has changed since it was written, so nothing else was checked"
    if not result.passed and set(result.failures) != {checksums.NAME}:
        return None
    try:
        plan = read_plan(store)
        return plan, certificate.rows_of(store)
    except StoreError as error:
        result.failures[FOLDER] = str(error)
        return None


def _check_shards(
    result: Verification,
    plan: Plan,
    tasks: Sequence[ShardTask],
    rows: dict[str, dict[str, Any]],
    sources: dict[str, Source],
    workers: int,
    progress: Progress | None,
) -> None:
    """Read and decode the shards that are there, as deep as was asked."""
    decode = result.depth == "full"
    sound = [task for task in tasks if task.key not in result.failures]
    if result.depth == "quick" and not result.against:
        result.checked = len(sound)
        return
    chosen = _sample(sound, result.share)
    checks = list(
        checks_of(plan, chosen, rows, sources, read=result.depth != "quick", decode=decode)
    )
    inexact = 0
    with closing(_results(checks, workers)) as found:
        for check, one in found:
            if one.get("error"):
                result.failures[check.key] = one["error"]
            inexact += bool(one.get("note"))
            result.checked += 1
            if progress is not None:
                progress(result.checked, len(checks), check.key)
    if inexact:
        result.notes.append(
            f"Slightly other pixels than when it was written, as another processor may have them:"
            f" {count_text(inexact, 'shard')}."
        )


def _results(
    checks: list[ShardCheck], workers: int
) -> Generator[tuple[ShardCheck, dict[str, str]], None, None]:
    # Bytes are read faster than processes start.
    if workers == 1 or not any(check.decode or check.source for check in checks):
        for check in checks:
            yield check, check_shard(check)
        return
    groups = ((check,) for check in checks)
    with closing(in_processes(groups, check_shard, workers, purpose="shards")) as found:
        for check, one in found:
            yield check, one or {"error": "the process that decoded it died, and once more alone"}


def _sample(tasks: list[ShardTask], share: float) -> list[ShardTask]:
    count = min(len(tasks), max(1, math.ceil(len(tasks) * share))) if tasks else 0
    return [tasks[at] for at in np.linspace(0, len(tasks) - 1, count, dtype=int)]


def _judge(
    store: Store,
    plan: Plan,
    result: Verification,
    matched: verify_sources.Matched,
    *,
    accept_inexact: bool,
    accept_lost: bool,
) -> None:
    """Say whether the archive is fit for deleting its sources, and write it down."""
    compared = verify_metadata.compare(store, plan, matched.sources)
    result.reasons = list(
        fitness.reasons(
            plan, compared, matched, accept_inexact=accept_inexact, accept_lost=accept_lost
        )
    )
    exact = fitness.is_exact(plan)
    result.fit = result.passed and not result.reasons
    verified = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": software(),
        "processor": processor(),
        "passed": result.passed,
        "shards": result.checked,
        "failures": len(result.failures),
        "fit_to_delete_sources": result.fit,
        "reasons": result.reasons,
        "metadata_compared": verify_metadata.COMPARED,
        "metadata_lost": compared.lost,
        "statement": "" if exact else INEXACT,
    }
    if not exact:
        result.notes.append(INEXACT)
    try:
        with store.locked(certificate.LOCK, "writing the certificate"):
            note = certificate.record(store, plan, verified, matched.sources)
    except (StoreError, OSError) as error:
        note = f"The result could not be written into the certificate: {error}"
    result.notes += [note] if note else []
