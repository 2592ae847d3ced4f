"""Memory of a worker: what writing a shard takes, and the shards that a limit allows."""

from __future__ import annotations

import math
import re

import numpy as np

from cytopress.archive.plan import Coding, ImagePlan, Shape
from cytopress.errors import UsageError
from cytopress.files.cyto_file import is_cyto
from cytopress.formats.remote import path_of

# Python, zarr and the libraries of codecs; and a learned codec's networks beside them.
BASE, LEARNED = 280 * 2**20, 100 * 2**20
# Of a shard: its source, what zarr copies of it, the coded bytes, what is read back, and what the
# allocator keeps: 5.4 were measured by `bench/archive_memory.py`.
TIMES = 6
# Of a pixel of a chunk: copies in floats, of the codec and of the comparison; and what the networks
# of a learned codec need, which work in tiles.
OF_CHUNK, OF_LEARNED, TILE = 24, 200, 2**21
# Bytes of a shard unless memory is limited, and the least that is worth a file.
SHARD, LEAST_SHARD = 2**27, 2**20
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def worker_bytes(image: ImagePlan, coding: Coding) -> int:
    """Return the memory that a worker needs at most for the shards of a channel."""
    shard = math.prod(image.level_shard(0)) * np.dtype(image.dtype).itemsize
    learned = coding.spec.startswith("learned/")
    # Of a .cyto file a stack is decoded as a whole.
    stack = image.shape[2:] if is_cyto(path_of(image.source)) else (0,)
    whole = math.prod(stack) * np.dtype(image.dtype).itemsize
    return TIMES * shard + whole + _fixed(image.chunk, learned=learned)


def shard_bytes(memory: int | None, chunk: Shape, *, learned: bool) -> int:
    """Return the bytes of a shard before coding that a worker with so much memory can write.

    Raises
    ------
    UsageError
        Not even the smallest shard, of a chunk, can be written.
    """
    if memory is None:
        return SHARD
    left = (memory - _fixed(chunk, learned=learned)) // TIMES
    if left < LEAST_SHARD:
        least = (_fixed(chunk, learned=learned) + TIMES * LEAST_SHARD) / 10**6
        raise UsageError(
            f"--memory: a worker needs at least {math.ceil(least)} MB for these chunks; give more,"
            " or a smaller --chunk."
        )
    return int(left)


def parse_bytes(text: str) -> int:
    """Return a number of bytes such as ``8GB``, ``512 MiB`` or ``2000000``.

    Raises
    ------
    UsageError
        It is no such number.
    """
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text)
    unit = UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None or float(found[1]) <= 0:
        raise UsageError(f"{text}: give a size in bytes with a unit, such as 8GB or 512MiB.")
    return int(float(found[1]) * unit)


def _fixed(chunk: Shape, *, learned: bool) -> int:
    pixels = math.prod(chunk)
    networks = LEARNED + OF_LEARNED * min(pixels, TILE) if learned else 0
    return BASE + networks + OF_CHUNK * pixels
