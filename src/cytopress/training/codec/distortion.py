"""Distortion of a codec's loss: MSE or MS-SSIM, of pixels or of stabilized counts."""

from __future__ import annotations

import torch
from pytorch_msssim import ms_ssim

from cytopress.training.codec.config import Loss
from cytopress.training.codec.crops import Batch

PEAK = 255**2
LEAST_VARIANCE = 1e-8


def distortion(x: torch.Tensor, x_hat: torch.Tensor, batch: Batch, options: Loss) -> torch.Tensor:
    """Return the distortion of each crop, (N,).

    MSE in units of (used range / 255) squared, or 1 - MS-SSIM; in the stabilized domain, of values
    in units of the noise, scaled back by the crop's own mean noise, so that lambda means the
    same.
    """
    x_hat = x_hat.float()
    if options.domain == "stabilized":
        x, x_hat, scale = stabilized(x, batch), stabilized(x_hat, batch), _noise_at(x, batch)
    else:
        scale = torch.ones(len(x), device=x.device)
    if options.distortion == "mse":
        return PEAK * scale.square() * (x - x_hat).square().mean((1, 2, 3))
    span = (x.amax((1, 2, 3)) - x.amin((1, 2, 3))).clamp_min(1e-6)[:, None, None, None]
    floor = x.amin((1, 2, 3), keepdim=True)
    similar = ms_ssim(
        (x - floor) / span, (x_hat - floor) / span, data_range=1.0, size_average=False, win_size=7
    )
    return 1 - similar  # type: ignore[no-any-return]


def stabilized(x: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return x with noise of standard deviation 1: the generalized Anscombe transform.

    Starck, Murtagh and Bijaoui, "Image Processing and Data Analysis", 1998. With variance
    ``a * (x - offset) + b`` it is ``2 / a * sqrt(a * (x - offset) + 3 / 8 * a ** 2 + b)``,
    continued linearly below the offset; without signal-dependent noise it divides by the deviation.
    Written so that it holds for a = 0 too, and loses no digits near it.
    """
    a, b, offset = (
        value[:, None, None, None] for value in (batch.noise_a, batch.noise_b, batch.noise_offset)
    )
    base = 0.375 * a.square() + b.clamp_min(LEAST_VARIANCE)
    light = x - offset
    return 2 * light / (torch.sqrt(a * light.clamp_min(0) + base) + torch.sqrt(base))


def _noise_at(x: torch.Tensor, batch: Batch) -> torch.Tensor:
    mean = x.mean((1, 2, 3))
    variance = batch.noise_a * (mean - batch.noise_offset).clamp_min(0) + batch.noise_b
    return torch.sqrt(variance.clamp_min(LEAST_VARIANCE))
