"""Progress of an archive's run: bytes, the compression ratio so far, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from cytopress.callbacks import Progress
from cytopress.figures import ratio_text, shown_bytes, shown_time

# Seconds of a run before its time left is estimated.
SOON = 2.0


class RunProgress:
    """Counts rows of shards and reports after each.

    Parameters
    ----------
    total : int
        Bytes of all shards before coding.
    report : callable
        Called as (bytes done, all, text).
    """

    def __init__(self, total: int, report: Progress) -> None:
        self._total, self._report = total, report
        self._before = self._done = self._coded = self._failed = 0
        self._begin = time.monotonic()

    def skip(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Count shards that were written before, which say nothing on the time."""
        for row in rows:
            self._count(row)
            self._before += row["raw_bytes"]

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a shard and report."""
        if row.get("error"):
            self._failed += 1
        else:
            self._count(row)
        self._report(self._done, self._total, self.text)

    @property
    def text(self) -> str:
        """What is done, such as ``1.2 GB of 20 GB, 5.3x smaller, 12 min left``."""
        parts = [f"{shown_bytes(self._done)} of {shown_bytes(self._total)}"]
        if self._coded:
            parts.append(f"{ratio_text(self._done / self._coded)} smaller")
        elapsed, new = time.monotonic() - self._begin, self._done - self._before
        if new and elapsed > SOON and self._done < self._total:
            left = (self._total - self._done) * elapsed / new
            parts.append(f"{shown_time(left)} left")
        if self._failed:
            parts.append(f"{self._failed} failed")
        return ", ".join(parts)

    def _count(self, row: Mapping[str, Any]) -> None:
        self._done += row["raw_bytes"]
        self._coded += row["coded_bytes"]
