"""What a linear model reaches: ridge regression on a bank of classic filters.

A network that does not beat this has learned nothing worth its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cytopress.training.pairs import Pair, Plane

SIGMAS = (0.7, 1.4, 2.8, 5.6, 11.2)
RIDGE = 1e-3
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FilterBank:
    """A linear map from filter responses, (features,) weights on standardized responses."""

    mean: Floats
    std: Floats
    weights: Floats

    def predict(self, standardized: Plane) -> Plane:
        """Predict a standardized target, (Y, X), from a standardized input, (Y, X)."""
        responses = (filter_responses(standardized) - self.mean) / self.std
        return (responses @ self.weights).reshape(standardized.shape).astype(np.float32)


def filter_responses(plane: Plane) -> Floats:
    """Return (pixels, features): Gaussian, first and second derivatives and local contrast.

    Five features at each of ``SIGMAS`` (pixels), and the plane itself: smoothed intensity, gradient
    magnitude, both eigenvalues of the Hessian, and the smoothed local deviation.
    """
    values = plane.astype(np.float64)
    features = [values]
    for sigma in SIGMAS:
        smooth = ndimage.gaussian_filter(values, sigma)
        variance = ndimage.gaussian_filter(values**2, sigma) - smooth**2
        features += [
            smooth,
            sigma * ndimage.gaussian_gradient_magnitude(values, sigma),
            *_hessian_eigenvalues(values, sigma),
            np.sqrt(np.maximum(variance, 0)),
        ]
    return np.stack([feature.ravel() for feature in features], axis=1)


def _hessian_eigenvalues(values: Floats, sigma: float) -> tuple[Floats, Floats]:
    yy, xx, yx = (
        sigma**2 * ndimage.gaussian_filter(values, sigma, order=order)
        for order in ((2, 0), (0, 2), (1, 1))
    )
    middle, half = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    return middle + half, middle - half


def fit_filter_bank(pairs: Sequence[Pair]) -> FilterBank:
    """Fit the bank on standardized fields by ridge regression, every field of equal weight."""
    moments = [_moments(pair) for pair in pairs]
    mean, square, cross = (np.mean([m[part] for m in moments], axis=0) for part in range(3))
    covariance = square - np.outer(mean, mean)
    std = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    # Targets have mean 0, so the cross moment is already centered.
    correlation = covariance / np.outer(std, std)
    weights = np.linalg.solve(correlation + RIDGE * np.eye(len(std)), cross / std)
    return FilterBank(mean, std, weights)


def _moments(pair: Pair) -> tuple[Floats, Floats, Floats]:
    responses = filter_responses(pair.input)
    count = len(responses)
    cross = responses.T @ pair.target.ravel().astype(np.float64)
    return responses.mean(axis=0), responses.T @ responses / count, cross / count
