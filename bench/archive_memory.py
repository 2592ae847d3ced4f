"""Memory, speed and ratio of archiving sources larger than the memory of a worker (Linux).

    python bench/archive_memory.py [--gib 20] [--workers 2] [--folder FOLDER] [SPEC ...]

The source is an OME-Zarr time series of mosaics of 1 GiB each, 16384 x 32768 pixels of 16 bits,
made of one real field with noise: eight chunks on the disk, to which every other is a hard link,
so it takes 64 MiB of the disk and still has to be read as a whole. Each codec archives it with
`cytopress archive create`, and the peak of the resident memory of each of its processes is asked
of the kernel (VmHWM), beside what the plan told of a worker. A SPEC may name its own size:
`jpegxl:distance=2@1` is one time point. 20 GiB of three codecs took an hour of two cores.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import zarr
from timing import print_machine

from cytopress.archive.certificate import rows_of
from cytopress.archive.memory import worker_bytes
from cytopress.archive.plan import read_plan
from cytopress.datasets.catalogue import dataset
from cytopress.errors import CytopressError

DATASET, EDGE, ROWS, COLUMNS, DIFFERENT = "ecoli-phase", 2048, 8, 16, 8
SPECS = (
    *("jpegls:near=4", "round-zstd:max_error=4"),
    *("jpegxl:distance=2@1", "learned/cytopress-2d:quality=0.45@1"),
)
LIMIT, MIB = 2**31, 2**20
POLL = 0.2


def main() -> int:
    """Print a table: a row for each codec."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("specs", nargs="*", default=SPECS, metavar="SPEC")
    parser.add_argument("--gib", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="Where source and archives are made.")
    given = parser.parse_args()
    try:
        field = dataset(DATASET)
    except CytopressError as error:
        print(f"No benchmark without its images: {error}", file=sys.stderr)
        return 1
    pixels = field.read_input(field.part("test")[0]).pixels
    print_machine(one_core=False)
    print("\n| codec | source GiB | workers | peak MiB a worker | planned MiB | main MiB |", end="")
    print(" MB/s | ratio of level 0 | of all |\n" + "|---" * 9 + "|", flush=True)
    worst = 0
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for asked in given.specs:
            spec, _, size = asked.partition("@")
            gib = int(size or given.gib)
            source = Path(folder, f"{gib}.ome.zarr")
            if not source.exists():
                write_source(pixels, source, gib)
            worst = max(worst, row(source, Path(folder, "archive"), spec, gib, given.workers))
    print(f"\nA worker took {worst / MIB:.0f} MiB at most; the limit is {LIMIT / MIB:.0f}.")
    return int(worst > LIMIT)


def write_source(pixels: np.ndarray, path: Path, gib: int) -> None:
    """Write a time series whose chunks are hard links to a few of them."""
    scales = [{"type": "scale", "scale": [1.0, 0.5, 0.5]}]
    space = [{"name": one, "type": "space", "unit": "micrometer"} for one in "yx"]
    multiscale = {
        "axes": [{"name": "t", "type": "time"}, *space],
        "datasets": [{"path": "0", "coordinateTransformations": scales}],
    }
    group = zarr.create_group(
        path, attributes={"ome": {"version": "0.5", "multiscales": [multiscale]}}
    )
    array = group.create_array(
        "0",
        shape=(gib, ROWS * EDGE, COLUMNS * EDGE),
        chunks=(1, EDGE, EDGE),
        dtype="uint16",
        compressors=None,
    )
    plane = np.tile(pixels.astype(np.int64), tuple(-(-EDGE // one) for one in pixels.shape[-2:]))
    random = np.random.default_rng(0)
    real = []
    for number in range(DIFFERENT):
        field = np.roll(plane[:EDGE, :EDGE], 97 * number, (0, 1))
        field = field + random.integers(-1, 2, field.shape)
        array[0, :EDGE, number * EDGE : (number + 1) * EDGE] = field.clip(0, 2**16 - 1)
        real.append(path / "0" / "c" / "0" / "0" / str(number))
    for number, place in enumerate(np.ndindex(gib, ROWS, COLUMNS)):
        chunk = path.joinpath("0", "c", *map(str, place))
        chunk.parent.mkdir(parents=True, exist_ok=True)
        if not chunk.exists():
            os.link(real[number % DIFFERENT], chunk)


def row(source: Path, out: Path, spec: str, gib: int, workers: int) -> int:
    """Archive a source, print its row, and return the largest peak of a worker in bytes."""
    command = [sys.executable, "-m", "cytopress", "archive", "create", str(source), str(out)]
    begun = time.monotonic()
    with subprocess.Popen(
        [*command, "--codec", spec, "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        peaks: dict[int, int] = {}
        while process.poll() is None:
            for pid in (process.pid, *children(process.pid)):
                peaks[pid] = max(peaks.get(pid, 0), peak(pid))
            time.sleep(POLL)
    seconds = time.monotonic() - begun
    if process.returncode:
        raise SystemExit(f"{spec}: the archive could not be written; try {' '.join(command)}")
    main = peaks.pop(process.pid)
    # The process that tidies up for the others is not one of them.
    of_workers = sorted(peaks.values(), reverse=True)[:workers]
    plan, rows = read_plan(out), rows_of(out)
    planned = worker_bytes(plan.images[0], plan.codings[0])
    full = [found for key, found in rows.items() if key.split("/")[-7] == "0"]
    cells = (
        *(spec, str(gib), str(workers), ", ".join(f"{one / MIB:.0f}" for one in of_workers)),
        *(f"{planned / MIB:.0f}", f"{main / MIB:.0f}", f"{gib * 2**30 / 1e6 / seconds:.1f}"),
        *(ratio(full), ratio(rows.values())),
    )
    print("| " + " | ".join(cells) + " |", flush=True)
    shutil.rmtree(out)
    return of_workers[0]


def ratio(rows) -> str:
    """Return bytes before coding over those after it."""
    raw, coded = (sum(found[key] for found in rows) for key in ("raw_bytes", "coded_bytes"))
    return f"{raw / coded:.2f}"


def children(pid: int) -> Iterator[int]:
    """Yield the processes that a process started."""
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            yield from map(int, (task / "children").read_text().split())
    except OSError:
        return


def peak(pid: int) -> int:
    """Return the most resident memory that a process had so far, in bytes; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0].split()[1]) * 1024 if found else 0


if __name__ == "__main__":
    sys.exit(main())
