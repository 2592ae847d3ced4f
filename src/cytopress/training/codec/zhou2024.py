"""Volumetric network of the study by Zhou, Sollmann and Chen.

"Deep learning based image compression for microscopy images: an empirical study", Biological
Imaging 4:e16, 2024. Four strided 3D convolutions with generalized divisive normalization (GDN)
between, after the factorized-prior model of Ballé et al., "Variational image compression with a
scale hyperprior", ICLR 2018, for latents of 16 x 16 x 16 voxels. Here they are computed slab by
slab, each from exactly the planes that its latents depend on, so that the whole volume never has
to be in memory.
"""

from __future__ import annotations

import torch
from torch import nn

from cytopress.codecs.learned.pixels.slabs import SlabLayout

SIDE, LAYERS = 5, 4
LEAST_BETA = 1e-6
# Voxels beyond its own 16 that a latent depends on, and that depend on it: 2 * (1 + 2 + 4 + 8).
REACH = 30


class GDN3d(nn.Module):
    """Divide each channel by the square root of beta + gamma times all channels squared.

    Ballé, Laparra and Simoncelli, "Density modeling of images using a generalized normalization
    transformation", ICLR 2016. Both are kept positive as squares. ``inverse`` multiplies.
    """

    def __init__(self, channels: int, *, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter(torch.ones(channels))
        self.gamma = nn.Parameter(0.1**0.5 * torch.eye(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, C, D, H, W) to the same shape."""
        weight = self.gamma.square()[:, :, None, None, None]
        norm = nn.functional.conv3d(x.square(), weight, self.beta.square() + LEAST_BETA)
        return x * torch.sqrt(norm) if self.inverse else x * torch.rsqrt(norm)


class Analysis3d(nn.Module):
    """g_a: the planes that a slab depends on, (N, window, H, W), to (N, M, H / 16, W / 16)."""

    reach = REACH

    def __init__(self, n: int, m: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(LAYERS):
            inputs, outputs = n if index else 1, n if index < LAYERS - 1 else m
            # In the plane it pads; along z it is given all planes that it depends on.
            layers.append(nn.Conv3d(inputs, outputs, SIDE, stride=2, padding=(0, 2, 2)))
            if index < LAYERS - 1:
                layers.append(GDN3d(n))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return y."""
        return self.layers(x[:, None, : 2 * REACH + 1])[:, :, 0]  # type: ignore[no-any-return]


class Synthesis3d(nn.Module):
    """g_s: latents of a slab and its neighbors, (N, stack * M, h, w), to (N, 16, 16 h, 16 w)."""

    reach = REACH + 2

    def __init__(self, n: int, m: int, slabs: SlabLayout) -> None:
        super().__init__()
        self.slabs, self.latents = slabs, m
        layers: list[nn.Module] = []
        for index in range(LAYERS):
            inputs, outputs = n if index else m, n if index < LAYERS - 1 else 1
            layers.append(
                nn.ConvTranspose3d(inputs, outputs, SIDE, stride=2, padding=2, output_padding=1)
            )
            if index < LAYERS - 1:
                layers.append(GDN3d(n, inverse=True))
        self.layers = nn.Sequential(*layers)

    def forward(self, y_hat: torch.Tensor) -> torch.Tensor:
        """Return x_hat."""
        form = (-1, self.slabs.stack, self.latents, *y_hat.shape[2:])
        stacked = y_hat.reshape(form).transpose(1, 2)
        start = self.slabs.neighbors * self.slabs.stride
        return self.layers(stacked)[:, 0, start : start + self.slabs.stride]  # type: ignore[no-any-return]
