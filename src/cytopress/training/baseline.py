"""Linear baseline: ridge regression on a bank of classic filters.

A volume is filtered plane by plane, with the differences to the planes above and below: how
transmitted light changes through focus says most about phase (Teague, "Deterministic phase
retrieval", Journal of the Optical Society of America 1983). A network that does not beat this has
learned nothing worth its weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cytopress.training.pairs import Pair, Values

SIGMAS = (0.7, 1.4, 2.8, 5.6, 11.2)
RIDGE = 1e-3
# About so many evenly spaced planes of a volume are fitted: neighboring planes are alike.
FITTED = 4
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FilterBank:
    """A linear map from filter responses, (features,) weights on standardized responses."""

    mean: Floats
    std: Floats
    weights: Floats

    def predict(self, standardized: Values) -> Values:
        """Predict a standardized target from a standardized input, (Y, X) or (Z, Y, X)."""
        planes = [
            (responses - self.mean) / self.std @ self.weights
            for responses in _by_plane(standardized)
        ]
        predicted: Values = np.concatenate(planes).reshape(standardized.shape).astype(np.float32)
        return predicted


def _by_plane(values: Values, every: int = 1) -> Iterator[Floats]:
    """Yield the (pixels, features) of a plane, or of every so many planes of a volume."""
    if values.ndim == 2:
        yield filter_responses(values)
        return
    for place in range(0, len(values), every):
        below, here, above = values[[max(place - 1, 0), place, min(place + 1, len(values) - 1)]]
        through_focus = [
            ndimage.gaussian_filter(difference.astype(np.float64), sigma).ravel()
            for difference in ((above - below) / 2, above - 2 * here + below)
            for sigma in SIGMAS
        ]
        yield np.column_stack([filter_responses(here), *through_focus])


def filter_responses(plane: Values) -> Floats:
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
    targets = pair.target.reshape(-1, *pair.target.shape[-2:])
    every = max(1, len(targets) // FITTED)
    targets = targets[::every].astype(np.float64)
    # The whole has a mean of 0, some planes of it need not.
    targets -= targets.mean()
    parts = [
        _moments_of(responses, target.ravel())
        for responses, target in zip(_by_plane(pair.input, every), targets, strict=True)
    ]
    mean, square, cross = (np.mean([part[kind] for part in parts], axis=0) for kind in range(3))
    return mean, square, cross


def _moments_of(responses: Floats, target: Floats) -> tuple[Floats, Floats, Floats]:
    count = len(responses)
    return responses.mean(axis=0), responses.T @ responses / count, responses.T @ target / count
