"""The U-Net of every task, in the manner of FNet.

Ounkomol et al., "Label-free prediction of three-dimensional fluorescence images from
transmitted-light microscopy", Nature Methods 2018: a U-Net with batch normalization, trained on the
mean squared error between standardized images. Segmentation asks the same network for classes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

Convolution = nn.Conv2d | nn.ConvTranspose2d


class UNet(nn.Module):
    """One channel in, ``outputs`` out, of one size, which must be a multiple of ``stride``.

    Parameters
    ----------
    channels : int
        Features at full resolution; doubled at each halving.
    depth : int
        Number of halvings.
    outputs : int, optional
        Channels of the answer.
    """

    def __init__(self, channels: int, depth: int, outputs: int = 1) -> None:
        super().__init__()
        widths = [channels * 2**level for level in range(depth + 1)]
        self.stride = 2**depth
        self.down = nn.ModuleList(
            _two_convolutions(above, width)
            for above, width in zip([1, *widths[:-1]], widths, strict=True)
        )
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(below, width, 2, stride=2)
            for below, width in zip(widths[1:], widths[:-1], strict=True)
        )
        self.up = nn.ModuleList(_two_convolutions(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv2d(channels, outputs, 1)

    def convolutions(self) -> list[tuple[Convolution, nn.BatchNorm2d | None]]:
        """Return each convolution in the order of computation, with the norm behind it."""
        found = [pair for block in self.down for pair in _pairs(block)]
        for enlarge, block in zip(reversed(self.enlarge), reversed(self.up), strict=True):
            found += [(enlarge, None), *_pairs(block)]
        return [*found, (self.head, None)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, 1, H, W) to (N, outputs, H, W)."""
        skips = []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.down[-1](x)
        for skip, enlarge, block in zip(
            reversed(skips), reversed(self.enlarge), reversed(self.up), strict=True
        ):
            x = block(torch.cat([skip, enlarge(x)], dim=1))
        return self.head(x)  # type: ignore[no-any-return]


def _two_convolutions(above: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for entering in (above, width):
        layers += [
            nn.Conv2d(entering, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def _pairs(block: nn.Module) -> list[tuple[Any, Any]]:
    first, first_norm, _, second, second_norm, _ = block.children()
    return [(first, first_norm), (second, second_norm)]
