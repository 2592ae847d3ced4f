"""Whatever the extension is given is an error or right: it reads and writes within its arrays."""

import random
from typing import Any

import numpy as np
import pytest

from cytopress.kernels import extension, paths

pytestmark = pytest.mark.skipif(extension.native() is None, reason="nothing was compiled")
SETS = [paths.NUMBERS[path] for path in paths.available() if path != paths.NUMPY]


def arguments() -> dict[str, list[Any]]:
    """Return arguments that fit, by function."""
    cdf = np.array([[0, 5, 2**24, 2**24], [0, 1, 2, 2**24]], np.uint32)
    size, offset = np.array([2, 3], np.int32), np.array([0, -1], np.int32)
    coarse = np.zeros((2, 2**10), np.uint16)
    rows = np.array([0, 1, 1, 0], np.uint8)
    number = SETS[0]
    pixels, latents = np.zeros((24, 32), np.int32), np.zeros((2, 3, 64), np.int32)
    kernel, order = np.ones((8, 16), np.int16), np.arange(64, dtype=np.int32)
    wide, places = np.ones((2, 4, 9), np.int32)[..., 2:7], np.array([7, 0, 3], np.int32)
    tables = extension.loaded().rans_tables(cdf, size, offset, coarse)
    sorted_ = extension.loaded().rans_order(4)
    extension.loaded().rans_sort(sorted_, rows, (0, 1))
    first, last = (9, 0, 2**15 - 1, 2**15), (7, -(2**28), 2**28, 2**15)

    def layer(inputs: int, outputs: int, numbers: tuple[int, ...], side: int = 1) -> Any:
        form = -(-outputs // 16), side, side, -(-inputs // 2), 16, 2
        bias = np.zeros(form[0] * 16, np.int32)
        return np.ones(form, np.int16), bias, (inputs, outputs, side, side // 2), numbers

    layers = [
        (np.ones((1, 1, 1, 32, 16, 2), np.int16), np.zeros(16, np.int32), (64, 12, 1, 0), first),
        (np.ones((4, 3, 3, 6, 16, 2), np.int16), np.zeros(64, np.int32), (12, 64, 3, 1), last),
    ]
    return {
        "plane": [
            number, latents, np.ones(64, np.int64), tuple(layers), kernel, kernel, order,
            np.ones((2, 23), np.int64), np.array([0] * 9 + [1] * 6, np.int32),
            np.ones(15, np.int32), np.zeros((15, 23), np.uint16), (2, 3), (20, 5), (8, 14, 14),
            (15, 23), (2, 8, 12), (15, 9, 9, 999), (0, 2),
        ],
        "context_step": [
            number, wide, places, np.ones((2, 4, 6), np.int32), np.ones((2, 4, 9), np.int32),
            np.ones((2, 4, 9), np.int32), np.array([(0, 1), (-1, 0)], np.int32), 4,
            layer(10, 6, first), layer(10, 9, last), layer(6, 9, last), (0, 3),
        ],
        "shuffled_convolutions": [
            number, np.ones((3, 4, 5), np.int32),
            ((layer(5, 28, first, 3), 2), (layer(7, 3, first), 1)),
            (layer(3, 9, last), layer(3, 17, last)),
            (np.zeros((6, 8, 9), np.int32), np.zeros((6, 8, 17), np.int32)),
            (3, 4, 5, 2**14), (0, 3),
        ],
        "binary_cosines": [
            np.arange(40, dtype=np.uint8), np.array([4, 2**32 - 1, 2**31 - 5]),
            np.full((8 * 46, 2), (2**15, 0), np.int32), np.zeros((9, 2), np.int64), 0,
        ],
        "cosine_sums": [
            np.ones(4 * 7, np.int16), np.array([0, 3, 6]), np.ones((3, 2), np.int64),
            np.zeros((7, 2), np.int64), (7, 2), (0, 7),
        ],
        "convolve": [
            number, np.ones((5, 6, 4), np.int16), np.ones((1, 3, 3, 2, 16, 2), np.int16),
            np.zeros(16, np.int32), np.ones((5, 6, 9), np.int16), np.zeros((5, 6, 9), np.int16),
            (5, 6, 4, 5, 6, 9, 3, 1, 1), (4, -9, 9, 100, 2, 2), (0, 5),
        ],
        "lapped_synthesis": [
            number, latents, kernel, kernel, order, np.zeros((16, 24), np.int32),
            (2, 3, 8, 14, 14, 64), (0, 2),
        ],
        "lapped_analysis": [
            number, pixels, kernel, kernel, order, latents, (2, 3, 8, 14, 14, 64), (0, 2),
        ],
        "add_blocks": [
            number, wide, places, np.ones((3, 5), np.int32), np.array([0, 1, 2], np.int8),
            np.ones((2, 1, 3, 16, 2), np.int16), (2, 6, 8, 99), (0, 3),
        ],
        "activity": [
            number, wide, places, np.ones(5, np.int32), np.zeros(3, np.int8),
            np.zeros((3, 5), np.uint8), (9, 9, 9), (8, 55), (0, 3),
        ],
        "table_rows": [
            number, wide, places, np.ones((2, 5), np.int32), np.array([0, 1, 1], np.int8),
            np.zeros((3, 5), np.uint8), (8, 55, 1), (0, 3),
        ],
        "add_values": [number, wide, places, np.ones((3, 5), np.int32), (0, 3)],
        "neighborhoods": [
            number, wide, places, np.array([(0, 1), (-1, 9)], np.int32),
            np.zeros((3, 2, 5), np.int16), np.zeros((3, 2, 5), np.int16), 4, (0, 3),
        ],
        "dequantized": [
            number, wide, np.ones(5, np.int64), np.zeros((2, 4, 5), np.int32),
            np.zeros((2, 4, 5), np.int16), (20, 3), (0, 8),
        ],
        "pixel_rows": [
            number, np.ones((4, 7), np.int32), np.ones((2, 6), np.int64),
            np.array([0, 0, 1, 1], np.int32), np.array([-3, -1, 1, 3], np.int32),
            np.zeros((4, 6), np.uint16), (4, 6, 7), (2, 8, 12), (15, 9, 9, 999), (0, 4),
        ],
        "rans_tables": [cdf, size, offset, coarse],
        "rans_order": [2**18 + 7],
        "rans_sort": [sorted_, rows, (0, 1)],
        "rans_decode": [
            rows, tables, sorted_, np.array([7, 8, 9], np.uint32), np.array([0, 2]),
            np.array([2, 3]), np.array([5, 6], np.uint64), np.zeros((2, 1), np.int64),
            np.zeros(4, np.int32), (0, 2),
        ],
        "rans_encode": [
            np.array([1, 2, 0, 0], np.uint16), rows, tables, np.zeros(2, np.uint64),
            np.zeros(2 * 258, np.uint32), np.zeros(2, np.int64),
        ],
        "rans_symbols": [
            np.array([1, -9, 0, 0], np.int32), rows, tables, np.zeros(4, np.uint16),
            np.zeros(4, np.int32),
        ],
        "cheapest": [
            number, np.ones((3, 5), np.int32), np.ones((3, 5), np.int32),
            np.array([-1, 0, 1], np.int8), np.ones((2, 1, 3, 16, 2), np.int16),
            np.zeros((2, 5), np.int32), np.ones((4, 256), np.uint32), np.ones((2, 3), np.int32),
            np.zeros(3, np.int8), (2, 5, 14, 2000), (0, 3),
        ],
        "forward": [
            number, np.ones((3, 5), np.int32), np.array([0, 1, 2], np.int8),
            np.ones((2, 1, 3, 16, 2), np.int16), (2, 5, 14), (0, 3),
        ],
        "quantized": [
            number, np.ones(4, np.int32), rows, np.ones((4, 256), np.uint32), np.zeros(4, np.int32),
            2000, (0, 4),
        ],
        "fractions": [
            number, np.ones(9, np.uint16), np.zeros(9, np.int32), (3, 2**40, 2**25, 2), (0, 9),
        ],
        "narrowed": [number, np.ones(9, np.int32), np.zeros(9, np.int16), 5, (0, 9)],
        "subtract_lines": [
            number, np.ones((3, 4), np.int32), np.ones((2, 4), np.int64),
            np.array([0, 1, 1], np.int32), np.ones(3, np.int32), (8, 6), (0, 3),
        ],
        "stack_product": [
            number, (np.ones((9, 40), np.int32), np.ones((9, 40), np.int32)),
            np.ones((4, 3, 2), np.int16), np.zeros((3, 32), np.int32),
            np.zeros((4, 9, 32), np.int32),
            (9, 40, 3, 32, 4, 14), (0, 9),
        ],
    }  # fmt: skip


EXTREMES = -1, 0, 1, 2, 17, 2**15, 2**16, 2**24 + 1, 2**31 - 1, -(2**31)


def changed(value: Any, draw: random.Random) -> Any:
    """Return another value: a larger number, a shorter array, one with other numbers."""
    if isinstance(value, int):
        return draw.choice(EXTREMES)
    if isinstance(value, tuple) and value:
        at = draw.randrange(len(value))
        if draw.random() < 0.1:
            return value[:at] + value[at + 1 :]
        other = changed(value[at], draw) if isinstance(value[at], np.ndarray) else None
        other = draw.choice(EXTREMES) if other is None else other
        return tuple(other if n == at else v for n, v in enumerate(value))
    if isinstance(value, np.ndarray):
        return changed_array(value, draw)
    return draw.choice((None, 7, np.ones(3, np.int16), np.full(3, 2**30, np.int32)))


def changed_array(value: np.ndarray, draw: random.Random) -> np.ndarray:
    if value.ndim == 3 and draw.random() < 0.3:
        # Views of other strides.
        other = value[::-1], value[:, ::2], value[..., ::-1], value[:0], value[..., :1]
        return draw.choice(other)
    kind = draw.randrange(4) if value.size else 1
    if kind == 0:
        return value.reshape(-1)[: draw.randrange(value.size + 1)].copy()
    if kind == 1:
        return np.resize(value, value.size + 1)
    limits = np.iinfo(value.dtype)
    out = value.copy()
    drawn = [draw.choice((limits.min, limits.max, 1, draw.randint(limits.min, limits.max)))]
    out.reshape(-1)[draw.randrange(out.size) :: draw.choice((1, 3, out.size))] = drawn[0]
    return out if kind == 2 else out.astype(np.int8)


@pytest.mark.parametrize("name", arguments())
def test_arguments_that_fit_are_taken(name: str) -> None:
    getattr(extension.loaded(), name)(*arguments()[name])


@pytest.mark.parametrize("name", arguments())
def test_arguments_that_do_not_fit_are_refused(name: str) -> None:
    """Each call has one or two arguments changed at random."""
    call, refused = getattr(extension.loaded(), name), 0
    for seed in range(1000):
        draw = random.Random(seed)
        given = arguments()[name]
        for _ in range(draw.choice((1, 1, 2))):
            at = draw.randrange(len(given))
            given[at] = changed(given[at], draw)
        try:
            call(*given)
        except (ValueError, TypeError, OverflowError):
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("number", [-1, 5, 2**20])
def test_an_instruction_set_that_does_not_exist_is_refused(number: int) -> None:
    for name in ("convolve", "dequantized", "add_blocks", "lapped_analysis"):
        given = arguments()[name]
        given[0] = number
        with pytest.raises(ValueError, match="do not fit"):
            getattr(extension.loaded(), name)(*given)
