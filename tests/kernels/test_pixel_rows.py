import numpy as np
import pytest

from cytopress.kernels import threads
from cytopress.kernels.pixel_rows import Counts, Lines, counts

pytestmark = pytest.mark.both_numpy
EXTREMES = np.array([-(2**31), 2**31 - 1, -1, 0, 1, 2**15, -(2**15)], np.int32)


def numbers(shape: tuple[int, int]) -> np.ndarray:
    random = np.random.default_rng(shape[1])
    drawn = random.integers(-(2**28), 2**28, shape) >> random.integers(0, 28, shape)
    return drawn.astype(np.int32)


def shifted(value: int, shift: int) -> int:
    """Round to the nearest, halves up, in Python's own integers."""
    return (value + (1 << shift >> 1)) >> shift


@pytest.mark.parametrize("most", [255, 4095, 65535])
@pytest.mark.parametrize(
    ("span", "middle", "shift"), [(65535, 65535, 0), (1, 0, 1), (900, 30000, 15)]
)
def test_counts_are_rounded_and_clipped(
    path: str, most: int, span: int, middle: int, shift: int
) -> None:
    values = numbers((8, 40))
    values[3, :7] = EXTREMES
    out = np.empty((8, 33), np.uint8 if most < 256 else np.uint16)
    with threads.using(2):
        counts(values, Counts(span, middle, shift, most), out)
    expected = [
        min(max(middle + shifted(int(v) * span, shift), 0), most) for v in values[:, :33].ravel()
    ]
    assert out.ravel().tolist() == expected


@pytest.mark.parametrize("number", [1, 3])
def test_a_background_is_added(path: str, number: int) -> None:
    random = np.random.default_rng(1)
    values = numbers((20, 19))
    lines = random.integers(-(2**38), 2**38, (4, 17))
    # Rows that go on by other steps than a plane's, too.
    above = np.array([0] * 5 + [1] * 3 + [0] * 2 + [3] * 4 + [2] * 6, np.int32)
    below = np.array([-3, -1, 1, 3, 5, 0, 7, 8, *range(-10, 2)], np.int32)
    smooth = Lines(lines, above, below, 64, 20)
    out = np.empty((20, 17), np.uint16)
    with threads.using(number):
        counts(values, Counts(700, 9000, 15, 65535), out, smooth)
    for y in range(20):
        line, behind = lines[above[y]], lines[min(above[y] + 1, 3)]
        for x in range(17):
            sums = int(line[x]) * 64 + (int(behind[x]) - int(line[x])) * int(below[y])
            value = int(values[y, x]) + shifted(sums, 20)
            assert out[y, x] == min(max(9000 + shifted(value * 700, 15), 0), 65535)


def test_other_types_and_shapes_are_refused(path: str) -> None:
    rounding, out = Counts(9, 9, 9, 255), np.empty((3, 4), np.uint8)
    for values in (np.zeros((3, 4)), np.zeros((3, 3), np.int32), np.zeros((4, 4), np.int32)):
        with pytest.raises(ValueError, match="cannot be"):
            counts(values, rounding, out)
    with pytest.raises(ValueError, match="cannot be"):
        counts(np.zeros((3, 4), np.int32), rounding, out.astype(np.uint16))
    with pytest.raises(ValueError, match="cannot be rounded"):
        Counts(2**16, 0, 0, 255)
