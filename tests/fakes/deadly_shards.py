"""Work on shards of which some kill their process."""

from __future__ import annotations

import os
import signal
from typing import Any

from cytopress.archive.shard import ShardTask
from cytopress.archive.shard import write_shard as write

DEADLY = "field 2 "


def write_shard(task: ShardTask) -> dict[str, Any]:
    """Write a shard, or die of it."""
    if task.key.startswith(DEADLY):
        os.kill(os.getpid(), signal.SIGKILL)
    return write(task)
