"""Context model of hyper-latents in training: each is predicted from its neighbors.

A quarter of them is coded by the prior alone, those diagonal to them are predicted from four of
these, all others from four neighbors. Its integer form is
`cytopress.codecs.learned.latents.hyper_context`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from cytopress.codecs.learned.latents.hyper_context import BESIDE, DIAGONAL
from cytopress.training.codec.context import ContextStep, around
from cytopress.training.codec.entropy import quantize


class HyperLatents(NamedTuple):
    """Hyper-latents as a decoder has them, with their moments; all (N, Nz, h, w).

    Where ``by_prior``, (h, w) of bool, ``mean`` and ``log_scale`` are not used.
    """

    z_hat: torch.Tensor
    mean: torch.Tensor
    log_scale: torch.Tensor
    by_prior: torch.Tensor


class HyperContext(nn.Module):
    """Both steps.

    Parameters
    ----------
    channels : int
        Channels of the hyper-latents.
    width : int
        Hidden channels of each step.
    nodes : int
        Gain nodes, each with a bias of the scales.
    """

    def __init__(self, channels: int, width: int, nodes: int) -> None:
        super().__init__()
        self.diagonal = ContextStep(4 * channels, channels, width, 0)
        self.beside = ContextStep(4 * channels, channels, width, 0)
        self.features = nn.Parameter(torch.zeros(2, width))
        self.bias = nn.Parameter(torch.zeros(nodes, channels))

    def forward(self, z: torch.Tensor, node: torch.Tensor) -> HyperLatents:
        """Round hyper-latents, (N, Nz, h, w), of the gain nodes (N,), pass by pass."""
        rows, columns = (torch.arange(length, device=z.device) % 2 == 1 for length in z.shape[2:])
        odd, even = rows[:, None] & columns, ~rows[:, None] & ~columns
        bias = self.bias[node][:, :, None, None]
        z_hat, mean, log_scale = quantize(z) * even, torch.zeros_like(z), torch.zeros_like(z)
        steps = ((self.diagonal, DIAGONAL, odd), (self.beside, BESIDE, ~odd & ~even))
        for (step, places, now), features in zip(steps, self.features, strict=True):
            expected, scale = step(around(z_hat, places), features[:, None, None])
            z_hat = z_hat + (expected + quantize(z - expected)) * now
            mean, log_scale = mean + expected * now, log_scale + (scale + bias) * now
        return HyperLatents(z_hat, mean, log_scale, even)
