import numpy as np
import pytest

from cytopress.kernels import threads
from cytopress.kernels.cosine_sums import cosine_sums

pytestmark = pytest.mark.both_numpy


@pytest.mark.parametrize(("length", "count", "columns"), [(1, 1, 2), (37, 9, 1), (700, 30, 2)])
@pytest.mark.parametrize("number", [1, 3])
def test_sums_are_those_of_the_definition(
    path: str, length: int, count: int, columns: int, number: int
) -> None:
    random = np.random.default_rng(length)
    table = random.integers(-(2**14), 2**14 + 1, 4 * length).astype(np.int16)
    used = np.sort(random.choice(length, count, replace=False)).astype(np.int64)
    factors = random.integers(-(2**33), 2**33, (count, columns))
    expected = [
        [
            sum(
                int(table[(2 * row + 1) * int(k) % (4 * length)]) * int(by)
                for k, by in zip(used, factors[:, column], strict=True)
            )
            for column in range(columns)
        ]
        for row in range(length)
    ]
    with threads.using(number):
        assert cosine_sums(table, used, factors).tolist() == expected


def test_no_cosines_are_zeros(path: str) -> None:
    none = np.empty(0, np.int64)
    assert not cosine_sums(np.ones(20, np.int16), none, none.reshape(0, 2)).any()


def test_other_types_and_shapes_are_refused(path: str) -> None:
    used, factors = np.arange(3), np.ones((3, 2), np.int64)
    for table, of in ((np.ones(20), factors), (np.ones(21, np.int16), factors)):
        with pytest.raises(ValueError, match="cannot be summed"):
            cosine_sums(table, used, of)
    with pytest.raises(ValueError, match="cannot be summed"):
        cosine_sums(np.ones(20, np.int16), used, factors[:2])
