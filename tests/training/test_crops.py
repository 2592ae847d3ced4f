"""Crops: a function of seed and step, input and target in register."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("monai", reason="needs MONAI (extra learn)")
pytestmark = pytest.mark.learn


def _batches(seed: int, **augmentation: float):  # type: ignore[no-untyped-def]
    from cytopress.training.config import Augmentation
    from cytopress.training.crops import CropBatches
    from cytopress.training.pairs import Pair

    planes = [np.random.default_rng(n).normal(size=(40, 48)).astype(np.float32) for n in range(3)]
    pairs = [Pair(str(n), "a", plane, plane.copy()) for n, plane in enumerate(planes)]
    return CropBatches(pairs, Augmentation(**augmentation), crop=16, batch=5, seed=seed)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    options = {"zoom": 1.3, "gain": 0.2, "offset": 0.2, "noise": 0.1, "blur": 1.0}
    one, two = _batches(1, **options), _batches(1, **options)
    late = one[7]
    for step in range(3):
        one[step]
    again, other_step, other_seed = two[7], two[8], _batches(2, **options)[7]
    assert torch.equal(late[0], again[0])
    assert torch.equal(late[1], again[1])
    assert not torch.equal(late[0], other_step[0])
    assert not torch.equal(late[0], other_seed[0])


def test_input_and_target_stay_in_register() -> None:
    source, target = _batches(3, zoom=1.4)[0]
    assert source.shape == (5, 1, 16, 16)
    assert torch.equal(source, target)


def test_intensities_of_the_target_are_left_alone() -> None:
    changed = _batches(3, gain=0.5, offset=0.5, noise=0.5, blur=2.0)[0]
    plain = _batches(3)[0]
    assert torch.equal(changed[1], plain[1])
    assert not torch.equal(changed[0], plain[0])


def test_sampler_gives_each_step_once() -> None:
    from cytopress.training.steps import StepSampler

    seen: list[int] = []
    sampler = StepSampler(steps=7, each_round=3, done=lambda: len(seen))
    for length in (3, 3, 1):
        assert len(sampler) == length
        seen += list(sampler)
    assert seen == list(range(7))
