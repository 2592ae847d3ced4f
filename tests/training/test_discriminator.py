"""Discriminators: losses in closed form, and learning to tell what differs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytestmark = pytest.mark.learn


def test_losses_in_closed_form() -> None:
    from cytopress.training.discriminator import feature_loss, verdict_loss

    one = [[torch.zeros(1, 2, 3, 3), torch.full((1, 1, 2, 2), 0.5)]]
    other = [[torch.full((1, 2, 3, 3), -3.0), torch.full((1, 1, 2, 2), 9.0)]]
    assert float(verdict_loss(one, 1.0)) == pytest.approx(0.25)
    assert float(verdict_loss(one + other, 0.0)) == pytest.approx((0.25 + 81) / 2)
    # The last layer's answers are verdicts, not features.
    assert float(feature_loss(one, other)) == pytest.approx(3.0)


def test_each_scale_halves_the_resolution() -> None:
    from cytopress.training.discriminator import Discriminators

    torch.manual_seed(0)
    answers = Discriminators(2, 4, 2)(torch.rand(1, 1, 64, 32), torch.rand(1, 1, 64, 32))
    assert [scale[0].shape[-2:] for scale in answers] == [(33, 17), (17, 9)]
    assert [scale[-1].shape[1] for scale in answers] == [1, 1]


def test_learns_to_tell_by_the_input_beside_the_target() -> None:
    from cytopress.training.discriminator import Discriminators, verdict_loss

    torch.manual_seed(1)
    judge = Discriminators(2, 8, 2)
    optimizer = torch.optim.Adam(judge.parameters(), 2e-3)

    def batch():  # type: ignore[no-untyped-def]
        source = torch.nn.functional.avg_pool2d(torch.randn(8, 1, 34, 34), 3, stride=1) * 3
        # Both look alike by themselves: only beside the input is one of them wrong.
        return source, source, -source

    losses = []
    for _ in range(120):
        source, true, made = batch()
        loss = verdict_loss(judge(source, true), 1.0) + verdict_loss(judge(source, made), 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    # Chance gives 0.5.
    assert sum(losses[-10:]) / 10 < 0.3
