"""Secondary transforms in training: orthonormal matrices that are learned with everything else.

One transform for all blocks is a compromise between detail of all sizes. So the latents that are
coded together at one place may be transformed once more, by the cheapest of a few matrices, or by
none; the choice is coded. Sezer, Guleryuz and Altunbasak, "Approximation and compression with
sparse orthonormal transforms", IEEE Transactions on Image Processing 24, 2015, choose a whole
transform in this way. The integer form is
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

# Standard deviation of the initial matrices' generators: matrices far from each other.
BEGINNING = 0.05
# Factor of their learning rate: all else is nearly trained when they begin.
SPEED = 4.0
# Residuals and their log2 scales to symbols, and to rate-distortion costs in bits.
Choose = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Cost = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Coding(NamedTuple):
    """Coded residuals of the places of one pass; all (N, C, h, w) but ``bits``, (N,).

    ``decoded`` are the residuals as a decoder has them, with a straight-through gradient;
    ``residual`` and ``log_scale`` are what is coded, ``chosen`` its symbols, and ``bits`` the cost
    of the choice of transforms.
    """

    decoded: torch.Tensor
    residual: torch.Tensor
    log_scale: torch.Tensor
    chosen: torch.Tensor
    bits: torch.Tensor


class SecondaryTransforms(nn.Module):
    """A few transforms, their biases of the scales, and their probabilities.

    The names of the parameters are keys of checkpoints and packages.

    Parameters
    ----------
    channels : int
        Latents that are transformed together.
    count : int
        Number of transforms, besides none.
    """

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        self.channels, self.count = channels, count
        self.skew = nn.Parameter(BEGINNING / SPEED * torch.randn(count, channels, channels))
        self.bias = nn.Parameter(torch.zeros(count, channels))
        self.odds = nn.Parameter(torch.zeros(CLASSES, 1 + count))

    def matrices(self) -> torch.Tensor:
        """Return the matrices, (count, C, C), of the forward transform."""
        return torch.linalg.matrix_exp(SPEED * (self.skew - self.skew.mT))  # type: ignore[no-any-return]

    def scale_bias(self) -> torch.Tensor:
        """Return what each transform adds to log2 of the scales, (count, C)."""
        return SPEED * self.bias

    def log2_probability(self) -> torch.Tensor:
        """Return log2 of the probabilities of none and each, (CLASSES, 1 + count)."""
        return torch.log_softmax(SPEED * self.odds, 1) / math.log(2)

    def forward(
        self,
        residual: torch.Tensor,
        log_scale: torch.Tensor,
        where: torch.Tensor,
        choose: Choose,
        cost: Cost,
    ) -> Coding:
        """Choose a transform for each place, and symbols.

        An image in which transforms save nothing in total has none.

        Parameters
        ----------
        residual, log_scale : Tensor
            (N, C, h, w).
        where : Tensor
            (h, w) of bool: the places of this pass. Elsewhere nothing is transformed.
        choose, cost : callable
            Give the symbols of residuals, and their costs.
        """
        images, channels, *_ = residual.shape
        flat, scale = (a.movedim(1, -1).reshape(-1, channels) for a in (residual, log_scale))
        kind = activity(scale.detach())
        places = torch.nonzero((kind >= 0) & where.flatten().repeat(images))[:, 0]
        kind = kind[places]
        log2_probability = self.log2_probability()[kind]
        matrices, scale_bias = self.matrices(), self.scale_bias()
        image = places // where.numel()
        with torch.no_grad():
            seen, at = flat[places], scale[places]
            alone = cost(seen, at).sum(1)
            transformed = [
                cost(seen @ matrix.T, at + bias).sum(1)
                for matrix, bias in zip(matrices, scale_bias, strict=True)
            ]
            total = torch.stack((alone, *transformed), 1) - log2_probability
            least, which = total.min(1)
            saved = torch.zeros(images, device=flat.device).index_add_(0, image, alone - least)
            pays = (saved > 0)[image]
            which = which * pays
        spent = -(log2_probability.gather(1, which[:, None])[:, 0] * pays)
        bits = torch.zeros(images, device=flat.device).index_add(0, image, spent)
        for index, (matrix, bias) in enumerate(zip(matrices, scale_bias, strict=True), 1):
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
    """Return the class of activity of each place, (n,), by the log2 scales of its latents, (n, C).

    -1 where little is expected, and nothing transformed.
    """
    index = (log_scale - LEAST_SCALE) / STEP
    total = (index - ACTIVE_FROM).clamp_min(0).sum(1)
    octave = torch.frexp(total)[1].long() - 1
    return (octave - QUIET).clamp(-1, CLASSES - 1)
