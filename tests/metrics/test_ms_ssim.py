from __future__ import annotations

import numpy as np
import pytest

from cytopress.errors import NotAvailableError
from cytopress.metrics import metric


@pytest.mark.learn
def test_as_in_pytorch_msssim(reference, test_image, data_range) -> None:
    torch = pytest.importorskip("torch")
    pytorch_msssim = pytest.importorskip("pytorch_msssim")
    # Sides that halve evenly four times: odd ones are padded with zeros there.
    x, y = reference[:192, :224], test_image[:192, :224]
    tensors = [torch.from_numpy(image.astype(np.float64))[None, None] for image in (x, y)]
    expected = float(pytorch_msssim.ms_ssim(*tensors, data_range=data_range))
    value = metric("ms_ssim")(x, y, data_range)
    assert value == pytest.approx(expected, abs=1e-6)
    assert value < 0.99


def test_is_one_for_equal_images(reference, data_range) -> None:
    assert metric("ms_ssim")(reference, reference, data_range) == pytest.approx(1, abs=1e-12)


def test_scales_weigh_as_published() -> None:
    """A change of level alone is seen by the luminance of the coarsest scale alone."""
    reference = np.full((192, 192), 100, np.uint8)
    test = np.full((192, 192), 150, np.uint8)
    c1 = (0.01 * 255) ** 2
    luminance = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
    assert metric("ms_ssim")(reference, test, 255) == pytest.approx(luminance**0.1333, rel=1e-9)


def test_inverted_contrast_is_zero(reference, data_range) -> None:
    inverted = (reference.max() - reference).astype(np.uint16)
    assert metric("ms_ssim")(reference, inverted, data_range) == 0


def test_stack_is_the_mean_of_its_planes(reference, test_image, data_range) -> None:
    ms_ssim = metric("ms_ssim")
    planes = [ms_ssim(reference, other, data_range) for other in (reference, test_image)]
    stack = ms_ssim(np.stack([reference] * 2), np.stack([reference, test_image]), data_range)
    assert stack == pytest.approx(np.mean(planes))


@pytest.mark.parametrize("shape", [(175, 400), (200, 64, 64)])
def test_small_planes_are_refused(shape: tuple[int, ...]) -> None:
    image = np.zeros(shape, np.uint16)
    with pytest.raises(NotAvailableError, match="176 x 176"):
        metric("ms_ssim")(image, image, 100)


def test_smallest_plane_works() -> None:
    image = np.arange(176 * 176, dtype=np.uint16).reshape(176, 176)
    assert metric("ms_ssim")(image, image, 100) == pytest.approx(1)
