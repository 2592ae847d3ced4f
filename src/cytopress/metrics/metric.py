"""What a metric is: the contract that every one keeps."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cytopress.errors import ImageError, NotAvailableError, UsageError
from cytopress.metrics.noise import NoiseModel

Pixels = npt.NDArray[Any]
Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """How far a test image is from its reference, as one number.

    Parameters
    ----------
    name : str
        Stable name, such as ``ssim``.
    unit : str
        "" for none. "counts" are steps of the pixels' own intensity scale.
    better : {"higher", "lower"}
        Which way is better; for ``bias``, which is signed, of its magnitude, and for the
        variations, which are shares, of their distance from 1.
    function : callable
        Pure function of (reference, test, data_range).
    dims : tuple of int, optional
        Numbers of axes that it is defined for.
    """

    name: str
    unit: str
    better: Better
    function: Callable[[Pixels, Pixels, float], float]
    dims: tuple[int, ...] = (2, 3)

    def __call__(self, reference: Pixels, test: Pixels, data_range: float) -> float:
        """Compare two images on their original intensity scale; neither is rescaled.

        Parameters
        ----------
        reference, test : ndarray
            Shape (Y, X) or (Z, Y, X), the same for both, as is the dtype.
        data_range : float
            Span of intensities in counts: one number per dataset, never taken from ``test``.

        Returns
        -------
        float
            May be infinite: the PSNR of equal images is.

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
    """A metric that needs to know how noisy the reference is before it can be called.

    ``name``, ``unit``, ``better`` and ``dims`` are as in `Metric`; ``function`` takes the noise
    model as the keyword ``noise``.
    """

    name: str
    unit: str
    better: Better
    function: Callable[..., float]
    dims: tuple[int, ...] = (2, 3)

    def with_noise(self, noise: NoiseModel) -> Metric:
        """Return the metric for one camera."""
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
