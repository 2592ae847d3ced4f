"""Reuse between encodes: the same results, made once, and only within a search."""

import time

import numpy as np
import pytest

from cytopress.reuse import Reuse, reused, reusing


class Doubling:
    """A step of an encode that takes a while, and counts how often it was done."""

    def __init__(self) -> None:
        self.done = 0

    def of(self, value: np.ndarray) -> np.ndarray:
        def make() -> np.ndarray:
            self.done += 1
            time.sleep(0.01)
            return value * 2

        return reused("doubled", [value], make)


def test_equal_inputs_are_worked_on_once_and_the_time_spared_is_told() -> None:
    step, results = Doubling(), Reuse()
    with reusing(results):
        first = step.of(np.arange(5))
        assert results.spared_s == 0
        assert step.of(np.arange(5)) is first
    np.testing.assert_array_equal(first, [0, 2, 4, 6, 8])
    assert step.done == 1
    assert 0.01 <= results.spared_s < 0.1
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


@pytest.mark.parametrize(
    "other", [np.arange(1, 6), np.arange(5, dtype=np.int32), np.arange(5).reshape(1, 5)]
)
def test_other_values_types_or_shapes_are_other_inputs(other: np.ndarray) -> None:
    step = Doubling()
    with reusing(Reuse()):
        step.of(np.arange(5))
        np.testing.assert_array_equal(step.of(other), other * 2)
    assert step.done == 2


def test_nothing_is_kept_outside_and_no_more_than_fits() -> None:
    step, results = Doubling(), Reuse(most_bytes=100)
    step.of(np.arange(5))
    step.of(np.arange(5))
    assert step.done == 2
    with reusing(results):
        for start in (0, 1, 2, 2, 0):
            step.of(np.arange(start, start + 5))
    # Of three results of 40 bytes, two are kept.
    assert step.done == 2 + 3 + 1
