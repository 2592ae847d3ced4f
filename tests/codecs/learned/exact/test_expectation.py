"""What is expected of a plane's qualities is near to what coding gives, and in order."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.container.container import Form
from cytopress.codecs.learned.exact import expectation
from cytopress.codecs.spec import codec
from cytopress.image import Image


@pytest.fixture(scope="module")
def field() -> Image:
    """Return smooth cells under noise, with counts of 14 bits."""
    random = np.random.default_rng(11)
    y, x = np.mgrid[:256, :256]
    light = 3000 + 2500 * np.sin(y / 9) * np.sin(x / 13) ** 3
    counts = light + random.normal(0, 60, light.shape)
    return Image(np.clip(np.rint(counts), 0, 2**14 - 1).astype(np.uint16), bits=14)


@pytest.mark.parametrize("quality", [0.4, 0.6, 0.8])
def test_bytes_and_errors_are_those_of_coding_within_a_half(field: Image, quality: float) -> None:
    learned = codec("learned/cytopress-2d:quality=0.5").adapter(quality)
    expected = learned.expected(field)
    size, error = np.exp(expected.at(quality))
    coded = learned.compress(field)
    decoded = learned.decompress(coded, Form.of(field)).astype(float)
    assert 1 / 1.5 < size / len(coded) < 1.5
    assert 1 / 1.5 < error / np.mean((decoded - field.pixels) ** 2) < 1.5


def test_finer_settings_take_more_bytes_and_leave_less_error(cells: Image) -> None:
    expected = codec("learned/cytopress-2d:quality=0.5").adapter(0.5).expected(cells)
    assert expected is not None
    assert (np.diff(expected.sizes) >= 0).all()
    assert (np.diff(expected.errors) <= 0).all()
    assert expected.out_of_band[0] < expected.out_of_band[1]


def test_nothing_is_expected_of_a_constant_plane(model) -> None:  # type: ignore[no-untyped-def]
    assert expectation.expected(model, Image(np.full((40, 40), 7, np.uint16))) is None


def test_nothing_is_expected_of_a_volume() -> None:
    learned = codec("learned/cytopress-2d:quality=0.5").adapter(0.5)
    assert learned.expected(Image(np.zeros((2, 40, 40), np.uint16))) is None
