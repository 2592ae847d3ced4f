"""Stack of planes of a source, of which parts are read: at once where it is small."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from cytopress.archive.plan import ImagePlan
from cytopress.archive.sources import Source, load, opened
from cytopress.formats.remote import path_of
from cytopress.formats.segments import segment_of
from cytopress.image import Pixels

# Bytes of a stack that are read at once; of a larger one only the strips, tiles or chunks that its
# parts touch, as it may be larger than memory.
WHOLE = 2**28


@dataclass(frozen=True)
class Stack:
    """Planes of one time and channel.

    ``shape`` is (Z, Y, X); ``read`` takes planes, rows and columns (slices without steps), and
    returns pixels of its own.
    """

    shape: tuple[int, int, int]
    itemsize: int
    read: Callable[[slice, slice, slice], Pixels]


@contextmanager
def open_stack(image: ImagePlan, t: int, c: int, planes: range) -> Iterator[Stack]:
    """Give planes of one time and channel of an image's source."""
    shape = (len(planes), *image.shape[-2:])
    itemsize = np.dtype(image.dtype).itemsize
    with opened(Source.of(image), image.axes) as scenes:
        scene = scenes[image.scene]

        def read(z: slice, rows: slice, columns: slice) -> Pixels:
            return load(scene, t, c, planes[z], rows, columns)

        if math.prod(shape) * itemsize > WHOLE and segment_of(path_of(image.source)) is not None:
            yield Stack(shape, itemsize, read)
            return
        whole = load(scene, t, c, planes)
        yield Stack(shape, itemsize, lambda z, rows, columns: whole[z, rows, columns].copy())
