"""Metric: the contract of all metrics."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cytopress.errors import ImageError, NotAvailableError, UsageError
from cytopress.image import Pixels
from cytopress.metrics.noise import NoiseModel

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """A full-reference metric: the difference of a test image from its reference as one number.

    Parameters
    ----------
    name : str
        Stable name, such as ``ssim``.
    unit : str
        "" for none. "counts" are steps of the pixels' own intensity scale.
    better : {"higher", "lower"}
        The better direction; for ``bias``, which is signed, that of its magnitude, and for the
        variations, which are ratios, that of their distance from 1.
    function : callable
        Pure function of (reference, test, data_range).
    dims : tuple of int, optional
        Numbers of axes for which the metric is defined.
    """

    name: str
    unit: str
    better: Better
    function: Callable[[Pixels, Pixels, float], float]
    dims: tuple[int, ...] = (2, 3)

    def __call__(self, reference: Pixels, test: Pixels, data_range: float) -> float:
        """Compare two images on their original intensity scale, without rescaling.

        Parameters
        ----------
        reference, test : ndarray
            Shape (Y, X) or (Z, Y, X); both have the same shape and dtype.
        data_range : float
            Span of intensities in counts: one number per dataset, never taken from ``test``.

        Returns
        -------
        float
            May be infinite, such as the PSNR of equal images.

        Raises
        ------
        ImageError
            Shapes or dtypes differ, or pixels are missing or not finite.
        UsageError
            ``data_range`` is not a positive number.
        NotAvailableError
            The metric is not defined for these images, or cannot be computed on this machine.
        """
        _check(reference, test, data_range)
        if reference.ndim not in self.dims:
            raise NotAvailableError(
                f"{self.name} needs a stack with the axes ZYX, not an image of {reference.ndim}"
                " axes."
            )
        return float(self.function(reference, test, float(data_range)))


@dataclass(frozen=True)
class NoiseMetric:
    """A metric that needs the noise model of the reference.

    ``name``, ``unit``, ``better`` and ``dims`` are those of `Metric`; ``function`` takes the noise
    model as the keyword ``noise``.
    """

    name: str
    unit: str
    better: Better
    function: Callable[..., float]
    dims: tuple[int, ...] = (2, 3)

    def with_noise(self, noise: NoiseModel) -> Metric:
        """Return the metric for images with this noise."""
        function = functools.partial(self.function, noise=noise)
        return Metric(self.name, self.unit, self.better, function, self.dims)


def _check(reference: Pixels, test: Pixels, data_range: float) -> None:
    if reference.shape != test.shape or reference.dtype != test.dtype:
        raise ImageError(
            "a metric needs a reference and a test of equal shape and dtype, not"
            f" {reference.shape} {reference.dtype} and {test.shape} {test.dtype}."
        )
    if reference.ndim not in (2, 3) or reference.size == 0:
        raise ImageError(f"a metric needs a plane or a stack with pixels, not {reference.shape}.")
    images = (reference, test)
    if reference.dtype.kind == "f" and not all(np.isfinite(image).all() for image in images):
        raise ImageError("a metric needs finite pixels; replace those that are NaN or infinite.")
    if not (math.isfinite(data_range) and data_range > 0):
        raise UsageError(f"a metric needs a positive data range, not {data_range}.")
