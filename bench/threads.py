"""Decoding of a large field by number of threads (`make bench`).

    python bench/threads.py [NAME]      learned/cytopress-2d unless another codec is named

Fields of `ecoli-phase` side by side, 4096 x 4096, on as many processors as there are: wall time,
the least of several turns. Meaningful on a machine where nothing else runs.

The last row is the machine's own ceiling: two processes, one thread each, decode the same field at
the same time, and share nothing but processors, caches and memory. Where these slow each other
down, no two threads can be twice as fast as one.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from multiprocessing.synchronize import Barrier

import numpy as np
from timing import print_machine

from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.datasets.catalogue import dataset
from cytopress.errors import CytopressError
from cytopress.image import Image
from cytopress.kernels import threads

NAME, DATASET = "learned/cytopress-2d", "ecoli-phase"
SIDE, TURNS, NUMBERS = 8, 7, (1, 2, 4)
PROCESSES = 2


def main() -> int:
    name = next(iter(sys.argv[1:]), NAME)
    try:
        data = dataset(DATASET)
        # Seams of fields that come again and again would be taken for structured noise.
        request = codec(f"{name}:quality=0.45,lines=0")
    except CytopressError as error:
        print(f"No benchmark of threads: {error}", file=sys.stderr)
        return 1
    fields = data.part("train")
    planes = [data.read_input(fields[n % len(fields)]).pixels for n in range(SIDE**2)]
    rows = [np.concatenate(planes[n : n + SIDE], axis=1) for n in range(0, SIDE**2, SIDE)]
    image = Image(np.concatenate(rows))
    stream = request.encode(image)
    walls = dict.fromkeys(NUMBERS, np.inf)
    for _ in range(TURNS):
        for number in NUMBERS:
            with threads.using(number):
                walls[number] = min(walls[number], decoded(stream))
    print_machine(one_core=False)
    print(f"{image!r}, ratio {image.raw_bytes / len(stream):.0f}")
    for number, wall in walls.items():
        rate = image.raw_bytes / 1e6 / wall
        print(f"{number} threads: {rate:8.1f} MB/s, {walls[1] / wall:.2f} times one thread")
    alone, together = by_processes(stream, 1), by_processes(stream, PROCESSES)
    rate = PROCESSES * image.raw_bytes / 1e6 / together
    print(
        f"{PROCESSES} processes of one thread: {rate:8.1f} MB/s together,"
        f" {PROCESSES * alone / together:.2f} times one such process"
    )
    return 0


def decoded(stream: bytes) -> float:
    """Decode and return the wall time that it took."""
    began = time.perf_counter()
    decode(stream)
    return time.perf_counter() - began


def by_processes(stream: bytes, number: int) -> float:
    """Return the wall time of one turn of processes that decode at the same time, the least."""
    context = multiprocessing.get_context("spawn")
    # Each turn begins and ends for all of them, and for this process.
    barrier = context.Barrier(number + 1, timeout=600)
    work = [context.Process(target=repeat, args=(stream, barrier)) for _ in range(number)]
    for each in work:
        each.start()
    least = np.inf
    for _ in range(TURNS):
        barrier.wait()
        began = time.perf_counter()
        barrier.wait()
        least = min(least, time.perf_counter() - began)
    for each in work:
        each.join()
    return float(least)


def repeat(stream: bytes, barrier: Barrier) -> None:
    """Decode with one thread, once before the turns."""
    with threads.using(1):
        decode(stream)
        for _ in range(TURNS):
            barrier.wait()
            decode(stream)
            barrier.wait()


if __name__ == "__main__":
    sys.exit(main())
