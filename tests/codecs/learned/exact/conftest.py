"""The small package of format 2 that `make_exact_package.py` made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.learned.exact.load import open_exact
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.image import Image
from cytopress.kernels import paths
from cytopress.models.model_package import Package, open_package


@pytest.fixture(scope="session")
def package() -> Package:
    """Return the package."""
    return open_package(Path(__file__).parent / "tiny-exact.cytomodel")


@pytest.fixture(scope="session")
def model(package: Package) -> ExactModel:
    """Return it opened."""
    return open_exact(package)


@pytest.fixture(params=paths.available())
def path(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """Take each path of the kernels that this machine has."""
    with paths.using(request.param):
        yield request.param


@pytest.fixture(scope="session")
def cells() -> Image:
    """Return a smooth field with noise, 12-bit counts, of a size that no stride divides."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[:203, :181]
    field = 900 + 300 * np.sin(y / 17) * np.cos(x / 23) + random.normal(0, 12, y.shape)
    return Image(np.clip(field, 0, 4095).astype(np.uint16), bits=12)
