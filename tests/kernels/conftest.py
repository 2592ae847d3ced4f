"""Every test of a kernel runs on every path that this machine can take."""

from collections.abc import Iterator

import pytest

from cytopress.kernels import paths


@pytest.fixture(params=paths.available())
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Take one path."""
    with paths.using(request.param):
        yield request.param
