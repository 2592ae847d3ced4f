"""Speed of writing archives, by codec and number of workers (`make bench`).

Each archive is of made-up fields on a real background, one shard a field: read, coded, written,
read back and compared. Clocked from the first shards to the last, so that the start of processes
does not count; each worker has one thread. Only rows of one run compare, which is why all but the
first column are ratios.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from timing import print_machine

from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.wanted import Wanted
from cytopress.datasets.catalogue import dataset
from cytopress.errors import CytopressError

DATASET, FIELDS, EDGE = "ecoli-phase", 24, 1024
SPECS = (
    "jpegls:near=4",
    "round-zstd:max_error=4",
    "jpegxl:distance=2",
    "learned/cytopress-2d:quality=0.45",
)
WORKERS = (1, 2)


def main() -> int:
    try:
        data = dataset(DATASET)
    except CytopressError as error:
        print(f"No benchmark without its images: {error}", file=sys.stderr)
        return 1
    print_machine(one_core=False)
    with tempfile.TemporaryDirectory() as folder:
        fields = Path(folder, "fields")
        write_fields(data.read_input(data.part("test")[0]).pixels, fields)
        print(f"\n{'codec':36} {'workers':>7} {'speed':>12} {'to one':>8} {'to first':>8}")
        first = 0.0
        for spec in SPECS:
            alone = 0.0
            for workers in WORKERS:
                out = Path(folder, f"{SPECS.index(spec)}-{workers}")
                speed = clocked(fields, out, spec, workers)
                alone, first = alone or speed, first or speed
                ratios = f"{speed / alone:8.2f} {speed / first:8.2f}"
                print(f"{spec:36} {workers:7} {speed:7.1f} MB/s {ratios}", flush=True)
    return 0


def write_fields(pixels: np.ndarray, folder: Path) -> None:
    """Write fields of one image repeated, each shifted and with noise of its own."""
    folder.mkdir()
    times = tuple(-(-EDGE // length) for length in pixels.shape[-2:])
    plane = np.tile(pixels.astype(np.int64), times)[:EDGE, :EDGE]
    random = np.random.default_rng(0)
    for number in range(FIELDS):
        field = np.roll(plane, 31 * number, (0, 1)) + random.integers(-1, 2, plane.shape)
        tifffile.imwrite(folder / f"{number:02}.tif", field.clip(0, 2**16 - 1).astype(np.uint16))


def clocked(fields: Path, out: Path, spec: str, workers: int) -> float:
    """Return the speed of a run in MB/s of raw bytes, from the first shard of each worker on."""
    make_plan([fields], out, Wanted(codec=spec))
    rows: list[tuple[float, int]] = []

    def note(done: int, _total: int, _text: str) -> None:
        rows.append((time.monotonic(), done))

    assert run(out, workers=workers, progress=note).complete
    (begin, before), (end, done) = rows[workers - 1], rows[-1]
    return (done - before) / 1e6 / (end - begin)


if __name__ == "__main__":
    sys.exit(main())
