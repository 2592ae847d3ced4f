"""A context step is what its kernels give one after the other, each tested on its own."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.kernels import paths, threads
from cytopress.kernels.context_step import ContextStep
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.places import ITSELF, gathered, neighborhoods

pytestmark = pytest.mark.both_numpy
AROUND = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)], np.int32)
SHAPES = [(1, 1), (3, 40), (23, 7)]
MOST = 2**28


def layer(shape: tuple[int, ...], low: int, high: int, seed: int) -> Convolution:
    random = np.random.default_rng(seed)
    weight = random.integers(-40, 41, shape).astype(np.int16)
    return Convolution(
        weight, random.integers(-(2**15), 2**15, shape[0]).astype(np.int32), 7, low, high
    )


def step(inputs: int, side: int = 1, width: int = 12, outputs: int = 19) -> ContextStep:
    return ContextStep(
        layer((width, inputs, side, side), 0, 2**14, 1),
        layer((outputs, inputs, 1, 1), -MOST, MOST, 2),
        layer((outputs, width, 1, 1), -MOST, MOST, 3),
        shift=4,
    )


def drawn(shape: tuple[int, ...], seed: int, most: int = 2**18) -> np.ndarray:
    return np.random.default_rng(seed).integers(-most, most + 1, shape).astype(np.int32)


def arrays(shape: tuple[int, int], channels: int, width: int, outputs: int) -> list[np.ndarray]:
    """Return known latents, features, means and scale indices: views of wider arrays."""
    counts = channels, width, outputs, outputs
    return [drawn((*shape, n + 5), seed)[..., 2 : n + 2] for seed, n in enumerate(counts)]


def one_by_one(of: ContextStep, given: list[np.ndarray], places: np.ndarray | None) -> tuple:
    """Return means and scale indices by numpy, all places at once."""
    known, features, mean, index = given
    offsets = ITSELF if places is None else AROUND
    wide = np.broadcast_to(features, (*known.shape[:2], features.shape[2]))
    shape = (*known.shape[:2], -1) if places is None else (1, len(places), -1)
    with paths.using(paths.NUMPY):
        near = neighborhoods(known, of.shift, places, offsets)
        logs, narrow = (each.reshape(shape) for each in near)
        own = gathered(np.ascontiguousarray(wide), places).reshape(shape)
        added = of.mean(narrow), of.index(of.hidden(logs, own))
    found = mean.copy(), index.copy()
    for each, more in zip(found, added, strict=True):
        flat, values = each.reshape(-1, each.shape[2]), more.reshape(-1, each.shape[2])
        flat[slice(None) if places is None else places] += values
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("side", [1, 3, 5])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_all_places(path: str, shape: tuple[int, int], side: int, number: int) -> None:
    of, given = step(6, side), arrays(shape, 6, 12, 19)
    expected = one_by_one(of, given, None)
    with threads.using(number):
        of(*given)
    for found, right in zip(given[2:], expected, strict=True):
        np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("shape", [*SHAPES, (70, 64)])
@pytest.mark.parametrize("same_features", [False, True])
@pytest.mark.parametrize("number", [1, 3])
def test_listed_places(path: str, shape: tuple[int, int], same_features: bool, number: int) -> None:
    of, given = step(24), arrays(shape, 6, 12, 19)
    if same_features:
        given[1] = drawn((1, 1, 12), 9)
    count = shape[0] * shape[1]
    places = np.random.default_rng(5).permutation(count)[: -(-count // 2)].astype(np.int32)
    expected = one_by_one(of, given, places)
    with threads.using(number):
        of(*given, places, AROUND)
    for found, right in zip(given[2:], expected, strict=True):
        np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("period", [1, 2, 8])
def test_empty_places_are_what_they_are_without_the_shortcut(path: str, period: int) -> None:
    of, (_, _, mean, index) = step(6, 3), arrays((30, 70), 6, 12, 19)
    known = np.zeros((30, 70, 6), np.int32)
    features = np.resize(drawn((1, period, 12), 4), (30, 70, 12))
    known[7, 33], known[20, 69], known[20, 0] = 999, -7, 2**17
    given = [known, features, mean, index]
    expected = one_by_one(of, given, None)
    of(*given)
    for found, right in zip(given[2:], expected, strict=True):
        np.testing.assert_array_equal(found, right)


def test_places_outside_are_refused() -> None:
    of, given = step(24), arrays((4, 5), 6, 12, 19)
    if paths.available() == (paths.NUMPY,):
        pytest.skip("numpy counts places from the end as well")
    for wrong in (20, -1):
        with pytest.raises(ValueError, match="do not fit"):
            of(*given, np.array([3, wrong], np.int32), AROUND)


def test_nothing_is_added_to_no_place(path: str) -> None:
    of, given = step(24), arrays((4, 5), 6, 12, 19)
    before = given[2].copy()
    of(*given, np.empty(0, np.int32), AROUND)
    np.testing.assert_array_equal(given[2], before)
