import numpy as np
import pytest

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.jpegxl import JpegXL
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.wrappers import Guarded, PerPlane, Rescaled, Tiled, Wavelet
from cytopress.codecs.wrappers.range_mapping import RangeMapping
from cytopress.codecs.wrappers.rescaled import Stretched
from cytopress.errors import UsageError

MAPPING = RangeMapping(0, 9, 9)


@pytest.mark.parametrize("codec", [JpegXL(distance=1.0), JpegXL(), JpegLS(near=2)])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda codec: Guarded(codec, max_error=3),
        PerPlane,
        Rescaled,
        Tiled,
        lambda codec: Stretched(codec, MAPPING, np.dtype(np.uint8), 8),
        lambda codec: Tiled(Guarded(PerPlane(codec), max_error=3)),
    ],
)
def test_a_wrapper_is_as_exact_as_the_codec_inside(codec: StreamCodec, wrap: type) -> None:
    assert wrap(codec).exact == codec.exact
    assert JpegXL(distance=1.0).exact is False


def test_a_wavelet_before_a_lossy_codec_is_never_exact() -> None:
    assert not Wavelet(JpegXL(distance=1.0)).exact
    assert Wavelet(JpegLS()).exact


def test_no_exact_bound_stands_on_a_guard_over_an_inexact_codec() -> None:
    with pytest.raises(UsageError, match="guard=0"):
        Guarded(Guarded(JpegXL(distance=1.0), max_error=3), max_error=0)
