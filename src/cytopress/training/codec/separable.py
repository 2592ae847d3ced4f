"""Transforms for speed: a separable lapped transform, and a network among its latents.

The lapped transform multiplies along y and then along x: 32 multiply-adds a pixel, where one
convolution of 16 x 16 pixels takes 256. What a linear transform cannot do is done at an eighth of
the resolution, by a network that adds to the latents: after it in the analysis, before it in the
synthesis. Activations are clipped to 8 used ranges, so that 16-bit integers hold them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from cytopress.training.codec.transforms import begin_small, cosine_order, cosines

# Used ranges that activations are clipped to: the constant latent of a block of one used range.
MOST = 8.0


class Clipped(nn.Module):
    """A rectifier that ends at `MOST`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Clip any tensor."""
        return x.clamp(0, MOST)


class LatentResidual(nn.Module):
    """``x`` plus a 3 x 3 convolution of it, clipped."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, C, h, w) to the same shape."""
        return (x + self.convolution(x)).clamp(0, MOST)  # type: ignore[no-any-return]


class LatentCorrection(nn.Sequential):
    """Among latents, (N, C, h, w) to the same shape: 3 x 3 convolutions of fewer channels.

    Parameters
    ----------
    channels : int
        C.
    widths : sequence of int
        Channels of the convolutions, a residual block each; all the same.
    outputs : int, optional
        Channels that it gives; C unless given.
    """

    def __init__(self, channels: int, widths: Sequence[int], outputs: int = 0) -> None:
        last = nn.Conv2d(widths[-1], outputs or channels, 1)
        begin_small(last)
        super().__init__(
            nn.Conv2d(channels, widths[0], 1),
            Clipped(),
            *(LatentResidual(width) for width in widths),
            last,
        )


class LappedAnalysis(nn.Module):
    """The lapped transform of planes, in frequencies along y and x, and a network behind it.

    Subclasses add the ``network``, and the ``place`` of each latent among the frequencies.

    Parameters
    ----------
    widths : sequence of int
        Channels of the network's 3 x 3 convolutions.
    stride : {8, 16}
        Pixels a latent, along each axis.
    """

    network: nn.Module
    place: torch.Tensor

    def __init__(self, widths: Sequence[int], stride: int) -> None:
        super().__init__()
        self.stride, self.reach = stride, (1 + len(widths)) * stride
        kernel, edge = 2 * stride, stride // 2
        self.along_x = nn.Conv2d(
            1, stride, (1, kernel), stride=(1, stride), padding=(0, edge), bias=False
        )
        self.along_y = nn.Conv2d(
            1, stride, (kernel, 1), stride=(stride, 1), padding=(edge, 0), bias=False
        )
        _begin_cosines((self.along_x, self.along_y), stride)

    def blocks(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, D, H, W) to (N, D * stride ** 2, h, w): by plane, frequency along y and x."""
        size, depth = self.stride, x.shape[1]
        rows = self.along_x(x.flatten(0, 1)[:, None])
        y = self.along_y(rows.flatten(0, 1)[:, None])
        y = y.reshape(-1, size, size, *y.shape[2:]).transpose(1, 2)
        return y.reshape(-1, depth * size**2, *y.shape[3:])  # type: ignore[no-any-return]

    def linear(self, x: torch.Tensor) -> torch.Tensor:
        """Return the latents of the lapped transform alone."""
        with torch.autocast(x.device.type, enabled=False):
            return self.blocks(x)[:, self.place]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return y."""
        y = self.linear(x)
        return y + self.network(y.clamp(-MOST, MOST)).float()  # type: ignore[no-any-return]


class LappedSynthesis(nn.Module):
    """The way back; ``widths`` and ``stride`` are as in `LappedAnalysis`."""

    def __init__(self, widths: Sequence[int], stride: int) -> None:
        super().__init__()
        self.stride, self.reach = stride, (1 + len(widths)) * stride
        kernel, edge = 2 * stride, stride // 2
        self.along_y = nn.ConvTranspose2d(
            stride, 1, (kernel, 1), stride=(stride, 1), padding=(edge, 0), bias=False
        )
        self.along_x = nn.ConvTranspose2d(
            stride, 1, (1, kernel), stride=(1, stride), padding=(0, edge), bias=False
        )
        _begin_cosines((self.along_y, self.along_x), stride)

    def planes(self, y: torch.Tensor, depth: int = 1) -> torch.Tensor:
        """Map (N, depth * stride ** 2, h, w) to (N, depth, h * stride, w * stride)."""
        size, (height, width) = self.stride, y.shape[2:]
        # A plane of each frequency along x, of all those along y.
        y = y.reshape(-1, size, size, height, width).transpose(1, 2)
        rows = self.along_y(y.reshape(-1, size, height, width))
        x = self.along_x(rows.reshape(-1, size, size * height, width))
        return x.reshape(-1, depth, size * height, size * width)  # type: ignore[no-any-return]


class SeparableAnalysis(LappedAnalysis):
    """g_a: (N, 1, H, W) to (N, stride ** 2, H / stride, W / stride)."""

    def __init__(self, widths: Sequence[int], stride: int) -> None:
        super().__init__(widths, stride)
        self.network = LatentCorrection(stride**2, widths)
        # Latents in order of frequency, of those by frequency along y and x.
        self.register_buffer("place", places(stride**2, stride), persistent=False)


class SeparableSynthesis(LappedSynthesis):
    """g_s: (N, stride ** 2, h, w) to (N, 1, h * stride, w * stride)."""

    def __init__(self, widths: Sequence[int], stride: int) -> None:
        super().__init__(widths, stride)
        self.network = LatentCorrection(stride**2, widths)
        # Latents are in order of frequency; the transform takes them by frequency along y and x.
        self.place: torch.Tensor
        self.register_buffer("place", places(stride**2, stride).argsort(), persistent=False)

    def forward(self, y_hat: torch.Tensor) -> torch.Tensor:
        """Return x_hat."""
        y = y_hat + self.network(y_hat.clamp(-MOST, MOST)).float()
        with torch.autocast(y.device.type, enabled=False):
            return self.planes(y[:, self.place])


def places(channels: int, stride: int, depth: int = 1) -> torch.Tensor:
    """Return the place of each latent, in order of frequency, among those along z, y and x."""
    order = cosine_order(channels, stride, depth)
    return torch.tensor([(w * stride + u) * stride + v for w, u, v in order])


@torch.no_grad()
def _begin_cosines(layers: Sequence[nn.Module], stride: int) -> None:
    """Set both filters of a lapped transform to the cosine bases of blocks."""
    rows = torch.from_numpy(cosines(stride).astype(np.float32))
    edge = stride // 2
    for layer in layers:
        weight: Any = layer.weight
        weight.zero_()
        weight.view(stride, 2 * stride)[:, edge : edge + stride] = rows
