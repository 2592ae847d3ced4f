"""The error that a codec leaves at other bytes is read off its own curve."""

from __future__ import annotations

import math

import pytest

from cytopress.codecs.targets.rate_curve import Point, error_at
from cytopress.codecs.traits import QualityParameter

LINEAR = QualityParameter("quality", "of 1", 0, 1, finer="higher", scale="linear")
LOG = QualityParameter("step", "counts", 0.1, 100, finer="lower")
WHOLE = QualityParameter("near", "counts of error", 1, 255, finer="lower", integer=True)


def curve(parameter: QualityParameter, value: float) -> Point:
    """A codec whose bytes grow tenfold from coarsest to finest, its error as bytes^-1.5."""
    size = round(100_000 * 10 ** parameter.position_of(value))
    return Point(size, 1e9 * size**-1.5)


@pytest.mark.parametrize("parameter", [LINEAR, LOG, WHOLE])
@pytest.mark.parametrize("share", [0.3, 0.99, 1.01, 2.5])
def test_the_error_at_other_bytes_is_that_of_the_curve(
    parameter: QualityParameter, share: float
) -> None:
    native = parameter.value_at(0.5)
    here, tried = curve(parameter, native), []

    def coded(value: float) -> Point:
        tried.append(value)
        return curve(parameter, value)

    wanted = round(here.size * share)
    found = error_at(wanted, here, parameter, native, coded)
    assert found == pytest.approx(1e9 * wanted**-1.5, rel=1e-3)
    assert len(tried) <= 2
    # Towards the bytes that are wanted, and no setting twice.
    assert all((curve(parameter, one).size > here.size) == (share > 1) for one in tried)
    assert len({native, *tried}) == len(tried) + 1


def test_a_curve_that_bends_is_followed_to_the_bytes() -> None:
    def bent(value: float) -> Point:
        size = round(1000 * math.exp(4 * value))
        return Point(size, 50 / (1 + (size / 5000) ** 2))

    here = bent(0.4)
    for wanted in (1500, 3000, 9000, 20000):
        found = error_at(wanted, here, LINEAR, 0.4, bent)
        assert found == pytest.approx(50 / (1 + (wanted / 5000) ** 2), rel=0.05)


def test_the_coarsest_setting_and_disorder_tell_nothing() -> None:
    here = curve(LINEAR, 0.0)
    assert error_at(here.size // 2, here, LINEAR, 0.0, lambda v: curve(LINEAR, v)) is None
    same = Point(1000, 5.0)
    assert error_at(2000, same, LINEAR, 0.5, lambda _: same) is None
    assert error_at(2000, same, LINEAR, 0.5, lambda _: Point(1100, 6.0)) is None


@pytest.mark.parametrize("parameter", [LINEAR, LOG])
def test_positions_and_values_are_inverse(parameter: QualityParameter) -> None:
    for place in (0.0, 0.25, 0.9, 1.0):
        assert parameter.position_of(parameter.value_at(place)) == pytest.approx(place, abs=1e-3)
