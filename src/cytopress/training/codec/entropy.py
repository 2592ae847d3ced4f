"""The entropy model of our architectures: hyper-latents, and what they say about the latents.

Ballé et al., "Variational image compression with a scale hyperprior", ICLR 2018; the mean as well
after Minnen et al., "Joint autoregressive and hierarchical priors", NeurIPS 2018. Here the hyper
synthesis is a chain of plain convolutions, so that its integer form (`integer`) is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from cytopress.codecs.learned.compressai.architectures import need

# log2 of the smallest and largest standard deviation of a latent, in quantization steps.
LEAST_SCALE, MOST_SCALE = -4.0, 8.0
LEAST_LIKELIHOOD = 1e-9
# Hyper-latents are this many times coarser than latents.
HYPER_STRIDE = 4


@dataclass(frozen=True)
class Layer:
    """One layer of the hyper synthesis: a convolution, then what follows it."""

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


class GaussianBits(nn.Module):
    """Bits of residuals under a normal distribution of mean 0, integrated over a step."""

    def __init__(self) -> None:
        super().__init__()
        self.bound = need("compressai.ops").LowerBound(LEAST_SCALE)

    def forward(self, residual: torch.Tensor, log_scale: torch.Tensor) -> torch.Tensor:
        """Return bits an image, (N,); ``log_scale`` is log2 of the standard deviation."""
        return self.each(residual, log_scale).flatten(1).sum(1)

    def each(self, residual: torch.Tensor, log_scale: torch.Tensor) -> torch.Tensor:
        """Return the bits of each residual."""
        scale = torch.exp2(self.bound(log_scale).clamp_max(MOST_SCALE))
        distance = residual.abs()
        likelihood = torch.special.ndtr((0.5 - distance) / scale) - torch.special.ndtr(
            (-0.5 - distance) / scale
        )
        return -torch.log2(likelihood.clamp_min(LEAST_LIKELIHOOD))


def quantize(values: torch.Tensor) -> torch.Tensor:
    """Round to integers, letting the gradient through as if it were the identity."""
    return values + (torch.round(values) - values).detach()


class Prior(nn.Module):
    """The factorized prior of Ballé et al. 2018, around zero: values are rounded to integers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bottleneck = need("compressai.entropy_models").EntropyBottleneck(channels)

    def forward(self, values: torch.Tensor, *, hard: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rounded values and the bits an image."""
        noisy = torch.round(values) if hard else values + torch.rand_like(values) - 0.5
        channels = values.shape[1]
        flat = noisy.transpose(0, 1).reshape(channels, 1, -1)
        likelihood, _, _ = self.bottleneck._likelihood(flat)  # noqa: SLF001 - it has no other name
        shape = (channels, values.shape[0], *values.shape[2:])
        spent = -torch.log2(likelihood.clamp_min(LEAST_LIKELIHOOD))
        return quantize(values), spent.reshape(shape).transpose(0, 1).flatten(1).sum(1)
