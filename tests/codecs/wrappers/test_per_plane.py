"""A stack of planes is what its planes are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.container.container import Form
from cytopress.codecs.container.wire import join_streams, split_streams
from cytopress.codecs.registry import decode
from cytopress.codecs.wrappers import PerPlane
from cytopress.errors import CorruptDataError, UnsupportedImageError
from cytopress.image import Image, Pixels

STACK = np.random.default_rng(3).integers(0, 900, (4, 6, 5), dtype=np.uint16)


def test_each_plane_is_coded_as_it_would_be_alone() -> None:
    image = Image(STACK, bits=10, spacing_um=(0.3, 0.1, 0.1))
    codec = PerPlane(JpegLS(near=2))
    planes = split_streams(codec.compress(image), 4)
    assert planes == [JpegLS(near=2).compress(Image(plane, bits=10)) for plane in STACK]
    back = decode(codec.encode(image))
    assert (back.axes, back.bits, back.spacing_um) == ("ZYX", 10, (0.3, 0.1, 0.1))
    assert np.abs(back.pixels.astype(int) - STACK).max() == 2


def test_planes_alone_and_what_the_codec_inside_refuses_are_refused() -> None:
    with pytest.raises(UnsupportedImageError, match="3D"):
        PerPlane(JpegLS()).check(Image(STACK[0]))
    with pytest.raises(UnsupportedImageError, match="near"):
        PerPlane(JpegLS(near=200)).check(Image(STACK.astype(np.uint8)))


def test_a_plane_of_another_shape_is_not_spread_over_the_stack(rounding) -> None:
    """NumPy would broadcast one value over a whole plane, and nobody would know."""
    one = rounding().compress(Image(STACK[0, :1, :1]))

    class Wrong(rounding):
        def decompress(self, stream: bytes, form: Form) -> Pixels:
            return super().decompress(stream, replace(form, shape=(1, 1)))

    with pytest.raises(CorruptDataError, match="promised"):
        PerPlane(Wrong()).restore(join_streams([one] * 4), Form.of(Image(STACK)))
