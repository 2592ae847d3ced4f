"""Promise of a target: ceilings of chunks and fields, and what share of chunks exceeds them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cytopress.archive.errors_of_pixels import Errors
from cytopress.archive.plan import Ceiling
from cytopress.codecs.targets.request import CodecRequest

# A chunk alone may be so much worse than its field: 2 dB of psnr, as a factor of the error.
CHUNK_DB, CHUNK_FACTOR = 2.0, 10 ** (2 / 20)
# A field may miss psnr by 0.3 dB, or sigma by 5 %; so may a chunk the worst of the samples.
FIELD_DB, FIELD_FACTOR = 0.3, 1.05
# Beyond this share of chunks to be coded finer, the setting as a whole is taken finer.
MOST_FINER = 0.1
# A finer step about halves the squared error of a chunk: what a field gains by it.
OF_A_STEP = 0.5


def ceiling_of(request: CodecRequest, found: Sequence[Errors]) -> Ceiling:
    """Return the ceiling of a lossy request, its reference scales given, from sampled errors."""
    kind, value = request.asked or ("", 0.0)
    if kind == "max_error":
        return Ceiling(kind="max_error", chunk=value)
    if kind == "sigma":
        return Ceiling(kind="sigma", chunk=value * CHUNK_FACTOR, shard=value * FIELD_FACTOR)
    if kind == "psnr":
        return Ceiling(
            kind="psnr",
            chunk=value - CHUNK_DB,
            shard=value - FIELD_DB,
            data_range=request.data_range,
        )
    # A ratio or a native setting: no chunk is much worse than the worst of the samples.
    return Ceiling(kind="rmse", chunk=max(one.rmse for one in found) * FIELD_FACTOR)


def share_finer(
    found: Sequence[Errors], fields: Sequence[int], ceiling: Ceiling, *, scale: float = 1.0
) -> float:
    """Return the share of chunks beyond their ceiling, with all errors times ``scale``.

    The sampled chunks of a field stand for all of it: those beyond their own ceiling, and the worst
    of the others until the field as a whole is within its one.
    """
    by_field: dict[int, list[Errors]] = {}
    for one, field in zip(found, fields, strict=True):
        by_field.setdefault(field, []).append(_scaled(one, scale))
    return sum(_finer(some, ceiling) for some in by_field.values()) / len(found)


def unseen_share(found: Sequence[Errors], ceiling: Ceiling, seen: float) -> float:
    """Return the share of chunks, most of them not sampled, that exceed a ceiling of the samples.

    Each sampled chunk is held against the others, as a chunk that was not sampled will be. ``seen``
    is the share of all chunks that was sampled.
    """
    if ceiling.kind != "rmse" or len(found) < 2:
        return 0.0
    first, second = sorted((one.rmse for one in found), reverse=True)[:2]
    return (first > second * FIELD_FACTOR) / len(found) * (1 - seen)


def surplus_of_share(
    found: Sequence[Errors], fields: Sequence[int], ceiling: Ceiling, most: float = MOST_FINER
) -> float:
    """Return the logarithm by which all errors may grow until more chunks are to be coded finer.

    Negative: by which they have to shrink.
    """
    low, high = -3.0, 3.0
    for _ in range(20):
        middle = (low + high) / 2
        if share_finer(found, fields, ceiling, scale=math.exp(middle)) <= most:
            low = middle
        else:
            high = middle
    return low


def _finer(found: Iterable[Errors], ceiling: Ceiling) -> int:
    """Return how many chunks of a field are to be coded finer."""
    left = sorted(found, key=lambda one: one.squares / one.pixels)
    count = 0
    after: list[Errors] = []
    while left:
        beyond = not all(one.within(ceiling, ceiling.chunk) for one in left)
        whole = Errors.sum([*left, *after])
        if not beyond and (ceiling.shard is None or whole.within(ceiling, ceiling.shard)):
            break
        after.append(_scaled(left.pop(), math.sqrt(OF_A_STEP)))
        count += 1
    return count


def _scaled(one: Errors, scale: float) -> Errors:
    return replace(
        one,
        max_error=one.max_error * scale,
        squares=one.squares * scale**2,
        noise_squares=one.noise_squares * scale**2,
    )
