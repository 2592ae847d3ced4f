"""A context model: what was decoded before tells of what comes next.

The first channels, low frequencies, are decoded in turns, each knowing neighbors that were decoded
before (He et al., "Checkerboard context model for efficient learned image compression", CVPR 2021,
has the first of the two orders here). The other channels know all of the first ones
around them (uneven groups of channels after He et al., "ELIC", CVPR 2022). Each step adds to the
means and scales that the hyperprior gave.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from cytopress.codecs.learned.turns import Turn

# As in the integer form: activations are held within 2 ** 20, 8 bits of it a fraction.
MOST = 2.0**12
Choose = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Step(nn.Module):
    """Means and scales of some channels, from decoded ones.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    width : int
        Channels between.
    reach : int
        Latents beyond its own that the scales go by, along each axis.
    """

    def __init__(self, inputs: int, outputs: int, width: int, reach: int) -> None:
        super().__init__()
        side = 2 * reach + 1
        self.hidden = nn.Conv2d(inputs, width, side, padding=reach, bias=False)
        self.scale = nn.Conv2d(width, outputs, 1)
        self.mean = nn.Conv2d(inputs, outputs, 1, bias=False)
        with torch.no_grad():
            # It begins as if there were no context.
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
            (N, inputs, h, w): decoded latents around their means, in steps.
        features : Tensor
            (N, width, h, w): what the hyper synthesis adds before the rectifier.
        """
        known = known.clamp(-MOST, MOST)
        hidden = (self.hidden(signed_log(known)) + features).clamp(0, MOST)
        return self.mean(known).clamp(-MOST, MOST), self.scale(hidden)


class Context(nn.Module):
    """Steps among the first channels, in turns, and one from them to the rest.

    Parameters
    ----------
    channels : int
        Of the latents.
    first : int
        How many of them are decoded first.
    width : int
        Channels inside each step.
    order : tuple of Turn
        In which order these are decoded.
    """

    def __init__(self, channels: int, first: int, width: int, order: tuple[Turn, ...]) -> None:
        super().__init__()
        self.first, self.width, self.order = first, width, order
        for turn in order:
            if turn.step is not None:
                self.add_module(turn.step, Step(len(turn.around) * first, first, width, 0))
        self.inward = Step(first, channels - first, width, 1)

    def forward(
        self,
        y: torch.Tensor,
        mean: torch.Tensor,
        log_scale: torch.Tensor,
        features: torch.Tensor,
        choose: Choose,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return means and log2 of the scales, (N, M, h, w) each.

        Parameters
        ----------
        y, mean, log_scale : Tensor
            (N, M, h, w): the latents in steps, and what the hyperprior says of them; h and w even.
        features : Tensor
            (N, 2 * width, h, w), of the hyper synthesis.
        choose : callable
            Gives symbols for residuals and their log2 scales.
        """

        def symbols(residual: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            return residual + (choose(residual.detach(), scale.detach()) - residual).detach()

        first, inside = self.first, features[:, : self.width]
        left, scale = y[:, :first] - mean[:, :first], log_scale[:, :first]
        known, more, wider = (torch.zeros_like(left) for _ in range(3))
        for turn in self.order:
            residual, spread = pick(turn, left), pick(turn, scale)
            offset, growth = torch.zeros_like(residual), torch.zeros_like(residual)
            if turn.step is not None:
                step = self.get_submodule(turn.step)
                offset, growth = step(neighbors(turn, known), pick(turn, inside))
            decoded = symbols(residual - offset, spread + growth) + offset
            known = known + spread_out(turn, decoded)
            more = more + spread_out(turn, offset)
            wider = wider + spread_out(turn, growth)
        rest, others = self.inward(known, features[:, self.width :])
        return mean + torch.cat((more, rest), 1), log_scale + torch.cat((wider, others), 1)


def pick(turn: Turn, x: torch.Tensor) -> torch.Tensor:
    """Return what a turn takes of (N, C, h, w), one place below the other, (N, C, rows, w / 2)."""
    return torch.cat([x[:, :, row::2, column::2] for row, column in turn.places], 2)


def spread_out(turn: Turn, values: torch.Tensor) -> torch.Tensor:
    """Return what `pick` returned at its places, (N, C, h, w); 0 elsewhere."""
    parts = dict(zip(turn.places, values.chunk(len(turn.places), 2), strict=True))
    none = torch.zeros_like(next(iter(parts.values())))
    corners = ((0, 0), (0, 1), (1, 0), (1, 1))
    whole = torch.stack([parts.get(place, none) for place in corners], 2)
    return nn.functional.pixel_shuffle(whole.flatten(1, 2), 2)


def neighbors(turn: Turn, x: torch.Tensor) -> torch.Tensor:
    """Return what lies around the places of a turn, as `pick` has them; 0 outside."""
    height, width = x.shape[2:]
    wide = nn.functional.pad(x, (1, 1, 1, 1))
    return torch.cat(
        [
            pick(turn, wide[:, :, 1 + down : 1 + down + height, 1 + right : 1 + right + width])
            for down, right in turn.around
        ],
        1,
    )


def signed_log(x: torch.Tensor) -> torch.Tensor:
    """Return sign(x) log2(1 + |x|), a straight line between powers of two.

    As such it has an exact form in integers.
    """
    size = 1 + x.abs()
    exponent = torch.frexp(size.detach())[1] - 1
    return torch.sign(x) * (exponent + torch.ldexp(size, -exponent) - 1)
