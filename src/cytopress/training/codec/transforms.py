"""Analysis and synthesis at low cost: a lapped linear transform beside a small network.

The linear part is initialized to the discrete cosine transform of blocks and learns to overlap
them; the network beside it is initialized near zero and adds what a linear transform cannot. So
training starts from a working transform codec and not from noise.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cytopress.codecs.learned.pixels.slabs import PLANE, SlabLayout

# Factor of the usual initial weights in the last layer of the network beside the transform.
SHARE = 0.1
SHUFFLE = 4


class Residual(nn.Module):
    """``x`` plus 3 x 3 convolutions of it with rectifiers between; one of them ends in one."""

    def __init__(self, channels: int, convolutions: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(convolutions):
            layers.append(nn.Conv2d(channels, channels, 3, padding=1))
            if index < convolutions - 1 or convolutions == 1:
                layers.append(nn.ReLU())
        self.body = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) to the same shape."""
        return x + self.body(x)  # type: ignore[no-any-return]


class Analysis(nn.Module):
    """g_a: (N, planes, H, W) to (N, channels, H / stride, W / stride).

    Parameters
    ----------
    channels : int
        Latent channels; ``stride ** 2`` a plane of a slab make the transform complete.
    widths : sequence of int
        Channels of the network at a quarter, an eighth (and a sixteenth) of the resolution.
    stride : {8, 16}
        Pixels a latent, along each axis.
    slabs : Depth, optional
        Planes that it sees, those of a slab in their middle; one unless given.
    """

    def __init__(
        self, channels: int, widths: Sequence[int], stride: int, slabs: SlabLayout = PLANE
    ) -> None:
        super().__init__()
        planes = slabs.window
        self.linear = nn.Conv2d(
            planes, channels, 2 * stride, stride=stride, padding=stride // 2, bias=False
        )
        layers: list[nn.Module] = [
            nn.PixelUnshuffle(SHUFFLE),
            nn.Conv2d(planes * SHUFFLE**2, widths[0], 3, padding=1),
            nn.ReLU(),
            Residual(widths[0], 1),
        ]
        for above, width in itertools.pairwise(widths):
            layers += [nn.Conv2d(above, width, 2, stride=2), Residual(width, 1)]
        last = nn.Conv2d(widths[-1], channels, 3, padding=1)
        self.network = nn.Sequential(*layers, last)
        _begin_ascosines(self.linear.weight, stride, slabs, before=slabs.margin)
        begin_small(last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return y."""
        with torch.autocast(x.device.type, enabled=False):
            linear = self.linear(x)
        return linear + self.network(x).float()  # type: ignore[no-any-return]


class Synthesis(nn.Module):
    """g_s: (N, channels, h, w) to (N, 1, h * stride, w * stride).

    ``widths`` are the channels of the network at a quarter, an eighth (and a sixteenth) of the
    resolution, as in `Analysis`. Of volumes it takes the latents of some ``slabs``, (N, stack *
    channels, h, w), and gives the planes of the one in their middle.
    """

    def __init__(
        self, channels: int, widths: Sequence[int], stride: int, slabs: SlabLayout = PLANE
    ) -> None:
        super().__init__()
        own, channels = channels, channels * slabs.stack
        self.linear = nn.ConvTranspose2d(
            channels, slabs.stride, 2 * stride, stride=stride, padding=stride // 2, bias=False
        )
        coarse = widths[-1]
        layers: list[nn.Module] = [
            nn.Conv2d(channels, coarse, 3, padding=1),
            nn.ReLU(),
            Residual(coarse, 1),
        ]
        for width in reversed(widths[:-1]):
            layers += [nn.Conv2d(coarse, 4 * width, 1), nn.PixelShuffle(2), Residual(width, 2)]
            coarse = width
        last = nn.Conv2d(coarse, slabs.stride * SHUFFLE**2, 3, padding=1)
        self.network = nn.Sequential(*layers, last, nn.PixelShuffle(SHUFFLE))
        middle = self.linear.weight[own * slabs.neighbors :][:own]
        with torch.no_grad():
            self.linear.weight.zero_()
        _begin_ascosines(middle, stride, slabs, before=0)
        begin_small(last)

    def forward(self, y_hat: torch.Tensor) -> torch.Tensor:
        """Return x_hat."""
        with torch.autocast(y_hat.device.type, enabled=False):
            linear = self.linear(y_hat)
        return linear + self.network(y_hat).float()  # type: ignore[no-any-return]


def cosine_bases(channels: int, size: int, depth: int = 1) -> npt.NDArray[np.float32]:
    """Return the orthonormal cosine bases of the lowest frequencies of blocks.

    Parameters
    ----------
    channels : int
        How many.
    size, depth : int
        Pixels of a block along y and x, and its planes.

    Returns
    -------
    ndarray
        (channels, depth, size, size).
    """
    deep, flat = cosines(depth), cosines(size)
    order = cosine_order(channels, size, depth)
    bases = [deep[w][:, None, None] * np.outer(flat[u], flat[v]) for w, u, v in order]
    stacked: npt.NDArray[np.float32] = np.stack(bases).astype(np.float32)
    return stacked


def cosine_order(channels: int, size: int, depth: int = 1) -> list[tuple[int, int, int]]:
    """Return the frequencies along z, y and x of a block's bases, the lowest first."""
    every = (
        (w * w + u * u + v * v, w, u, v)
        for w in range(depth)
        for u in range(size)
        for v in range(size)
    )
    return [(w, u, v) for _, w, u, v in sorted(every)[:channels]]


def cosines(size: int) -> npt.NDArray[np.float64]:
    """Return the orthonormal cosine bases of ``size`` points, a row each."""
    k, i = np.arange(size)[:, None], np.arange(size)[None]
    rows: npt.NDArray[np.float64] = np.sqrt(2 / size) * np.cos(np.pi * (i + 0.5) * k / size)
    rows[0] /= np.sqrt(2)
    return rows


def _begin_ascosines(weight: torch.Tensor, size: int, slabs: SlabLayout, *, before: int) -> None:
    """Set weights, (channels, planes, 2 * size, 2 * size), to bases of a slab's planes."""
    bases = torch.from_numpy(cosine_bases(weight.shape[0], size, slabs.stride))
    if len(bases) < weight.shape[0]:
        raise ValueError(f"a stride of {size} has at most {size**2 * slabs.stride} latent channels")
    edge = size // 2
    with torch.no_grad():
        weight.zero_()
        weight[:, before : before + slabs.stride, edge : edge + size, edge : edge + size] = bases


def begin_small(layer: nn.Conv2d) -> None:
    """Make the initial output of a network's last layer small."""
    with torch.no_grad():
        layer.weight *= SHARE
        if layer.bias is not None:
            layer.bias.zero_()
