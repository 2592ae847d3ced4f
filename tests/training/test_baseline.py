"""The filter bank finds a target that is one of its own filters, and not noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cytopress.tasks.builtin.labelfree import standardize
from cytopress.training.baseline import SIGMAS, filter_responses, fit_filter_bank
from cytopress.training.pairs import Pair


def _pair(seed: int, *, related: bool) -> Pair:
    random = np.random.default_rng(seed)
    plane = standardize(ndimage.gaussian_filter(random.normal(size=(96, 80)), 1))
    edge = ndimage.gaussian_gradient_magnitude(plane.astype(float), SIGMAS[1])
    target = edge if related else random.normal(size=plane.shape)
    return Pair(str(seed), "a", plane, standardize(target))


def test_finds_a_filter_on_an_unseen_field() -> None:
    bank = fit_filter_bank([_pair(seed, related=True) for seed in (1, 2)])
    unseen = _pair(3, related=True)
    assert np.corrcoef(bank.predict(unseen.input).ravel(), unseen.target.ravel())[0, 1] > 0.99


def test_finds_nothing_in_noise() -> None:
    bank = fit_filter_bank([_pair(seed, related=False) for seed in (1, 2)])
    unseen = _pair(3, related=False)
    assert abs(np.corrcoef(bank.predict(unseen.input).ravel(), unseen.target.ravel())[0, 1]) < 0.1


def test_responses_turn_with_the_image() -> None:
    plane = _pair(4, related=True).input
    count = len(filter_responses(plane)[0])
    turned = filter_responses(np.ascontiguousarray(np.rot90(plane)))
    straight = filter_responses(plane).reshape(*plane.shape, count)
    expected = np.rot90(straight).reshape(-1, count)
    np.testing.assert_allclose(turned, expected, atol=1e-6)
