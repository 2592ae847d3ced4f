"""A synthesis for speed: a network among the latents, then a separable lapped transform.

The lapped transform multiplies along y and then along x: 32 multiply-adds a pixel, where one
convolution of 16 x 16 pixels takes 256. What a linear transform cannot do is done before it, at an
eighth of the resolution, by a network that adds to the latents. Activations are clipped to 8 used
ranges, so that 16-bit integers hold them.
"""

from __future__ import annotations

from collections.abc import Sequence

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


class SeparableSynthesis(nn.Module):
    """g_s: (N, stride ** 2, h, w) to (N, 1, h * stride, w * stride).

    Parameters
    ----------
    widths : sequence of int
        Channels of the network's 3 x 3 convolutions, one residual block each but for the first.
    stride : {8, 16}
        Pixels a latent, along each axis.
    """

    def __init__(self, widths: Sequence[int], stride: int) -> None:
        super().__init__()
        channels = stride**2
        self.stride = stride
        width = widths[0]
        last = nn.Conv2d(width, channels, 1)
        self.network = nn.Sequential(
            nn.Conv2d(channels, width, 1),
            Clipped(),
            *(LatentResidual(each) for each in widths),
            last,
        )
        begin_small(last)
        # Latents are in order of frequency; the transform takes them by frequency along y and x.
        order = [u * stride + v for u, v in cosine_order(channels, stride)]
        self.register_buffer("place", torch.from_numpy(np.argsort(order)), persistent=False)
        kernel, edge = 2 * stride, stride // 2
        self.along_y = nn.ConvTranspose2d(
            stride, 1, (kernel, 1), stride=(stride, 1), padding=(edge, 0), bias=False
        )
        self.along_x = nn.ConvTranspose2d(
            stride, 1, (1, kernel), stride=(1, stride), padding=(0, edge), bias=False
        )
        rows = torch.from_numpy(cosines(stride).astype(np.float32))
        with torch.no_grad():
            for layer in (self.along_y, self.along_x):
                layer.weight.zero_()
                flat = layer.weight.view(stride, kernel)
                flat[:, edge : edge + stride] = rows

    def forward(self, y_hat: torch.Tensor) -> torch.Tensor:
        """Return x_hat."""
        y = y_hat + self.network(y_hat.clamp(-MOST, MOST)).float()
        with torch.autocast(y.device.type, enabled=False):
            size, (height, width) = self.stride, y.shape[2:]
            y = y[:, self.place].reshape(-1, size, size, height, width)
            # A plane of each frequency along x, of all those along y.
            y = y.transpose(1, 2).reshape(-1, size, height, width)
            rows = self.along_y(y).reshape(-1, size, size * height, width)
            return self.along_x(rows)  # type: ignore[no-any-return]
