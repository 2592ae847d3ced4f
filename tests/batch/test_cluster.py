"""Batch runs on the workers of a dask scheduler."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from cytopress.batch.cluster import connected, run_on
from cytopress.batch.ledger import opened


@dataclass(frozen=True)
class Shard:
    key: str
    archive: str


def place(task: Shard) -> dict[str, str]:
    return {"place": task.archive}


def test_archives_of_one_plan_at_once_have_tasks_of_their_own(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1",
            local_directory=str(tmp_path), protocol="tcp", processes=False,
        ) as local,
        connected(local.scheduler_address) as client,
        opened(tmp_path / "one", {"plan": "the same"}) as first,
        opened(tmp_path / "other", {"plan": "the same"}) as second,
    ):  # fmt: skip
        address = local.scheduler_address
        tasks = [[Shard("0/c/0", name)] for name in ("one", "other")]
        with closing(run_on(client, address, tasks[0], place, first)) as rows:
            assert next(rows)["place"] == "one"
            # The scheduler holds that result as long as the first run goes on.
            assert [row["place"] for row in run_on(client, address, tasks[1], place, second)] == [
                "other"
            ]
