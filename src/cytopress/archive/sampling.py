"""Samples of a channel: chunks and parts of planes, spread over images, times and places."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cytopress.archive.plan import ImagePlan, Shape
from cytopress.archive.sample_codings import Samples
from cytopress.archive.stacks import Stack, open_stack
from cytopress.errors import ImageError
from cytopress.formats.remote import path_of
from cytopress.image import Pixels

# Fields and chunks of a channel, and bytes of all chunks, so that solving takes a minute or so.
FIELDS, CHUNKS, BYTES = 8, 16, 2**23
# Of a larger plane, so many parts of this edge tell limits and noise.
PARTS, PART = 16, 1024
# Of the golden ratio: what follows one another falls apart from all before.
APART = 0.6180339887


def sample(
    channel: str, bits: int, places: Sequence[tuple[int, int]], images: Sequence[ImagePlan]
) -> tuple[Samples, float]:
    """Return samples of a channel, and the share of its chunks that they hold.

    ``places`` are the images that have the channel, and its position there.
    """
    chosen = list(_stacks(places, images))
    planes: list[Pixels] = []
    chunks: list[Pixels] = []
    fields: list[int] = []
    number = 0
    for field, (at, c, t, z) in enumerate(chosen):
        image = images[at]
        with open_stack(image, t, c, range(z, min(z + image.chunk[2], image.shape[2]))) as stack:
            planes += _parts(stack)
            some = -(-_most(stack, image.chunk) // len(chosen))
            cut = [
                stack.read(slice(None), *one)
                for one in places_in(stack.shape, image.chunk, some, number)
            ]
        number += len(cut)
        chunks += cut
        fields += [field] * len(cut)
    _check_numbers(planes, channel, path_of(images[chosen[0][0]].source))
    # All have the axes of the first; a stack of one plane in one chunk is a plane.
    if all(len(chunk) == 1 for chunk in chunks):
        chunks = [chunk[0] for chunk in chunks]
    here = sum(chunk.nbytes for chunk in chunks)
    whole = sum(images[at].raw_bytes // images[at].shape[1] for at, _ in places)
    dtype = chunks[0].dtype
    bits = bits or (dtype.itemsize * 8 if dtype.kind == "u" else 0)
    return Samples(channel, planes, chunks, fields, bits), here / whole


def _stacks(
    places: Sequence[tuple[int, int]], images: Sequence[ImagePlan]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield some stacks of a channel, evenly spread: image, channel, time, and first plane.

    They are not listed for that: a long recording has a million.
    """
    forms = []
    for at, _ in places:
        times, _, depth, _, _ = images[at].shape
        forms.append((times, -(-depth // images[at].chunk[2])))
    ends = np.cumsum([times * stacks for times, stacks in forms]).tolist()
    for n in np.linspace(0, ends[-1] - 1, min(FIELDS, ends[-1]), dtype=int).tolist():
        one = bisect_right(ends, n)
        (at, c), (times, stacks) = places[one], forms[one]
        t, stack = divmod(n - ends[one] + times * stacks, stacks)
        yield at, c, t, stack * images[at].chunk[2]


def _check_numbers(planes: Sequence[Pixels], channel: str, source: Path) -> None:
    """Refuse floats that are no numbers, which no codec of images takes."""
    if planes[0].dtype.kind == "f" and not all(np.isfinite(plane).all() for plane in planes):
        named = f"channel {channel!r}" if channel else "the image"
        raise ImageError(
            f"{source}: {named} has pixels that are NaN or infinite, maybe in other files as well;"
            " replace them by numbers first."
        )


def spread(stack: Pixels, chunk: Shape, most: int, first: int = 0) -> list[Pixels]:
    """Return some chunks of a stack (Z, Y, X), as `places_in` chooses them."""
    return [stack[:, y, x] for y, x in places_in(stack.shape, chunk, most, first)]


def places_in(
    shape: tuple[int, ...], chunk: Shape, most: int, first: int = 0
) -> list[tuple[slice, slice]]:
    """Return rows and columns of some chunks of a stack, none twice; they differ with ``first``."""
    _, height, width = shape
    _, _, _, cy, cx = chunk
    corners = [(y, x) for y in range(0, height, cy) for x in range(0, width, cx)]
    if most >= len(corners):
        chosen = list(range(len(corners)))
    else:
        places = ((first + n + 0.5) * APART % 1 for n in range(len(corners) * 8))
        chosen = list(dict.fromkeys(int(place * len(corners)) for place in places))[:most]
    return [(slice(y, y + cy), slice(x, x + cx)) for y, x in (corners[n] for n in chosen)]


def _parts(stack: Stack) -> list[Pixels]:
    """Return the middle plane of a stack, or of a large one some parts spread over it."""
    depth, height, width = stack.shape
    middle, whole = slice(depth // 2, depth // 2 + 1), slice(None)
    if height * width <= PARTS * PART * PART:
        return [stack.read(middle, whole, whole)[0]]
    places = places_in(stack.shape, (1, 1, 1, PART, PART), PARTS)
    return [stack.read(middle, *one)[0] for one in places]


def _most(stack: Stack, chunk: Shape) -> int:
    """Return how many chunks are sampled of a channel: fewer of large ones."""
    depth, height, width = stack.shape
    _, _, _, cy, cx = chunk
    size = depth * min(cy, height) * min(cx, width) * stack.itemsize
    return min(CHUNKS, max(4, BYTES // max(size, 1)))
