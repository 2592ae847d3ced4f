"""Crops: a function of seed and step, input and target in register."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("monai", reason="needs MONAI (extra learn)")
pytestmark = pytest.mark.learn


PLANE, VOLUME = (16, 16), (4, 16, 16)


def _batches(seed: int, crop: tuple[int, ...] = PLANE, **augmentation: float):  # type: ignore[no-untyped-def]
    from cytopress.training.crops import CropBatches
    from cytopress.training.options import Augmentation
    from cytopress.training.pairs import Pair

    shape = (9, 40, 48)[-len(crop) :]
    fields = [np.random.default_rng(n).normal(size=shape).astype(np.float32) for n in range(3)]
    pairs = [Pair(str(n), "a", field, field.copy()) for n, field in enumerate(fields)]
    return CropBatches(pairs, Augmentation(**augmentation), crop=crop, batch=5, seed=seed)


@pytest.mark.parametrize("crop", [PLANE, VOLUME])
def test_a_batch_depends_on_seed_and_step_alone(crop: tuple[int, ...]) -> None:
    options = {"zoom": 1.3, "gain": 0.2, "offset": 0.2, "noise": 0.1, "blur": 1.0}
    one, two = _batches(1, crop, **options), _batches(1, crop, **options)
    late = one[7]
    for step in range(3):
        one[step]
    again, other_step, other_seed = two[7], two[8], _batches(2, crop, **options)[7]
    assert torch.equal(late[0], again[0])
    assert torch.equal(late[1], again[1])
    assert not torch.equal(late[0], other_step[0])
    assert not torch.equal(late[0], other_seed[0])


@pytest.mark.parametrize("crop", [PLANE, VOLUME])
def test_input_and_target_stay_in_register(crop: tuple[int, ...]) -> None:
    source, target = _batches(3, crop, zoom=1.4)[0]
    assert source.shape == (5, 1, *crop)
    assert torch.equal(source, target)


def test_a_volume_is_cut_and_turned_in_its_planes_alone() -> None:
    from cytopress.training.crops import CropBatches
    from cytopress.training.options import Augmentation
    from cytopress.training.pairs import Pair

    z, y, x = np.meshgrid(np.arange(9), np.arange(40), np.arange(48), indexing="ij")
    field = (10_000 * z + 100 * y + x).astype(np.float32)
    batches = CropBatches(
        [Pair("f", "a", field, field)], Augmentation(), crop=VOLUME, batch=40, seed=1
    )
    crops = batches[0][0][:, 0].numpy()
    turned = set()
    for crop in crops:
        plane = crop // 10_000
        # One plane of the field is one of the crop, in the order of the field.
        assert (plane == plane[:, :1, :1]).all()
        assert (np.diff(plane[:, 0, 0]) == 1).all()
        turned.add((plane[0, 0, 0], *np.unravel_index(crop[0].argmin(), crop[0].shape)))
    assert {start for start, *_ in turned} == set(range(6))
    # Mirrored and turned: the least value lies in any corner of a plane.
    assert len({(row, column) for _, row, column in turned}) == 4


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
        seen += list(sampler)
        assert len(seen) - length in (0, 3, 6)
    assert seen == list(range(7))
    # From within a round to its end.
    assert list(StepSampler(steps=7, each_round=3, done=lambda: 4)) == [4, 5]
