"""Rotations as they are trained: orthonormal, chosen by cost, and the same as the runtime's."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
pytestmark = pytest.mark.learn
SCALE = 1.0


def _rotations(count: int = 3):  # type: ignore[no-untyped-def]
    from cytopress.training.codec.secondary_transforms import SecondaryTransforms

    torch.manual_seed(2)
    rotations = SecondaryTransforms(5, count)
    with torch.no_grad():
        for weight in rotations.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return rotations


def _nearest(residual, _):  # type: ignore[no-untyped-def]
    return torch.round(residual)


def _sparse(residual, _):  # type: ignore[no-untyped-def]
    """Cost latents that are not 0, ten bits each."""
    return 10 * (residual.abs() > 0.5).float()


def _turned_latents(rotations):  # type: ignore[no-untyped-def]
    """Return latents of one number each, some of them turned, and by what, (2, 5, 4, 6)."""
    random = np.random.default_rng(3)
    wanted = random.integers(0, 4, (2, 4, 6))
    single = np.zeros((2, 4, 6, 5), np.float32)
    np.put_along_axis(single, random.integers(0, 5, (2, 4, 6, 1)), 30.0, -1)
    matrices = rotations.matrices().detach().numpy()
    for number in (1, 2, 3):
        single[wanted == number] = single[wanted == number] @ matrices[number - 1]
    return torch.from_numpy(single).movedim(-1, 1), wanted


def test_matrices_are_orthonormal() -> None:
    matrices = _rotations().matrices().detach()
    torch.testing.assert_close(matrices @ matrices.mT, torch.eye(5).expand(3, 5, 5))
    assert (matrices - torch.eye(5)).abs().amax((1, 2)).min() > 0.1


def test_the_cheapest_is_chosen_and_turned_back() -> None:
    rotations = _rotations()
    residual, wanted = _turned_latents(rotations)
    scale = torch.full_like(residual, SCALE)
    where = torch.ones(4, 6, dtype=torch.bool)
    coding = rotations(residual, scale, where, _nearest, _sparse)
    # One number a place is left, and what is decoded is what was there.
    assert (coding.residual.abs().gt(0.5).sum(1) == 1).all()
    torch.testing.assert_close(coding.chosen, torch.round(coding.residual))
    torch.testing.assert_close(coding.decoded, residual, atol=0.02, rtol=0)
    widened = (coding.log_scale - scale).movedim(1, -1)
    told = [np.zeros(5), *rotations.scale_bias().detach().numpy()]
    np.testing.assert_allclose(widened.detach(), np.stack(told)[wanted], atol=1e-6)
    from cytopress.training.codec.secondary_transforms import activity

    (kind,) = set(activity(scale.movedim(1, -1).reshape(-1, 5)).tolist())
    likely = rotations.log2_probability().detach().numpy()[kind]
    np.testing.assert_allclose(
        coding.bits.detach(), -likely[wanted].reshape(2, -1).sum(1), rtol=1e-5
    )


def test_nothing_is_turned_elsewhere_nor_where_nothing_is_expected() -> None:
    rotations = _rotations()
    residual, _ = _turned_latents(rotations)
    where = torch.zeros(4, 6, dtype=torch.bool)
    where[0] = True
    coding = rotations(residual, torch.full_like(residual, SCALE), where, _nearest, _sparse)
    assert not torch.equal(coding.residual[:, :, 0], residual[:, :, 0])
    assert torch.equal(coding.residual[:, :, 1:], residual[:, :, 1:])
    quiet = rotations(residual, torch.full_like(residual, -3.0), ~where, _nearest, _sparse)
    assert torch.equal(quiet.residual, residual)
    assert not quiet.bits.any()


def test_an_image_that_it_does_not_pay_for_goes_without() -> None:
    rotations = _rotations()
    residual, _ = _turned_latents(rotations)
    residual[1] = 0.0
    where = torch.ones(4, 6, dtype=torch.bool)
    coding = rotations(residual, torch.full_like(residual, SCALE), where, _nearest, _sparse)
    assert coding.bits[0] > 0
    assert coding.bits[1] == 0


def test_all_of_it_learns() -> None:
    rotations = _rotations()
    residual, _ = _turned_latents(rotations)
    residual.requires_grad_()
    where = torch.ones(4, 6, dtype=torch.bool)
    coding = rotations(residual, torch.full_like(residual, SCALE), where, _nearest, _sparse)
    total = coding.residual.square().square().sum() + coding.log_scale.square().sum()
    (total + coding.bits.sum() + coding.decoded.sum()).backward()
    for weight in (residual, *rotations.parameters()):
        assert weight.grad is not None
        assert weight.grad.abs().max() > 0


def test_matrices_odds_and_biases_are_those_of_the_package() -> None:
    from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables, padded_rows
    from cytopress.codecs.learned.latents.secondary_transforms import SHIFT, SecondaryTransforms
    from cytopress.training.codec.gaussian import STEP
    from cytopress.training.codec.integer import transform_arrays

    trained = _rotations()
    arrays = transform_arrays(trained, "a")
    size = arrays["a.odds_size"]
    odds = ProbabilityTables(padded_rows(arrays["a.odds_cdf"], size), size, arrays["a.odds_offset"])
    found = SecondaryTransforms(arrays["a.matrix"], arrays["a.bias"], odds)
    matrices = trained.matrices().detach().numpy()
    assert np.abs(found.matrices / 2**SHIFT - matrices).max() <= 0.5 / 2**SHIFT + 1e-6
    widening = trained.scale_bias().detach().numpy()
    assert np.abs(found.bias / 256 * STEP - widening).max() < STEP / 512 + 1e-6
    likely = -trained.log2_probability().detach().numpy()
    np.testing.assert_allclose(found.choices.bits[:9, :4], likely, atol=1e-3)
