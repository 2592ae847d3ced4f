"""Context model in training: means and scales of latents from those decoded before.

The first channels, low frequencies, are decoded on the white squares of a checkerboard, then on the
black ones, predicted from their four white neighbors (He et al., "Checkerboard context model for
efficient learned image compression", CVPR 2021). The other channels are predicted from all of the
first ones around them (uneven groups of channels after He et al., "ELIC", CVPR 2022). Each step
adds to the means and scales of the hyperprior.
"""

from __future__ import annotations

import torch
from torch import nn

from cytopress.codecs.learned.latents.hyper_context import BESIDE
from cytopress.training.codec.secondary_transforms import Choose, Coding, Cost, SecondaryTransforms

# As in the integer form: activations are clipped to 2 ** 20, 8 bits of it a fraction.
MOST = 2.0**12


class ContextStep(nn.Module):
    """Means and scales of some channels, from decoded ones.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    width : int
        Hidden channels.
    reach : int
        Latents beyond its own that the scales depend on, along each axis.
    """

    def __init__(self, inputs: int, outputs: int, width: int, reach: int) -> None:
        super().__init__()
        side = 2 * reach + 1
        self.hidden = nn.Conv2d(inputs, width, side, padding=reach, bias=False)
        self.scale = nn.Conv2d(width, outputs, 1)
        self.mean = nn.Conv2d(inputs, outputs, 1, bias=False)
        with torch.no_grad():
            # It is initialized to add nothing.
            self.mean.weight.zero_()
            self.scale.weight.zero_()
            assert self.scale.bias is not None
            self.scale.bias.zero_()

    def forward(
        self, known: torch.Tensor, features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what to add to the means and to log2 of the scales, (N, outputs, h, w) each.

        Parameters
        ----------
        known : Tensor
            (N, inputs, h, w): decoded latents without their means, in steps.
        features : Tensor
            (N, width, h, w): added before the rectifier, from the hyper synthesis.
        """
        known = known.clamp(-MOST, MOST)
        hidden = (self.hidden(signed_log(known)) + features).clamp(0, MOST)
        return self.mean(known).clamp(-MOST, MOST), self.scale(hidden)


class ContextModel(nn.Module):
    """Both steps, and secondary transforms (``turned``: the name is a key of checkpoints).

    Parameters
    ----------
    channels : int
        Of the latents.
    first : int
        Number of channels that are decoded first.
    width : int
        Hidden channels of each step.
    rotations : int
        Secondary transforms of the first channels, and of the others; 0 for none.
    """

    def __init__(self, channels: int, first: int, width: int, rotations: int) -> None:
        super().__init__()
        self.first, self.width = first, width
        self.across = ContextStep(4 * first, first, width, 0)
        self.inward = ContextStep(first, channels - first, width, 1)
        self.turned: nn.ModuleList | None = None
        if rotations:
            counts = first, channels - first
            self.turned = nn.ModuleList(SecondaryTransforms(count, rotations) for count in counts)

    def forward(
        self,
        y: torch.Tensor,
        mean: torch.Tensor,
        log_scale: torch.Tensor,
        features: torch.Tensor,
        choose: Choose,
        cost: Cost,
    ) -> Coding:
        """Return the coded latents; ``decoded`` includes their means.

        Parameters
        ----------
        y, mean, log_scale : Tensor
            (N, M, h, w): the latents in steps, and their moments by the hyperprior.
        features : Tensor
            (N, 2 * width, h, w), of the hyper synthesis.
        choose, cost : callable
            Give the symbols of residuals by their log2 scales, and their costs.
        """

        def code(
            part: int, residual: torch.Tensor, scale: torch.Tensor, where: torch.Tensor
        ) -> Coding:
            if self.turned is not None:
                transformed: Coding = self.turned[part](residual, scale, where, choose, cost)
                return transformed
            chosen = choose(residual.detach(), scale.detach())
            decoded = residual + (chosen - residual).detach()
            return Coding(decoded, residual, scale, chosen, residual.new_zeros(len(residual)))

        first = self.first
        around, scale = y[:, :first] - mean[:, :first], log_scale[:, :first]
        black = black_squares(y.shape[2], y.shape[3], y.device)
        white = code(0, around, scale, ~black)
        more, wider = self.across(neighbors(white.decoded * ~black), features[:, : self.width])
        beside = code(0, around - more, scale + wider, black)
        known = torch.where(black, beside.decoded + more, white.decoded)
        rest, others = self.inward(known, features[:, self.width :])
        rest = mean[:, first:] + rest
        inside = code(1, y[:, first:] - rest, log_scale[:, first:] + others, black | ~black)
        both = [torch.where(black, b, w) for b, w in zip(beside[1:4], white[1:4], strict=True)]
        residual, scale, chosen = (
            torch.cat(parts, 1) for parts in zip(both, inside[1:4], strict=True)
        )
        y_hat = torch.cat((known + mean[:, :first], inside.decoded + rest), 1)
        return Coding(y_hat, residual, scale, chosen, white.bits + beside.bits + inside.bits)


def black_squares(height: int, width: int, device: torch.device | None = None) -> torch.Tensor:
    """Return the (height, width) mask of the squares that are decoded second."""
    rows, columns = (torch.arange(length, device=device) for length in (height, width))
    return (rows[:, None] + columns) % 2 == 1


def neighbors(x: torch.Tensor) -> torch.Tensor:
    """Return the values above, below, left and right of each, (N, 4 * C, h, w); 0 outside."""
    return around(x, BESIDE)


def around(x: torch.Tensor, places: tuple[tuple[int, int], ...]) -> torch.Tensor:
    """Return the values at offsets ``places`` of each, (N, places * C, h, w); 0 outside."""
    height, width = x.shape[2:]
    wide = nn.functional.pad(x, (1, 1, 1, 1))
    return torch.cat(
        [wide[:, :, 1 + t : 1 + t + height, 1 + e : 1 + e + width] for t, e in places], 1
    )


def signed_log(x: torch.Tensor) -> torch.Tensor:
    """Return sign(x) log2(1 + |x|), a straight line between powers of two.

    So it has an exact form in integers.
    """
    size = 1 + x.abs()
    exponent = torch.frexp(size.detach())[1] - 1
    return torch.sign(x) * (exponent + torch.ldexp(size, -exponent) - 1)
