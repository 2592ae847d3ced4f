from __future__ import annotations

import numpy as np
import pytest

from cytopress.errors import NotAvailableError
from cytopress.metrics import metric


def test_as_in_numpy(reference, test_image, data_range) -> None:
    expected = np.corrcoef(reference.ravel(), test_image.ravel())[0, 1]
    assert metric("pearson")(reference, test_image, data_range) == pytest.approx(
        expected, rel=1e-12
    )


def test_gain_and_offset_do_not_matter_but_sign_does() -> None:
    x = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    assert metric("pearson")(x, 3 * x + 7, 1.0) == pytest.approx(1, abs=1e-6)
    assert metric("pearson")(x, 7 - x, 1.0) == pytest.approx(-1, abs=1e-6)


def test_tiny_and_huge_floats() -> None:
    x = np.random.default_rng(0).random((20, 20))
    tiny, huge = (x * 1e-38).astype(np.float32), (x * 3e38).astype(np.float32)
    assert metric("pearson")(tiny, huge, 1.0) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("constant", ["reference", "test"])
def test_constant_image_is_refused(constant: str) -> None:
    varied, flat = np.arange(16, dtype=np.uint8).reshape(4, 4), np.full((4, 4), 7, np.uint8)
    images = (flat, varied) if constant == "reference" else (varied, flat)
    with pytest.raises(NotAvailableError, match=f"the {constant} is constant"):
        metric("pearson")(*images, 255)
