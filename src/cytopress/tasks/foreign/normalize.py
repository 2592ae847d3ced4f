"""Intensity normalization for foreign networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cytopress.errors import TaskError
from cytopress.image import Image, Pixels
from cytopress.tasks.builtin.labelfree import standardize
from cytopress.tasks.foreign.options import OnnxInput

# Input types of ONNX graphs as numpy dtypes.
DTYPES: Mapping[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
    "tensor(double)": np.dtype(np.float64),
    "tensor(uint8)": np.dtype(np.uint8),
    "tensor(uint16)": np.dtype(np.uint16),
}


def normalized(image: Image, wanted: OnnxInput, dtype: np.dtype[Any]) -> Pixels:
    """Return the pixels of an image, normalized, in the input type of a graph.

    For a graph of integers, ``scale`` and ``percentile`` map to the whole range of its type instead
    of 0 to 1, with rounding and clipping.

    Raises
    ------
    TaskError
        The pixels do not fit into the graph's integers, or a float image lacks a full scale.
    """
    if wanted.normalize == "none":
        if dtype.kind == "u" and not np.can_cast(image.dtype, dtype):
            raise TaskError(
                f"the model takes {dtype} and the image is {image.dtype}; declare"
                ' normalize = "scale" or "percentile".'
            )
        return image.pixels.astype(dtype)
    if wanted.normalize == "standardize":
        return standardize(image.pixels).astype(dtype)
    low, high = _limits(image, wanted)
    values = (image.pixels.astype(np.float64) - low) / ((high - low) or 1.0)
    if dtype.kind == "u":
        most = np.iinfo(dtype).max
        values = np.rint(np.clip(values, 0, 1) * most)
    return values.astype(dtype)


def _limits(image: Image, wanted: OnnxInput) -> tuple[float, float]:
    if wanted.normalize == "percentile":
        low, high = np.percentile(image.pixels, (wanted.low, wanted.high))
        return float(low), float(high)
    if wanted.full_scale is not None:
        return 0.0, wanted.full_scale
    if image.dtype.kind != "u":
        raise TaskError(f"a {image.dtype} image has no full scale of its own; declare full_scale.")
    return 0.0, float(np.iinfo(image.dtype).max)
