"""The simulation of bench/intervals.py in a small form: the promise that the docs make."""

from __future__ import annotations

import math
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
BENCH = runpy.run_path(str(ROOT / "bench" / "intervals.py"), run_name="bench")
NORMAL, EXPONENTIAL = "normal (0)", "exponential (2)"
DATA_SETS = 2000


DESIGNS = [
    {"fields": 10},
    {"fields": 20},
    {"groups": 8},
    {"groups": 12},
    {"fields": 10, "seeds": 3},
    {"groups": 8, "seeds": 3},
]
# Those of every run: no skew and much of it, fields and groups, one training and several.
ALWAYS = [(NORMAL, DESIGNS[0]), (EXPONENTIAL, DESIGNS[2]), (EXPONENTIAL, DESIGNS[5])]
CASES = [
    pytest.param(law, design, marks=() if (law, design) in ALWAYS else pytest.mark.slow)
    for law in (NORMAL, "lognormal, sigma 0.5 (1.8)", EXPONENTIAL)
    for design in DESIGNS
]


@pytest.mark.parametrize(("law", "study"), CASES, ids=str)
def test_coverage_and_false_claims(law: str, study: dict[str, int]) -> None:
    found = BENCH["simulate"](BENCH["Design"](law, **study), DATA_SETS, 2000)
    # Three standard errors of the simulation.
    assert found.covered > 0.93 - 3 * math.sqrt(0.93 * 0.07 / DATA_SETS)
    assert found.covered < 0.97 + 3 * math.sqrt(0.97 * 0.03 / DATA_SETS)
    assert found.false_claims < 0.05 + 3 * math.sqrt(0.05 * 0.95 / DATA_SETS)


def test_the_simulation_sees_an_interval_that_is_too_narrow() -> None:
    """Student's, on what few fields lose: it would fail above."""
    design = BENCH["Design"](EXPONENTIAL, fields=10)
    values = design.losses(np.random.default_rng(0), DATA_SETS)[:, 0]
    low, high = BENCH["other_methods"](values, 0.025)["Student"]
    assert np.mean((low <= 0) & (high >= 0)) < 0.92


def test_losses_are_of_mean_zero_and_spread_one() -> None:
    for name, draw in BENCH["LAWS"].items():
        losses = draw(np.random.default_rng(0), (400_000,))
        assert losses.mean() == pytest.approx(0, abs=0.01), name
        assert losses.std() == pytest.approx(1, abs=0.05), name


def test_the_page_keeps_its_promise() -> None:
    """Every row of the table that the text speaks for is inside what it says."""
    rows = page_rows()
    promised = [row for row in rows if row["units"] not in ("5 fields", "5 groups")]
    promised = [row for row in promised if "sigma 1" not in row["law"]]
    assert len(promised) > 40
    for row in promised:
        assert 93 <= float(row["covers"]) <= 97, row
        assert float(row["false"]) <= 5 + 3 * 0.22, row


@pytest.mark.long
def test_the_page_is_up_to_date() -> None:
    row = next(r for r in page_rows() if (r["units"], r["law"]) == ("8 groups", NORMAL))
    found = BENCH["simulate"](BENCH["Design"](NORMAL, groups=8))
    # Another processor may round a few data sets to the other side.
    assert float(row["covers"]) == pytest.approx(100 * found.covered, abs=0.15)
    assert float(row["width"]) == pytest.approx(found.width, abs=0.02)


def page_rows() -> list[dict[str, str]]:
    text = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    table = text.split(BENCH["START"])[1].split(BENCH["END"])[0]
    pattern = (
        r"\| (?P<units>\d+ \w+) \| (?P<seeds>\d) \| (?P<law>[^|]+) \| (?P<covers>[\d.]+)% \|"
        r" [\d.]+% \| [\d.]+% \| (?P<false>[\d.]+)% \| (?P<width>[\d.]+) \|"
    )
    return [found.groupdict() for found in re.finditer(pattern, table)]
