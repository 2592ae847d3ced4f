"""Finer settings: a codec's native setting taken some steps finer, and at the end losslessly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.traits import QualityParameter

# Of the range of the quality parameter.
STEP = 1 / 12


def parameter_for(
    request: CodecRequest, dtype: str, limits: tuple[float, float] | None
) -> QualityParameter | None:
    """Return the quality parameter for pixels of a type; of floats it follows their range."""
    parameter = request.family.traits.parameter
    if parameter is None or limits is None or np.dtype(dtype).kind != "f":
        return parameter
    low, high = limits
    step = float(np.spacing(np.float32(max(abs(low), abs(high)))))
    return parameter.for_floats(high - low, step)


def finer(
    request: CodecRequest, steps: int, dtype: str, limits: tuple[float, float] | None
) -> CodecRequest | None:
    """Return a native request some steps finer; None where nothing is finer but lossless coding."""
    parameter = parameter_for(request, dtype, limits)
    if parameter is None or request.native is None:
        return None if steps else request
    if not steps:
        return request
    place = parameter.position_of(request.native)
    if place >= 1:
        return None
    value = parameter.value_at(min(place + steps * STEP, 1.0))
    return replace(request, native=value, guard=_tighter(request, steps))


def _tighter(request: CodecRequest, steps: int) -> int | None:
    """Return the bound of a residual some steps finer: errors within it do not follow a setting."""
    if request.guard is None or request.scale != "1":
        return request.guard
    least = request.adapter(request.native).deviation
    return max(request.guard >> steps, min(least, request.guard))
