"""Multi-scale PatchGAN discriminators that see the input beside the target.

Wang et al., "High-resolution image synthesis and semantic manipulation with conditional GANs"
(pix2pixHD), CVPR 2018: one network a scale, each judging patches, with the least-squares loss of
Mao et al., "Least squares generative adversarial networks", ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

WIDEST = 8
LEAK = 0.2
# For each scale the outputs of its layers; the last are scores of patches.
Answers = list[list[torch.Tensor]]


class Discriminators(nn.Module):
    """Distinguishes targets from predictions, each given with its input.

    Parameters
    ----------
    scales : int
        Networks; each reads half the resolution of the one before.
    channels : int
        Features of the first layer, doubled at each halving, up to eightfold.
    layers : int
        Halvings within each network.
    """

    def __init__(self, scales: int, channels: int, layers: int) -> None:
        super().__init__()
        self.networks = nn.ModuleList(_patches(channels, layers) for _ in range(scales))
        self.shrink = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> Answers:
        """Return the outputs of each scale's layers for inputs and targets, both (N, 1, H, W)."""
        seen, answers = torch.cat([source, target], dim=1), []
        for number, network in enumerate(self.networks):
            seen = self.shrink(seen) if number else seen
            answers.append(_each_layer(network, seen))
        return answers


def _patches(channels: int, layers: int) -> nn.ModuleList:
    widths = [channels * min(2**level, WIDEST) for level in range(layers + 1)]
    blocks = [nn.Sequential(_convolution(2, widths[0], 2), nn.LeakyReLU(LEAK))]
    for level, (above, width) in enumerate(pairwise(widths), start=1):
        stride = 1 if level == layers else 2
        blocks.append(
            nn.Sequential(
                _convolution(above, width, stride), nn.InstanceNorm2d(width), nn.LeakyReLU(LEAK)
            )
        )
    return nn.ModuleList([*blocks, _convolution(widths[-1], 1, 1)])


def _convolution(entering: int, width: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(entering, width, 4, stride=stride, padding=2)


def _each_layer(network: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    answers = []
    for layer in network.children():
        x = layer(x)
        answers.append(x)
    return answers


def verdict_loss(answers: Answers, wanted: float) -> torch.Tensor:
    """Return the mean squared distance of all patch scores from 1 (target) or 0 (prediction)."""
    return _mean([(scale[-1].float() - wanted).square().mean() for scale in answers])


def feature_loss(predicted: Answers, true: Answers) -> torch.Tensor:
    """Return the mean absolute distance between layer outputs for predictions and targets."""
    distances = [
        (mine.float() - other.detach().float()).abs().mean()
        for scale, truth in zip(predicted, true, strict=True)
        for mine, other in zip(scale[:-1], truth[:-1], strict=True)
    ]
    return _mean(distances)


def _mean(values: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(values)).mean()
