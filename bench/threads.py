"""Decoding of a large field by number of threads (`make bench`).

    python bench/threads.py [NAME]      learned/cytopress-2d unless another codec is named

Fields of `ecoli-phase` side by side, 4096 x 4096, on as many processors as there are: wall time,
the least of several turns. Meaningful on a machine where nothing else runs.
"""

from __future__ import annotations

import sys
import time

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
                began = time.perf_counter()
                decode(stream)
                walls[number] = min(walls[number], time.perf_counter() - began)
    print_machine(one_core=False)
    print(f"{image!r}, ratio {image.raw_bytes / len(stream):.0f}")
    for number, wall in walls.items():
        rate = image.raw_bytes / 1e6 / wall
        print(f"{number} threads: {rate:8.1f} MB/s, {walls[1] / wall:.2f} times one thread")
    return 0


if __name__ == "__main__":
    sys.exit(main())
