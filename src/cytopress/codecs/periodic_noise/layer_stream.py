"""Layer of periodic noise to bytes and back, a few hundred of them, by adaptive binary coding."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from cytopress.codecs.periodic_noise.binary_coder import (
    EVEN,
    BinaryCoder,
    BinaryDecoder,
    BinaryEncoder,
)
from cytopress.codecs.periodic_noise.layer import (
    FREQUENCY_BITS,
    MANTISSA_BITS,
    MOST_LINES,
    MOST_PARTS,
    NYQUIST,
    SHIFT_BITS,
    Integers,
    Layer,
    Line,
    turn_bits,
)
from cytopress.codecs.periodic_noise.native_cosines import CosineDecoder
from cytopress.errors import CorruptDataError
from cytopress.kernels import paths

# Magnitudes around a cosine by how many contexts they are told apart.
FIRST = 2**20
ACTIVITIES = (0, 1, 2, 4, 8, 16, FIRST - 1)
# Magnitudes up to this have decisions of their own.
UNARY = 14
# Probabilities that a magnitude is above 0, 1, 2 and more, by what is around it, out of 2 ** 16.
PRIORS = (
    (9800, 4000, 4000, 13000),
    (15900, 9200, 5000, 13000),
    (16700, 9700, 8000, 13000),
    (23700, 17200, 15000, 20000),
    (32400, 28000, 19400, 25700),
    (40500, 33700, 32300, 27000),
    (45300, 47000, 38500, 46300),
    (60200, EVEN, EVEN, EVEN),
)
EMPTY = np.zeros((0, 2), np.int64)
# Cosines of an encoder, how many, and whether all are real: those that are coded.
CosineCoder = Callable[[Integers, int, bool], Integers]


def pack_layer(layer: Layer) -> bytes:
    """Return a layer as bytes; none of a layer without lines."""
    if not layer.lines:
        return b""
    coder = BinaryEncoder()
    _code(coder, layer)
    return coder.bytes()


def take_layer(stream: bytes | memoryview, shape: tuple[int, ...]) -> Layer:
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
    step = _code_step(coder, layer.step)
    count = coder.number(max(len(layer.lines) - 1, 0), "count") + 1
    if count > MOST_LINES:
        raise CorruptDataError("The structured noise has more waves than any plane can have.")
    given = layer.lines or (Line(1, 0, 0, 0, EMPTY),) * count
    cosines = _cosine_coder(coder)
    lines = tuple(_code_line(coder, one, layer.shape, cosines) for one in given)
    return Layer(layer.shape, step, lines)


def _code_step(coder: BinaryCoder, step: int) -> int:
    """Code a step of `rounded_step`."""
    shift = coder.raw(max(step.bit_length() - MANTISSA_BITS, 0), SHIFT_BITS)
    return max(coder.raw(step >> shift, MANTISSA_BITS), 1) << shift


def _code_line(
    coder: BinaryCoder, line: Line, shape: tuple[int, ...], code_cosines: CosineCoder
) -> Line:
    along = coder.bit(line.along, "along")
    frequency = _code_turns(coder, line.frequency, shape[along])
    if frequency > NYQUIST:
        raise CorruptDataError("The structured noise has a frequency that no plane can have.")
    carrier, chirp, length = 0, 0, shape[1 - along]
    real = frequency in (0, NYQUIST)
    if not real:
        carrier = _code_turns(coder, line.carrier, length)
        chirp = coder.signed(line.chirp, "chirp")
    count = coder.number(len(line.cosines), "length")
    if count > length or count > MOST_PARTS:
        raise CorruptDataError("The structured noise has more parts than the plane has pixels.")
    cosines = code_cosines(line.cosines, count, real)
    return Line(along, frequency, carrier, chirp, cosines)


def _code_turns(coder: BinaryCoder, turns: int, length: int) -> int:
    """Code turns a pixel, as finely as so many pixels need."""
    bits = turn_bits(length)
    return coder.raw(turns >> FREQUENCY_BITS - bits, bits) << FREQUENCY_BITS - bits


def _cosine_coder(coder: BinaryCoder) -> CosineCoder:
    """Return what codes the cosines of waves: native code where there is some, and decodes."""
    if not isinstance(coder, BinaryDecoder) or paths.current(_known_answer) == paths.NUMPY:
        return functools.partial(_code_cosines, coder)
    decoder, decode = coder, CosineDecoder(PRIORS)
    return lambda _, count, real: decode(decoder, count, real=real)


def _code_cosines(coder: BinaryCoder, given: Integers, count: int, real: bool) -> Integers:  # noqa: FBT001
    """Code the cosines in order of frequency, each given the magnitudes of the two before."""
    values = given.tolist() or [[0, 0]] * count
    found = [[0, 0]] * count
    before, earlier = 0, 0
    for place in range(count):
        # The first is as large as all others: a number of its own, where it is not small.
        around = 2 * before + earlier if place else FIRST
        first = _code_value(coder, values[place][0], around)
        second = 0 if real else _code_value(coder, values[place][1], around + 2 * abs(first))
        found[place] = [first, second]
        before, earlier = abs(first) + abs(second), before
    return np.array(found, np.int64).reshape(count, 2)


def _code_value(coder: BinaryCoder, value: int, around: int) -> int:
    level = sum(around > most for most in ACTIVITIES)
    priors, most = PRIORS[level], UNARY if level < len(ACTIVITIES) else 1
    size, magnitude = 0, abs(value)
    while size < most and coder.bit(
        magnitude > size, level, min(size, 3), prior=priors[min(size, 3)]
    ):
        size += 1
    if size == most:
        size += coder.number(magnitude - most, "beyond", level)
    if size and coder.raw(value < 0, 1):
        return -size
    return size


def _known_answer(path: str) -> bool:
    """Return whether a path decodes what was encoded of a few cosines."""
    numbers = np.arange(60, dtype=np.int64) * 2654435761 % 2**32 - 2**31
    values = (numbers >> 14 + np.arange(60) % 18).reshape(30, 2)
    values[5:12] = 0
    lines = Line(1, 70000, 99, 3, values[:18]), Line(0, 0, 0, 0, values[18:] * np.array([1, 0]))
    layer = Layer((64, 96), 3, lines)
    with paths.using(path):
        found = take_layer(pack_layer(layer), layer.shape)
    pairs = zip(layer.lines, found.lines, strict=True)
    return all(np.array_equal(one.cosines, other.cosines) for one, other in pairs)
