"""Fields to archive, and what two archives of them are compared by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile

from cytopress.archive.stores import Location, store_of

# Files that hold times, and so differ between equal runs.
DATED = "cytopress/"


def field(seed: int, edges: tuple[int, int] = (150, 130)) -> np.ndarray:
    """Return counts (C, Y, X) of two channels: smooth, with noise."""
    y, x = np.mgrid[: edges[0], : edges[1]]
    light = 900 + 300 * np.sin(x / 9 + seed) * np.cos(y / 7)
    random = np.random.default_rng(seed)
    return random.normal([light, light / 2], 9).clip(1, 4095).astype(np.uint16)


def write_fields(folder: Path, count: int, edges: tuple[int, int] = (150, 130)) -> Path:
    """Write OME-TIFFs of channels DNA and ER; return their folder."""
    folder.mkdir(parents=True)
    for number in range(count):
        names = {"axes": "CYX", "Channel": {"Name": ["DNA", "ER"]}, "SignificantBits": 12}
        pixels = field(number, edges)
        tifffile.imwrite(folder / f"field {number} µ.ome.tif", pixels, metadata=names)
    return folder


def tree(out: Location) -> dict[str, str]:
    """Return the digest of every file that holds no time."""
    store = store_of(out)
    return {
        key: hashlib.sha256(store.read(key)).hexdigest()
        for key, _ in store.list()
        if not key.startswith(DATED) and key != "SHA256SUMS"
    }


def in_this_process(tasks, work, ledger, *, processes, purpose) -> Iterator[dict]:
    """Stand in for `cytopress.batch.run.run`: a process takes seconds to start."""
    for task in tasks:
        row = {"key": task.key, "error": "", **work(task)}
        ledger.add(row)
        yield row
