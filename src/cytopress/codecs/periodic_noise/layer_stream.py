"""Layer of periodic noise to bytes and back, a few hundred of them, by adaptive binary coding."""

from __future__ import annotations

import numpy as np

from cytopress.codecs.periodic_noise.binary_coder import BinaryCoder, BinaryDecoder, BinaryEncoder
from cytopress.codecs.periodic_noise.layer import (
    FREQUENCY_BITS,
    MOST_COUNTS,
    MOST_LINES,
    MOST_WORK,
    NYQUIST,
    STEP_BITS,
    Integers,
    Layer,
    Line,
)
from cytopress.errors import CorruptDataError

# Magnitudes around a cosine by how many contexts they are told apart.
ACTIVITIES = (0, 1, 2, 4, 8, 16)
# Magnitudes up to this have decisions of their own.
UNARY = 14
EMPTY = np.zeros((0, 2), np.int64)


def pack_layer(layer: Layer) -> bytes:
    """Return a layer as bytes; none of a layer without lines."""
    if not layer.lines:
        return b""
    coder = BinaryEncoder()
    _code(coder, layer)
    return coder.bytes()


def take_layer(stream: bytes | memoryview, shape: tuple[int, int]) -> Layer:
    """Return the layer of `pack_layer` for a plane.

    Raises
    ------
    CorruptDataError
        The bytes are no such layer.
    """
    if not len(stream):
        return Layer(shape, 1, ())
    coder = BinaryDecoder(stream)
    layer = _code(coder, Layer(shape, 1, ()))
    coder.finish()
    return layer


def _code(coder: BinaryCoder, layer: Layer) -> Layer:
    """Code a layer; one function for both directions, of which a decoder ignores the values."""
    step = coder.number(layer.step - 1, "step") + 1
    count = coder.number(max(len(layer.lines) - 1, 0), "count") + 1
    if count > MOST_LINES or step > MOST_COUNTS << STEP_BITS:
        raise CorruptDataError("The structured noise has more waves than any plane can have.")
    given = layer.lines or (Line(1, 0, 0, 0, EMPTY),) * count
    return Layer(layer.shape, step, tuple(_code_line(coder, one, layer.shape) for one in given))


def _code_line(coder: BinaryCoder, line: Line, shape: tuple[int, int]) -> Line:
    along = coder.bit(line.along, "along")
    frequency = coder.raw(line.frequency, FREQUENCY_BITS)
    if frequency > NYQUIST:
        raise CorruptDataError("The structured noise has a frequency that no plane can have.")
    carrier = chirp = 0
    real = frequency in (0, NYQUIST)
    if not real:
        carrier = coder.raw(line.carrier, FREQUENCY_BITS)
        chirp = coder.signed(line.chirp, "chirp")
    length = shape[1 - along]
    count = coder.number(len(line.cosines), "length")
    if count > length or count * length > MOST_WORK:
        raise CorruptDataError("The structured noise has more parts than the plane has pixels.")
    cosines = _code_cosines(coder, line.cosines, count, real=real)
    return Line(along, frequency, carrier, chirp, cosines)


def _code_cosines(coder: BinaryCoder, given: Integers, count: int, *, real: bool) -> Integers:
    """Code the cosines in order of frequency, each given the magnitudes of the two before."""
    values = given.tolist() or [[0, 0]] * count
    found = [[0, 0]] * count
    before, earlier = 0, 0
    for place in range(count):
        around = 2 * before + earlier
        first = _code_value(coder, values[place][0], around)
        second = 0 if real else _code_value(coder, values[place][1], around + 2 * abs(first))
        found[place] = [first, second]
        before, earlier = abs(first) + abs(second), before
    return np.array(found, np.int64).reshape(count, 2)


def _code_value(coder: BinaryCoder, value: int, around: int) -> int:
    level = sum(around > most for most in ACTIVITIES)
    size, magnitude = 0, abs(value)
    while size < UNARY and coder.bit(magnitude > size, level, min(size, 3)):
        size += 1
    if size == UNARY:
        size += coder.number(magnitude - UNARY, "beyond")
    if size and coder.raw(value < 0, 1):
        return -size
    return size
