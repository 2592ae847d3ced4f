"""The guard's bound holds over any codec, and costs next to nothing over a good one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cytopress.codecs.adapters.jpeg2000 import Jpeg2000
from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.container.container import Form
from cytopress.codecs.registry import decode
from cytopress.codecs.wrappers import Guarded, Rescaled
from cytopress.errors import UnsupportedImageError, UsageError
from cytopress.image import Image

pytestmark = pytest.mark.both_numpy

PIXELS = st.sampled_from([np.uint8, np.uint16]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
)


@settings(max_examples=60, deadline=None)
@given(pixels=PIXELS, bound=st.integers(0, 300), shift=st.integers(-70000, 70000))
def test_the_bound_holds_over_a_codec_that_is_far_off(rounding, pixels, bound, shift) -> None:
    image, codec = Image(pixels), Guarded(rounding(step=900, shift=shift), max_error=bound)
    decoded = codec.decompress(codec.compress(image), Form.of(image))
    assert np.abs(decoded.astype(int) - pixels).max() <= bound
    assert decoded.dtype == pixels.dtype


def test_nothing_is_paid_where_the_codec_keeps_the_bound(micrograph: Image) -> None:
    bare = JpegLS(near=3)
    assert (
        len(Guarded(bare, max_error=3).compress(micrograph)) <= len(bare.compress(micrograph)) + 4
    )


def test_a_guard_of_zero_makes_any_codec_lossless(micrograph: Image) -> None:
    codec = Guarded(JpegLS(near=9), max_error=0)
    assert codec.lossless
    assert decode(codec.encode(micrograph)) == micrograph


def test_a_count_is_kept_in_reserve_where_another_machine_may_be_off_by_one(
    micrograph: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = Guarded(Jpeg2000(level=30), max_error=5)
    stream, honest = codec.compress(micrograph), Jpeg2000.decompress
    for off in (-1, 0, 1):
        monkeypatch.setattr(
            Jpeg2000,
            "decompress",
            lambda *a, off=off: (honest(*a).astype(int) + off).astype(np.uint16),
        )
        monkeypatch.setattr(Jpeg2000, "restore", lambda codec, *a: Image(codec.decompress(*a)))
        back = codec.decompress(stream, Form.of(micrograph)).astype(int)
        assert np.abs(back - micrograph.pixels).max() <= 5
    with pytest.raises(UsageError, match="off by one"):
        Guarded(Rescaled(Jpeg2000(level=30)), max_error=0)
    assert Guarded(Jpeg2000(), max_error=0).lossless


def test_it_refuses_what_it_cannot_bound() -> None:
    with pytest.raises(UnsupportedImageError, match="float32"):
        Guarded(JpegLS()).check(Image(np.zeros((2, 2), np.float32)))
    for wrong in (-1, 1.5, 70000):
        with pytest.raises(UsageError, match="whole number"):
            Guarded(JpegLS(), max_error=wrong)
