"""Costs of an archive before it is written: bytes, hours, memory, and what is read of sources."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from cytopress.archive.chunk_decoding import decode_chunk
from cytopress.archive.chunk_form import ChunkForm
from cytopress.archive.chunk_writer import ShardChunks
from cytopress.archive.errors_of_pixels import errors_between
from cytopress.archive.memory import worker_bytes
from cytopress.archive.plan import Coding, ImagePlan, Plan
from cytopress.archive.sampling import spread
from cytopress.archive.stacks import open_stack
from cytopress.files.cyto_file import is_cyto
from cytopress.formats.remote import path_of
from cytopress.formats.segments import segment_of

T = TypeVar("T")
# Chunks of a channel that are timed, and seconds after which no other is.
TIMED, SECONDS = 3, 5.0
# Sources whose strips and tiles are looked at.
LOOKED_AT = 20


@dataclass(frozen=True, kw_only=True)
class ChannelCosts:
    """Costs of one channel, over all images.

    Parameters
    ----------
    coding : Coding
        The channel.
    raw_bytes, coded_bytes, pyramid_bytes : int
        Of the full resolution before coding and, as expected, after; and of all lower resolutions.
    seconds : float
        What one worker takes for it, by timed samples: reading, coding, reading back, comparing.
    """

    coding: Coding
    raw_bytes: int
    coded_bytes: int
    pyramid_bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Costs of an archive.

    Parameters
    ----------
    channels : tuple of ChannelCosts
        In the order of the plan.
    worker_bytes : int
        Memory that a worker needs at most.
    read_amplification : float
        Bytes that are decoded of the sources for each byte that is wanted.
    """

    channels: tuple[ChannelCosts, ...]
    worker_bytes: int
    read_amplification: float

    @property
    def bytes(self) -> int:
        """All bytes of pixels, as expected."""
        return sum(one.coded_bytes + one.pyramid_bytes for one in self.channels)

    @property
    def seconds(self) -> float:
        """What one worker takes for everything."""
        return sum(one.seconds for one in self.channels)


def costs_of(plan: Plan) -> Costs:
    """Estimate what an archive will cost; codes some sampled chunks of each channel to time them.

    Raises
    ------
    CytopressError
        A source cannot be read.
    """
    amplification = _read_amplification(plan)
    places: dict[int, list[ImagePlan]] = {}
    for image in plan.images:
        for coding in image.codings:
            places.setdefault(coding, []).append(image)
    return Costs(
        channels=tuple(
            _of_channel(plan.codings[number], images, number, amplification)
            for number, images in sorted(places.items())
        ),
        worker_bytes=max(
            worker_bytes(image, plan.codings[one]) for image in plan.images for one in image.codings
        ),
        read_amplification=amplification,
    )


def _of_channel(
    coding: Coding, images: list[ImagePlan], number: int, amplification: float
) -> ChannelCosts:
    raw = sum(_level_bytes(image, 0) for image in images)
    below = sum(_level_bytes(image, n) for image in images for n in range(1, image.levels))
    reading, encoding, decoding, comparing = _timed(coding, images[len(images) // 2], number)
    again = 1 + coding.expected_finer
    writing = again * (encoding + decoding + comparing)
    # A lower resolution is made from the one above, as decoded.
    seconds = raw * (reading * amplification + writing + decoding) + below * (writing + decoding)
    return ChannelCosts(
        coding=coding,
        raw_bytes=raw,
        coded_bytes=round(raw / coding.expected_ratio),
        pyramid_bytes=round(below / coding.expected_ratio_below),
        seconds=seconds,
    )


def _level_bytes(image: ImagePlan, level: int) -> int:
    """Return the bytes of one channel of a resolution before coding."""
    t, _, z, y, x = image.level_shape(level)
    return t * z * y * x * np.dtype(image.dtype).itemsize


def _timed(coding: Coding, image: ImagePlan, number: int) -> tuple[float, ...]:
    """Return seconds a byte of reading, encoding, decoding and comparing."""
    channel, middle = image.codings.index(number), image.shape[2] // 2
    first = middle - middle % image.chunk[2]
    planes = range(first, min(first + image.chunk[2], image.shape[2]))
    # Reading waits for disks and networks; the rest is computing. What is read is a shard.
    begun = time.perf_counter()
    with open_stack(image, image.shape[0] // 2, channel, planes) as source:
        stack = source.read(slice(None), *map(_middle, image.shape[-2:], image.level_shard(0)[-2:]))
    reading = (time.perf_counter() - begun) / stack.nbytes
    chunks = spread(stack, image.chunk, TIMED)
    writer = ShardChunks(coding)
    size, spent = 0, [0.0, 0.0, 0.0]
    for chunk in chunks:
        form = ChunkForm((1, 1, *chunk.shape), chunk.dtype, chunk.dtype.type(0))
        whole = chunk.reshape(form.shape)
        if not size:
            # The first call loads the codec's library or model.
            writer.encode(np.ascontiguousarray(whole), form)
        data = _clocked(spent, 0, lambda: ShardChunks(coding).encode(whole, form))  # noqa: B023
        assert data is not None
        decoded = _clocked(spent, 1, lambda: decode_chunk(data, form, []))  # noqa: B023
        _clocked(spent, 2, lambda: errors_between(whole, decoded, coding.noise_model))  # noqa: B023
        size += chunk.nbytes
        if sum(spent) > SECONDS:
            break
    return (reading, *(seconds / size for seconds in spent))


def _middle(length: int, shard: int) -> slice:
    """Return the part of an axis that the shard in its middle holds."""
    start = length // 2 // shard * shard
    return slice(start, min(start + shard, length))


def _clocked(spent: list[float], place: int, work: Callable[[], T]) -> T:
    begun = time.process_time()
    found = work()
    spent[place] += time.process_time() - begun
    return found


def _read_amplification(plan: Plan) -> float:
    """Return the bytes decoded over those wanted, by the strips or tiles that shards touch."""
    wanted = decoded = 0.0
    step = max(1, len(plan.images) // LOOKED_AT)
    for image in plan.images[::step]:
        t, _, z, y, x = image.shape
        segment = segment_of(path_of(image.source)) or (y, x)
        touched = _touched(y, image.level_shard(0)[-2], segment[0])
        touched *= _touched(x, image.level_shard(0)[-1], segment[1])
        if is_cyto(path_of(image.source)):
            # A stack is decoded whole for each shard of it.
            touched *= math.ceil(z / image.level_shard(0)[2])
        wanted += t * z * y * x
        decoded += t * z * touched
    return decoded / wanted


def _touched(length: int, shard: int, segment: int) -> int:
    """Return the pixels along an axis that are decoded for all shards together."""
    total = 0
    for start in range(0, length, shard):
        end = min(start + shard, length)
        total += min(math.ceil(end / segment) * segment, length) - start // segment * segment
    return total
