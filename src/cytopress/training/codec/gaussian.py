"""Bits of latents under a normal distribution, with an explicit derivative."""

from __future__ import annotations

import math
from typing import Any

import torch

# log2 of the smallest and largest standard deviation of a latent, in quantization steps.
LEAST_SCALE, MOST_SCALE = -4.0, 8.0
# Number of probability tables between them, and their distance in log2.
SCALES = 56
STEP = (MOST_SCALE - LEAST_SCALE) / (SCALES - 1)
LEAST_LIKELIHOOD = 1e-9


def gaussian_bits(residual: torch.Tensor, log_scale: torch.Tensor) -> torch.Tensor:
    """Return the bits of each residual under a normal of mean 0, integrated over a step of 1.

    Parameters
    ----------
    residual, log_scale : Tensor
        Of one shape; ``log_scale`` is log2 of the standard deviation, and is held between
        ``LEAST_SCALE`` and ``MOST_SCALE``. Below the first its gradient passes only where it leads
        back, as CompressAI's lower bound has it.
    """
    bits: torch.Tensor = _Bits.apply(residual, log_scale)
    return bits


class _Bits(torch.autograd.Function):
    # Autograd's own derivative keeps a dozen tensors and takes three times as long: half of a step.

    @staticmethod
    def forward(ctx: Any, residual: torch.Tensor, log_scale: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(residual, log_scale)
        inverse = torch.exp2(-log_scale.clamp(LEAST_SCALE, MOST_SCALE))
        likelihood = _likelihood(*_ends(residual, inverse))
        return torch.log2(likelihood).neg_()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        residual, log_scale = ctx.saved_tensors
        inverse = torch.exp2(-log_scale.clamp(LEAST_SCALE, MOST_SCALE))
        upper, lower = _ends(residual, inverse)
        likelihood = _likelihood(upper, lower)
        above, below = _density(upper), _density(lower)
        factor = grad / (likelihood * -math.log(2))
        factor.masked_fill_(likelihood <= LEAST_LIKELIHOOD, 0)
        along = factor * (below - above) * inverse * torch.sign(residual)
        across = factor * (lower * below - upper * above) * math.log(2)
        outside = (log_scale > MOST_SCALE) | ((log_scale < LEAST_SCALE) & (across > 0))
        return along, across.masked_fill_(outside, 0)


def _ends(residual: torch.Tensor, inverse: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    # On the left side, where small differences of the distribution keep their digits.
    distance = residual.abs()
    return (0.5 - distance) * inverse, (-0.5 - distance) * inverse


def _likelihood(upper: torch.Tensor, lower: torch.Tensor) -> torch.Tensor:
    wide = torch.erfc(upper * -math.sqrt(0.5))
    wide -= torch.erfc(lower * -math.sqrt(0.5))
    return wide.mul_(0.5).clamp_min_(LEAST_LIKELIHOOD)


def _density(x: torch.Tensor) -> torch.Tensor:
    return x.square().mul_(-0.5).exp_().mul_(1 / math.sqrt(2 * math.pi))
