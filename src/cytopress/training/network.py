"""U-Net of every task, after FNet.

Ounkomol et al., "Label-free prediction of three-dimensional fluorescence images from
transmitted-light microscopy", Nature Methods 2018: a U-Net with batch normalization, trained on the
mean squared error between standardized images. Segmentation asks the same network for classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from cytopress.training.options import Volume

Convolution = nn.Conv2d | nn.ConvTranspose2d | nn.Conv3d | nn.ConvTranspose3d
Norm = nn.BatchNorm2d | nn.BatchNorm3d
# By the number of spatial axes.
CONVOLUTIONS: dict[int, Any] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, Any] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
NORMS: dict[int, Any] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
POOLING: dict[int, Any] = {2: nn.functional.max_pool2d, 3: nn.functional.max_pool3d}


class UNet(nn.Module):
    """One channel in, ``outputs`` out, of one size, which must be a multiple of ``strides``.

    Parameters
    ----------
    channels : int
        Features at full resolution; doubled at each halving.
    depth : int
        Number of halvings.
    outputs : int, optional
        Output channels.
    volume : Volume, optional
        For stacks: how many of the halvings, the last ones, halve Z too, and how many pixels of a
        plane, along each of its axes, are folded into one before the first block, by a
        convolution, and unfolded behind the last.
    """

    def __init__(
        self, channels: int, depth: int, outputs: int = 1, volume: Volume | None = None
    ) -> None:
        super().__init__()
        self.dimensions = 2 if volume is None else 3
        fold = 1 if volume is None else volume.fold
        self.halvings = _halvings(depth, volume)
        self.stride = fold * 2**depth
        self.strides: tuple[int, ...] = (self.stride, self.stride)
        if volume is not None:
            self.strides = (2**volume.halvings, *self.strides)
        # A folding of one pixel would be a convolution that the first one can do.
        folding = (1, fold, fold)
        self.fold = None if fold == 1 else nn.Conv3d(1, channels, folding, stride=folding)
        widths = [channels * 2**level for level in range(depth + 1)]
        entering = 1 if self.fold is None else channels
        self.down = nn.ModuleList(
            _two_convolutions(above, width, self.dimensions)
            for above, width in zip([entering, *widths[:-1]], widths, strict=True)
        )
        enlarging = TRANSPOSED[self.dimensions]
        self.enlarge = nn.ModuleList(
            enlarging(below, width, halving, stride=halving)
            for below, width, halving in zip(widths[1:], widths[:-1], self.halvings, strict=True)
        )
        self.up = nn.ModuleList(
            _two_convolutions(2 * width, width, self.dimensions) for width in widths[:-1]
        )
        self.head = (
            CONVOLUTIONS[self.dimensions](channels, outputs, 1)
            if self.fold is None
            else nn.ConvTranspose3d(channels, outputs, folding, stride=folding)
        )

    def convolutions(self) -> list[tuple[Convolution, Norm | None]]:
        """Return each convolution in the order of computation, with the norm behind it."""
        found: list[tuple[Any, Any]] = [] if self.fold is None else [(self.fold, None)]
        found += [pair for block in self.down for pair in _pairs(block)]
        for enlarge, block in zip(reversed(self.enlarge), reversed(self.up), strict=True):
            found += [(enlarge, None), *_pairs(block)]
        return [*found, (self.head, None)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, 1, H, W) to (N, outputs, H, W), or (N, 1, D, H, W) to (N, outputs, D, H, W)."""
        skips = []
        if self.fold is not None:
            x = self.fold(x)
        for block, halving in zip(self.down[:-1], self.halvings, strict=True):
            x = block(x)
            skips.append(x)
            x = POOLING[self.dimensions](x, halving)
        x = self.down[-1](x)
        for skip, enlarge, block in zip(
            reversed(skips), reversed(self.enlarge), reversed(self.up), strict=True
        ):
            x = block(torch.cat([skip, enlarge(x)], dim=1))
        return self.head(x)  # type: ignore[no-any-return]


def _halvings(depth: int, volume: Volume | None) -> Sequence[tuple[int, ...]]:
    """Return the factors along each axis of each halving, the first one first."""
    if volume is None:
        return [(2, 2)] * depth
    return [(1, 2, 2)] * (depth - volume.halvings) + [(2, 2, 2)] * volume.halvings


def _two_convolutions(above: int, width: int, dimensions: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for entering in (above, width):
        layers += [
            CONVOLUTIONS[dimensions](entering, width, 3, padding=1, bias=False),
            NORMS[dimensions](width),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def _pairs(block: nn.Module) -> list[tuple[Any, Any]]:
    first, first_norm, _, second, second_norm, _ = block.children()
    pairs = (first, first_norm), (second, second_norm)
    # In a frozen network the norm is part of the convolution.
    return [(one, None if isinstance(norm, nn.Identity) else norm) for one, norm in pairs]
