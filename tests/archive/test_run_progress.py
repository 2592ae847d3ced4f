"""What a run tells of itself."""

import pytest

from cytopress.archive import run_progress
from cytopress.archive.run_progress import RunProgress


def row(raw: int, coded: int) -> dict[str, object]:
    return {"error": "", "raw_bytes": raw, "coded_bytes": coded}


def test_time_left_is_that_of_this_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte was there before; two took a minute, so that three more take a minute and half."""
    now = [100.0]
    monkeypatch.setattr(run_progress.time, "monotonic", lambda: now[0])
    told: list[tuple[int, int, str]] = []
    progress = RunProgress(6 * 10**9, lambda *one: told.append(one))
    progress.skip([row(10**9, 10**8)])
    now[0] += 60
    progress.add(row(2 * 10**9, 5 * 10**8))
    progress.add({"error": "damaged.", "raw_bytes": 10**9, "coded_bytes": 10**8})
    assert told == [
        (3 * 10**9, 6 * 10**9, "3 GB of 6 GB, 5.0x smaller, 2 min left"),
        (3 * 10**9, 6 * 10**9, "3 GB of 6 GB, 5.0x smaller, 2 min left, 1 failed"),
    ]
