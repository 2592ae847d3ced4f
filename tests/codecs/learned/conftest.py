"""Small packages that `make_packages.py` made, and images for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.learned.entropy.probability_tables import PRECISION, ProbabilityTables
from cytopress.image import Image
from cytopress.models.model_package import Package, open_package

HERE = Path(__file__).parent
NAMES = (
    "tiny",
    "tiny-hyperprior",
    "tiny-factorized",
    "tiny-context",
    "tiny-around",
    "tiny-turned",
)


@pytest.fixture(scope="session")
def tiny() -> Package:
    """Return a mean-scale model with three gain nodes."""
    return open_package(HERE / "tiny.cytomodel")


@pytest.fixture(scope="session", params=NAMES)
def package(request: pytest.FixtureRequest) -> Package:
    """Return a package of each architecture."""
    return open_package(HERE / f"{request.param}.cytomodel")


@pytest.fixture(scope="session")
def random_tables() -> ProbabilityTables:
    """Return tables of unequal sizes, some with a symbol of nearly every probability."""
    random = np.random.default_rng(3)
    rows = []
    for size in (2, 3, 17, 300, 2000, 40, 5):
        weights = random.random(size) ** 8 + 1e-9
        counts = np.floor(weights / weights.sum() * (2**PRECISION - size)).astype(np.int64) + 1
        counts[random.integers(size)] += 2**PRECISION - counts.sum()
        rows.append(np.concatenate(([0], np.cumsum(counts))))
    size = np.array([len(row) - 1 for row in rows])
    cdf = np.full((len(rows), size.max() + 1), 2**PRECISION)
    for row, counts in zip(cdf, rows, strict=True):
        row[: len(counts)] = counts
    return ProbabilityTables(cdf, size, random.integers(-20, 20, len(rows)))


@pytest.fixture(scope="session")
def cells() -> Image:
    """Return a smooth field with noise, 12-bit counts, of a size that no stride divides."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[:203, :181]
    field = 900 + 300 * np.sin(y / 17) * np.cos(x / 23) + random.normal(0, 12, y.shape)
    return Image(np.clip(field, 0, 4095).astype(np.uint16), bits=12)
