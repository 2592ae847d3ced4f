"""Plain arrays in NumPy's file format, read from bytes that anyone may have made."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

# The two forms of the header that numbers are stored with.
HEADERS: Mapping[Any, Callable[..., Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_read_magic: Callable[..., Any] = np.lib.format.read_magic


def plain_array(data: bytes) -> npt.NDArray[Any]:
    """Return the numbers of an ``.npy`` file; what its header claims is compared with its length.

    Raises
    ------
    ValueError
        It holds anything else: other objects, more or fewer bytes than its header says.
    """
    stream = io.BytesIO(data)
    try:
        shape, fortran, dtype = HEADERS[_read_magic(stream)](stream)
    except Exception as error:
        # The header is a Python literal: parsing a crafted one raises almost anything.
        raise ValueError("it has no header of numbers") from error
    if dtype.kind not in "biufc" or min(shape, default=0) < 0:
        raise ValueError(f"it holds {dtype} of shape {shape}, not numbers")
    held = len(data) - stream.tell()
    if math.prod(shape) * dtype.itemsize != held:
        raise ValueError(f"{held} bytes cannot be {shape} numbers of {dtype.itemsize} bytes")
    order: Literal["C", "F"] = "F" if fortran else "C"
    # A copy is aligned, and can be written to.
    return np.frombuffer(data[stream.tell() :], dtype).reshape(shape, order=order).copy(order)
