"""Chunk form: what zarr says of a chunk, and which of its axes are those of an image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytopress.errors import UnsupportedImageError


@dataclass(frozen=True)
class ChunkForm:
    """What zarr says of a chunk: its shape, pixel type and fill value."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: Any


def last_axes(shape: tuple[int, ...], axes: int) -> tuple[int, ...]:
    """Return a chunk's shape along its last axes; raises UnsupportedImageError if it has others."""
    if len(shape) < axes or math.prod(shape[:-axes]) != 1:
        here = " x ".join(map(str, shape))
        raise UnsupportedImageError(
            f"cytopress codes chunks of one plane or one stack, whose axes come last, not of {here}"
            " pixels: give chunks such as (1, 1, 1, 512, 512)."
        )
    return shape[-axes:]
