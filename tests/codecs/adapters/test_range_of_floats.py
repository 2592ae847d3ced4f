"""Quality parameters in counts follow the range of floats: units must not change what is lost."""

import numpy as np
import pytest

from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.errors import UnsupportedImageError
from cytopress.image import Image

CODECS = ("sz3", "sperr", "zfp", "lerc", "round-zstd")


def waves(scale: float, *, stack: bool = False) -> Image:
    """Return noisy waves from 0 to about ``scale``."""
    y, x = np.mgrid[:48, :56] / 9
    plane = np.sin(y) * np.cos(x) + 1 + np.random.default_rng(0).normal(0, 0.02, y.shape)
    planes = np.stack([plane, plane[::-1], plane[:, ::-1]]) if stack else plane
    return Image((planes / planes.max() * scale).astype(np.float32))


# ZFP goes by powers of two, so it may exceed a ratio by far.
@pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
@pytest.mark.parametrize("stack", [False, True])
@pytest.mark.parametrize("name", CODECS)
def test_the_unit_of_the_pixels_changes_neither_error_nor_ratio(name: str, *, stack: bool) -> None:
    for target in ("ratio=4", "psnr=45"):
        errors, sizes = [], []
        for scale in (2.0**10, 2.0**-10, 2.0**-40, 2.0**90):
            image = waves(scale, stack=stack)
            coded = codec(f"{name}:{target}").encode(image)
            decoded = decode(coded).pixels.astype(np.float64)
            errors.append(np.sqrt(np.mean((decoded - image.pixels) ** 2)) / scale)
            sizes.append(len(coded))
            assert np.ptp(decoded) > scale / 2
        # Multiples of a step with few binary digits, such as 19.75, take fewer bytes.
        most = 1.7 if name == "round-zstd" else 1.2
        assert max(sizes) < most * min(sizes)
        assert max(errors) < 4 * min(errors) + 1e-9


@pytest.mark.parametrize("stack", [False, True])
@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("scale", [1e-33, 1e-6, 1.0, 1e9, 1e36])
def test_the_bound_holds_at_any_scale(name: str, scale: float, *, stack: bool) -> None:
    image = waves(scale, stack=stack)
    for share in (1e-9, 1e-7, 1e-4, 1e-2, 1.0, 20.0):
        tolerance = float(f"{scale * share:.3g}")
        if not 2**-126 < tolerance < 2.0**127:
            continue
        parameter, bound = ("step", 0.5) if name == "round-zstd" else ("tolerance", 1.0)
        decoded = decode(codec(f"{name}:{parameter}={tolerance:g}").encode(image)).pixels
        error = np.abs(decoded.astype(np.float64) - image.pixels).max()
        assert error <= bound * tolerance + np.spacing(np.float32(scale)) * (name == "round-zstd")


@pytest.mark.parametrize("offset", [1e3, -1e6])
@pytest.mark.parametrize("name", CODECS)
def test_a_large_offset_leaves_the_search_a_range(name: str, offset: float) -> None:
    image = Image((waves(1.0).pixels + offset).astype(np.float32))
    decoded = decode(codec(f"{name}:max_error=0.2").encode(image)).pixels
    assert np.abs(decoded.astype(np.float64) - image.pixels).max() <= 0.2


@pytest.mark.parametrize("shape", [(48, 56), (3, 48, 56)])
def test_sperr_refuses_a_bound_that_would_end_the_process(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).normal(100, 5, shape).astype(np.float32)
    pixels[..., 3, 4] = 1e20
    with pytest.raises(UnsupportedImageError, match="coarser tolerance"):
        codec("sperr:tolerance=1").encode(Image(pixels))
    decoded = decode(codec("sperr:max_error=1e17").encode(Image(pixels))).pixels
    assert np.abs(decoded - pixels.astype(np.float64)).max() <= 1e17


def test_multiples_of_a_step_stay_finite() -> None:
    pixels = np.full((4, 5), np.finfo(np.float32).max)
    pixels[0] = 0
    image = Image(pixels.astype(np.float32))
    assert np.isfinite(decode(codec("round-zstd:step=1e38").encode(image)).pixels).all()
