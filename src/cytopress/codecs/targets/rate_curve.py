"""Rate-distortion curve of a codec near one of its settings: its error at other bytes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from cytopress.codecs.traits import QualityParameter

# Of the range of a quality parameter: the next setting.
NEXT = 0.02
# Errors below it are none, in counts squared.
LEAST_ERROR = 1e-9


class Point(NamedTuple):
    """One setting: its bytes, and its mean square error in counts squared."""

    size: int
    error: float


def error_at(
    size: int,
    here: Point,
    parameter: QualityParameter,
    native: float,
    coded: Callable[[float], Point],
) -> float | None:
    """Return the error that a codec leaves at other bytes; None where its settings do not tell.

    Two more settings are coded at most: the next one towards these bytes, and one that is expected
    to take as many.

    Parameters
    ----------
    size : int
        The bytes.
    here : Point
        Of the setting ``native``.
    parameter : QualityParameter
        The codec's.
    native : float
        Its value.
    coded : callable
        Returns the point of another value.
    """
    place = parameter.position_of(native)
    step = NEXT if size > here.size else -NEXT
    # Whole numbers may be farther apart.
    places = (min(max(place + step * 2**n, 0.0), 1.0) for n in range(6))
    there = next((one for one in places if parameter.value_at(one) != native), None)
    if there is None:
        return None
    points = [here, coded(parameter.value_at(there))]
    changed = math.log(points[1].size / here.size) / (there - place)
    if changed > 0 and abs(math.log(size / points[1].size)) > changed * abs(there - place):
        end = min(max(place + math.log(size / here.size) / changed, 0.0), 1.0)
        points.append(coded(parameter.value_at(end)))
    points.sort(key=lambda point: abs(math.log(size / point.size)))
    return _on_line(size, points[0], points[1])


def _on_line(size: int, one: Point, other: Point) -> float | None:
    """Return the error on the line through two points, of logarithms; None: it does not fall."""
    rate = math.log(other.size / one.size)
    fall = math.log(max(one.error, LEAST_ERROR) / max(other.error, LEAST_ERROR))
    if not rate or fall / rate <= 0:
        return None
    return max(one.error, LEAST_ERROR) * math.exp(math.log(one.size / size) * fall / rate)
