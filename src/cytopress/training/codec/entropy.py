"""Entropy model of our architectures: the hyperprior and the factorized prior.

Ballé et al., "Variational image compression with a scale hyperprior", ICLR 2018; the mean as well
after Minnen et al., "Joint autoregressive and hierarchical priors", NeurIPS 2018. Here the hyper
synthesis is a chain of plain convolutions, so that its integer form (`integer`) is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from cytopress.codecs.learned.compressai.architectures import need
from cytopress.training.codec.gaussian import LEAST_LIKELIHOOD

# Hyper-latents are this many times coarser than latents.
HYPER_STRIDE = 4


@dataclass(frozen=True)
class Layer:
    """One layer of the hyper synthesis: a convolution, rectifier and pixel shuffle."""

    convolution: nn.Conv2d
    relu: bool
    upsample: int


class HyperAnalysis(nn.Module):
    """h_a: (N, M, h, w) in quantization steps to (N, Nz, h / 4, w / 4)."""

    def __init__(self, latents: int, width: int, hyper: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(latents, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, hyper, 3, stride=2, padding=1),
        )

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        """Return z. Latents span four decades over the rates: a logarithm keeps them bounded."""
        return self.layers(torch.sign(y) * torch.log(1 + y.abs()))  # type: ignore[no-any-return]


class HyperSynthesis(nn.Module):
    """h_s: (N, Nz, h / 4, w / 4) to (N, outputs, h, w)."""

    def __init__(self, hyper: int, width: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(hyper, 4 * width, 3, padding=1)
        self.second = nn.Conv2d(width, 4 * width, 3, padding=1)
        self.last = nn.Conv2d(width, outputs, 1)
        with torch.no_grad():
            self.last.weight *= 0.2

    def layers(self) -> list[Layer]:
        """Return the layers in order, as the integer form needs them."""
        return [
            Layer(self.first, relu=True, upsample=2),
            Layer(self.second, relu=True, upsample=2),
            Layer(self.last, relu=False, upsample=1),
        ]

    def forward(self, z_hat: torch.Tensor) -> torch.Tensor:
        """Return means and scales (log2), one after the other, or scales alone."""
        a = z_hat
        for layer in self.layers():
            a = layer.convolution(a)
            if layer.relu:
                a = nn.functional.relu(a)
            if layer.upsample > 1:
                a = nn.functional.pixel_shuffle(a, layer.upsample)
        return a


def quantize(values: torch.Tensor) -> torch.Tensor:
    """Round to integers, letting the gradient through as if it were the identity."""
    return values + (torch.round(values) - values).detach()


class Prior(nn.Module):
    """The factorized prior of Ballé et al. 2018, around zero: values are rounded to integers.

    Parameters
    ----------
    channels : int
        Channels of the values.
    nodes : int, optional
        Gain nodes. Each has distributions of its own, since what is rare at a coarse rate is common
        at a fine one.
    """

    def __init__(self, channels: int, nodes: int = 1) -> None:
        super().__init__()
        self.channels, self.nodes = channels, nodes
        # Node by node.
        self.bottleneck = need("compressai.entropy_models").EntropyBottleneck(channels * nodes)

    def forward(
        self, values: torch.Tensor, quality: torch.Tensor, *, hard: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rounded values and the bits of each.

        Parameters
        ----------
        values : Tensor
            (N, channels, h, w).
        quality : Tensor
            (N,), from 0 to 1: the nearest node counts.
        hard : bool
            Round, instead of the noise that training needs.
        """
        noisy = torch.round(values) if hard else values + torch.rand_like(values) - 0.5
        node = self.node(quality)
        flat = noisy.reshape(len(values), self.channels, 1, -1)
        likelihood = self._cumulative(flat + 0.5, node) - self._cumulative(flat - 0.5, node)
        spent = -torch.log2(likelihood.clamp_min(LEAST_LIKELIHOOD))
        return quantize(values), spent.view(values.shape)

    def node(self, quality: torch.Tensor) -> torch.Tensor:
        """Return the gain node nearest to each quality."""
        return torch.floor(quality.clamp(0, 1) * (self.nodes - 1) + 0.5).long()

    def _cumulative(self, values: torch.Tensor, node: torch.Tensor) -> torch.Tensor:
        """Return the distribution function at (N, channels, 1, n), each by its own node."""

        def of_node(parameter: torch.Tensor) -> torch.Tensor:
            return parameter.view(self.nodes, self.channels, *parameter.shape[1:])[node]

        layers = self.bottleneck
        for index, (matrix, bias) in enumerate(zip(layers.matrices, layers.biases, strict=True)):
            weight = nn.functional.softplus(of_node(matrix))
            values = torch.matmul(weight, values) + of_node(bias)
            if index < len(layers.factors):
                values = values + torch.tanh(of_node(layers.factors[index])) * torch.tanh(values)
        return torch.sigmoid(values)
