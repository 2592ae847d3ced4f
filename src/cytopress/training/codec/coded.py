"""What every network that is trained into a codec gives."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Coded:
    """What a forward pass gives: x_hat (N, 1, H, W) and the estimated bits of each image (N,)."""

    x_hat: Tensor
    bits: Tensor
