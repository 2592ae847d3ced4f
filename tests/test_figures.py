"""Numbers in sentences have no exponent."""

from __future__ import annotations

import pytest

from cytopress.figures import figure, ratio_text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.04, "1.0x"), (2.66, "2.7x"), (9.96, "10x"), (40.4, "40x"), (1234.4, "1,234x")],
)
def test_ratios(ratio: float, text: str) -> None:
    assert ratio_text(ratio) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.01234"), (41.3954, "41.4"), (999.96, "1000"), (12344.0, "12,340"), (0.0, "0")],
)
def test_figures(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123, "0.012"), (9.96, "10"), (99.9, "100"), (146.0, "150")]
)
def test_figures_of_two_digits(value: float, text: str) -> None:
    assert figure(value, 2) == text
