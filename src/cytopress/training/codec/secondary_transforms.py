"""Rotations of the latents of a block, of which an encoder takes the cheapest, or none.

One transform for all blocks is a compromise between detail of all sizes. So the latents that are
coded together at one place may be turned first, by one of a few orthonormal matrices that are
learned with everything else; the decoder is told which and turns them back. Sezer, Guleryuz and
Altunbasak, "Approximation and compression with sparse orthonormal transforms", IEEE Transactions
on Image Processing 24, 2015, choose a whole transform so. The integer form is
`cytopress.codecs.learned.latents.secondary_transforms`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from cytopress.codecs.learned.latents.secondary_transforms import ACTIVE_FROM, CLASSES, QUIET
from cytopress.training.codec.gaussian import LEAST_SCALE, STEP

# Standard deviation of what the rotations begin as: some that are far from each other.
BEGINNING = 0.05
# They learn so much faster than all else, which is near its place when they begin.
SPEED = 4.0
# Residuals and their log2 scales to symbols, and to bits and squared steps that weigh like bits.
Choose = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Cost = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Coding(NamedTuple):
    """How residuals at the places of one pass are coded; (N, C, h, w) but ``bits``, (N,).

    ``decoded`` are they as a decoder has them, with the gradient of what they were; ``residual``
    and ``log_scale`` what stands for them in the stream, ``chosen`` its symbols, ``bits`` what is
    paid besides these.
    """

    decoded: torch.Tensor
    residual: torch.Tensor
    log_scale: torch.Tensor
    chosen: torch.Tensor
    bits: torch.Tensor


class SecondaryTransforms(nn.Module):
    """A few rotations, what each adds to the scales, and how likely each is.

    Parameters
    ----------
    channels : int
        That are turned together.
    count : int
        Rotations, besides none.
    """

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        self.channels, self.count = channels, count
        self.skew = nn.Parameter(BEGINNING / SPEED * torch.randn(count, channels, channels))
        self.bias = nn.Parameter(torch.zeros(count, channels))
        self.odds = nn.Parameter(torch.zeros(CLASSES, 1 + count))

    def matrices(self) -> torch.Tensor:
        """Return the rotations, (count, C, C): turned is matrix times residual."""
        return torch.linalg.matrix_exp(SPEED * (self.skew - self.skew.mT))  # type: ignore[no-any-return]

    def widening(self) -> torch.Tensor:
        """Return what each adds to log2 of the scales, (count, C)."""
        return SPEED * self.bias

    def likely(self) -> torch.Tensor:
        """Return log2 of how likely none and each are, (CLASSES, 1 + count), by activity."""
        return torch.log_softmax(SPEED * self.odds, 1) / math.log(2)

    def forward(
        self,
        residual: torch.Tensor,
        log_scale: torch.Tensor,
        where: torch.Tensor,
        choose: Choose,
        cost: Cost,
    ) -> Coding:
        """Choose a rotation for each place, and symbols.

        Where it would not pay on the whole, an image goes without.

        Parameters
        ----------
        residual, log_scale : Tensor
            (N, C, h, w).
        where : Tensor
            (h, w) of bool: the places of this pass. What comes out elsewhere is not turned.
        choose, cost : callable
            Give the symbols of residuals, and what they cost.
        """
        images, channels, *_ = residual.shape
        flat, scale = (a.movedim(1, -1).reshape(-1, channels) for a in (residual, log_scale))
        kind = activity(scale.detach())
        places = torch.nonzero((kind >= 0) & where.flatten().repeat(images))[:, 0]
        kind = kind[places]
        likely, matrices, widening = self.likely()[kind], self.matrices(), self.widening()
        image = places // where.numel()
        with torch.no_grad():
            seen, at = flat[places], scale[places]
            alone = cost(seen, at).sum(1)
            turned = [
                cost(seen @ matrix.T, at + bias).sum(1)
                for matrix, bias in zip(matrices, widening, strict=True)
            ]
            total = torch.stack((alone, *turned), 1) - likely
            least, which = total.min(1)
            saved = torch.zeros(images, device=flat.device).index_add_(0, image, alone - least)
            pays = (saved > 0)[image]
            which = which * pays
        spent = -(likely.gather(1, which[:, None])[:, 0] * pays)
        bits = torch.zeros(images, device=flat.device).index_add(0, image, spent)
        for index, (matrix, bias) in enumerate(zip(matrices, widening, strict=True), 1):
            rows = places[which == index]
            flat = flat.index_copy(0, rows, flat[rows] @ matrix.T)
            scale = scale.index_copy(0, rows, scale[rows] + bias)
        with torch.no_grad():
            chosen = choose(flat, scale)
            back = chosen.clone()
            for index, matrix in enumerate(matrices, 1):
                rows = places[which == index]
                back[rows] = chosen[rows] @ matrix
        shape = images, *where.shape, channels
        back, flat, scale, chosen = (
            a.reshape(shape).movedim(-1, 1) for a in (back, flat, scale, chosen)
        )
        return Coding(residual + (back - residual).detach(), flat, scale, chosen, bits)


def activity(log_scale: torch.Tensor) -> torch.Tensor:
    """Return the class of each place, (n,), by the log2 scales of its latents, (n, C).

    -1: nothing is to be expected there, and nothing turned.
    """
    index = (log_scale - LEAST_SCALE) / STEP
    total = (index - ACTIVE_FROM).clamp_min(0).sum(1)
    octave = torch.frexp(total)[1].long() - 1
    return (octave - QUIET).clamp(-1, CLASSES - 1)
