"""Output of a codec's network in training."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Coded:
    """Output of a forward pass: x_hat (N, 1, H, W) and the estimated bits of each image (N,)."""

    x_hat: Tensor
    bits: Tensor
