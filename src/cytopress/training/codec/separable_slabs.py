"""Separable transforms of volumes: along z by matrices of the planes of slabs, then in the plane.

Along z the analysis sees the planes around a slab, and the synthesis the latents of the slabs next
to it, so that no border between slabs shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from cytopress.codecs.learned.pixels.slabs import SlabLayout
from cytopress.training.codec.separable import (
    MOST,
    LappedAnalysis,
    LappedSynthesis,
    LatentCorrection,
    places,
)
from cytopress.training.codec.transforms import cosines


class SlabAnalysis(LappedAnalysis):
    """g_a: (N, window, H, W) to (N, channels, H / stride, W / stride), by slab.

    Parameters
    ----------
    channels : int
        Latents of the lowest frequencies that are kept.
    widths : sequence of int
        Channels of the network's 3 x 3 convolutions.
    stride : {8, 16}
        Pixels a latent, along each axis of a plane.
    slabs : SlabLayout
        Planes of a slab, and of its window.
    """

    def __init__(
        self, channels: int, widths: Sequence[int], stride: int, slabs: SlabLayout
    ) -> None:
        super().__init__(widths, stride)
        depth = slabs.stride
        self.along_z = nn.Conv2d(slabs.window, depth, 1, bias=False)
        with torch.no_grad():
            self.along_z.weight.zero_()
            own = self.along_z.weight[:, slabs.margin : slabs.margin + depth, 0, 0]
            own.copy_(torch.from_numpy(cosines(depth).astype(np.float32)))
        self.network = LatentCorrection(channels, widths)
        self.register_buffer("place", places(channels, stride, depth), persistent=False)

    def blocks(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, window, H, W) to (N, depth * stride ** 2, h, w)."""
        return super().blocks(self.along_z(x))


class SlabSynthesis(LappedSynthesis):
    """g_s: (N, stack * channels, h, w) to the (N, planes, h * stride, w * stride) of the middle.

    ``channels``, ``widths``, ``stride`` and ``slabs`` are as in `SlabAnalysis`.
    """

    def __init__(
        self, channels: int, widths: Sequence[int], stride: int, slabs: SlabLayout
    ) -> None:
        super().__init__(widths, stride)
        self.channels, self.slabs = channels, slabs
        depth, stack = slabs.stride, slabs.stack
        self.network = LatentCorrection(stack * channels, widths, channels)
        self.along_z = nn.Conv2d(stack * depth, depth, 1, bias=False)
        with torch.no_grad():
            self.along_z.weight.zero_()
            start = slabs.neighbors * depth
            own = self.along_z.weight[:, start : start + depth, 0, 0]
            own.copy_(torch.from_numpy(cosines(depth).T.astype(np.float32)))
        self.place: torch.Tensor
        # Of each frequency the place of its latent; of those that are not kept, a 0 behind them.
        place = torch.full((depth * stride**2,), channels)
        place[places(channels, stride, depth)] = torch.arange(channels)
        self.register_buffer("place", place, persistent=False)

    def forward(self, y_hat: torch.Tensor) -> torch.Tensor:
        """Return x_hat."""
        added = self.network(y_hat.clamp(-MOST, MOST)).float()
        with torch.autocast(y_hat.device.type, enabled=False):
            height, width = y_hat.shape[2:]
            near, depth = self.slabs.neighbors, self.slabs.stride
            each = list(torch.split(y_hat, self.channels, 1))
            each[near] = each[near] + added
            y = torch.stack(each, 1)
            y = torch.cat((y, torch.zeros_like(y[:, :, :1])), 2)[:, :, self.place]
            # Planes of one frequency in the plane are mixed alike.
            y = y.reshape(-1, self.slabs.stack * depth, self.stride**2 * height, width)
            y = self.along_z(y).reshape(-1, depth * self.stride**2, height, width)
            return self.planes(y, depth)
