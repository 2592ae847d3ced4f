"""Networks that are trained into codec packages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from cytopress.codecs.learned.latents.rate_distortion import BITS_PER_SQUARE
from cytopress.training.codec.coded import Coded
from cytopress.training.codec.context import ContextModel, ContextStep
from cytopress.training.codec.entropy import HYPER_STRIDE, HyperAnalysis, HyperSynthesis, Prior
from cytopress.training.codec.gaussian import gaussian_bits
from cytopress.training.codec.hyper_context import HyperContext
from cytopress.training.codec.secondary_transforms import Coding
from cytopress.training.codec.transform_pairs import transforms_of

if TYPE_CHECKING:
    from cytopress.training.codec.config import Rate
    from cytopress.training.codec.network_options import Network

__all__ = ["Coded", "LatentNetwork", "build"]

# Means, log2 of the scales, and features, of slabs.
Moments = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
PEAK = 255**2


class LatentNetwork(nn.Module):
    """Transforms, entropy model and gain units of a package that decodes without torch.

    Gain units after Cui et al., "Asymmetric gained deep image compression with continuous rate
    adaptation", CVPR 2021: one factor a channel and rate before rounding, its own inverse after it,
    interpolated on a logarithmic scale. Here a factor is a product of the rate's and the channel's:
    free ones switch channels off where training images had nothing in them, and an image that has,
    such as a noisier one, then pays for it. A bias of the scales is interpolated with them.
    """

    def __init__(self, network: Network, rate: Rate) -> None:
        super().__init__()
        self.architecture, self.mesh = network.architecture, network.mesh
        self.slabs, self.volumes = network.slabs, network.volumes
        self.stride, latents = network.stride, network.latents
        self.g_a, self.g_s = transforms_of(network)
        # Prediction from the previous slab; the name is a key of checkpoints.
        self.below: ContextStep | None = None
        self.hyper_context: HyperContext | None = None
        self.lambdas = rate.nodes
        gain = 0.5 * torch.log2(torch.tensor(self.lambdas) * PEAK / BITS_PER_SQUARE)
        self.log_level = nn.Parameter(gain)
        self.log_profile = nn.Parameter(torch.zeros(latents))
        # log2 of gain times inverse gain, in each channel.
        self.log_restored = nn.Parameter(torch.zeros(latents))
        if self.architecture == "factorized":
            self.prior = Prior(latents, len(self.lambdas))
            self.pad: int = network.stride
        else:
            outputs = latents * (1 if self.architecture == "hyperprior" else 2)
            if self.architecture == "context":
                width = network.context_width
                first = network.context_channels
                self.context = ContextModel(latents, first, width, network.rotations)
                outputs += 2 * width
            if network.below_width:
                self.below = ContextStep(latents, latents, network.below_width, 1)
                outputs += network.below_width
            self.h_a = HyperAnalysis(latents, network.hyper_width, network.hyper_channels)
            self.h_s = HyperSynthesis(network.hyper_channels, network.hyper_width, outputs)
            self.prior = Prior(network.hyper_channels, len(self.lambdas))
            if network.hyper_context:
                self.hyper_context = HyperContext(
                    network.hyper_channels, network.hyper_context, len(self.lambdas)
                )
            self.log_scale = nn.Parameter(gain[:, None].repeat(1, latents) - 4)
            self.pad = network.stride * HYPER_STRIDE
        self.autocast = False
        # Rate-distortion trade-off of the rounding, in bits per squared step; 0: to the nearest.
        self.rdo = 0.0

    @property
    def log_gain(self) -> torch.Tensor:
        """log2 of the factors before rounding, (nodes, M)."""
        return self.log_level[:, None] + self.log_profile

    @property
    def log_inverse(self) -> torch.Tensor:
        """log2 of those after it, (nodes, M)."""
        return self.log_restored - self.log_gain

    def main_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters that the rate-distortion loss trains."""
        for name, parameter in self.named_parameters():
            if not name.endswith("quantiles"):
                yield parameter

    def aux_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters that the auxiliary loss trains: the quantiles of the prior."""
        yield self.prior.bottleneck.quantiles

    def aux_loss(self) -> torch.Tensor:
        """Return the distance of the prior's quantiles from their targets."""
        return self.prior.bottleneck.loss()  # type: ignore[no-any-return]

    @torch.no_grad()
    def begin(self, x: torch.Tensor) -> None:
        """Set the scales to what the untrained transform gives on a batch of images."""
        if self.architecture != "factorized":
            windows = self._windows(x - x.mean((1, 2, 3), keepdim=True))
            energy = self.g_a.linear(windows).square().mean((0, 2, 3))
            self.log_scale.copy_(self.log_gain + 0.5 * torch.log2(energy + 1e-12))

    def at(self, table: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
        """Interpolate a (nodes, M) table at quality (N,), to (N, M, 1, 1)."""
        last = len(table) - 1
        if not last:
            return table[:1, :, None, None]
        place = quality.clamp(0, 1) * last
        left = place.floor().clamp_max(last - 1).long()
        share = (place - left)[:, None]
        return (table[left] * (1 - share) + table[left + 1] * share)[:, :, None, None]

    def forward(
        self,
        x: torch.Tensor,
        quality: torch.Tensor,
        *,
        center: torch.Tensor | None = None,
        hard: bool = False,
    ) -> Coded:
        """Code images in their used range.

        Parameters
        ----------
        x : Tensor
            (N, D, H, W), H and W multiples of ``pad``, D of the planes of a slab, 1 of planes;
            about 0 to 1.
        quality : Tensor
            (N,), from 0 to 1; ignored without gains.
        center : Tensor, optional
            (N,): the mean of the whole image that a crop is of, or (N, 1, H, W): the background
            that is subtracted from a plane; the crop's own mean unless given.
        hard : bool, optional
            Round everything as a decoder will see it, instead of the noise that training needs.
        """
        middle = x.mean((1, 2, 3)) if center is None else center
        middle = middle if middle.ndim == 4 else middle[:, None, None, None]
        slabs = self.slabs.count(x.shape[1])
        quality = quality.repeat_interleave(slabs)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.autocast):
            y = self.g_a(self._windows(x - middle))
        y = y * torch.exp2(self.at(self.log_gain, quality))
        y_hat, spent = self._entropy(y, quality, slabs, hard=hard)
        y_hat = y_hat * torch.exp2(self.at(self.log_inverse, quality))
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.autocast):
            x_hat = self.g_s(self._stacks(y_hat, slabs))
        return Coded(x_hat.reshape(x.shape) + middle, spent.view(-1, slabs).sum(1))

    def _windows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the planes that each slab's latents depend on, (N * slabs, window, H, W)."""
        if self.slabs.window == 1:
            return x.flatten(0, 1)[:, None]
        planes = x.shape[1]
        seen = [self.slabs.seen(slab, planes) for slab in range(self.slabs.count(planes))]
        places = torch.as_tensor(np.stack(seen), device=x.device)
        return x[:, places].flatten(0, 1)

    def _stacks(self, y_hat: torch.Tensor, slabs: int) -> torch.Tensor:
        """Return the latents that each slab's planes depend on, (N * slabs, stack * M, h, w)."""
        near = self.slabs.neighbors
        if not near:
            return y_hat
        own = y_hat.reshape(-1, slabs, *y_hat.shape[1:])
        wide = nn.functional.pad(own, (0, 0, 0, 0, 0, 0, near, near))
        stacked = [wide[:, start : start + slabs] for start in range(self.slabs.stack)]
        return torch.cat(stacked, 2).flatten(0, 1)

    def _entropy(
        self, y: torch.Tensor, quality: torch.Tensor, slabs: int, *, hard: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        # Of one layout, and the fast one for what follows.
        y = y.contiguous()
        if self.architecture == "factorized":
            y_hat, each = self.prior(y, quality, hard=hard)
            return y_hat, _total(each)
        z_hat, spent = self._hyper_latents(self.h_a(y), quality, hard=hard)
        moments = self.moments(z_hat, quality)
        y_hat, residual, log_scale, chosen, flags = (
            self._code(y, moments)
            if self.below is None
            else self._code_slabs(self.below, y, moments, slabs)
        )
        spent = spent + flags
        if hard:
            return y_hat, spent + _total(gaussian_bits(chosen, log_scale))
        noisy = residual + torch.rand_like(residual) - 0.5
        if not self.rdo:
            return y_hat, spent + _total(gaussian_bits(noisy, log_scale))
        # Latents learn from the noise, which has a gradient; scales from the symbols that will be
        # coded, which the noise no longer resembles. The value is that of the second alone.
        relaxed = _total(gaussian_bits(noisy, log_scale.detach()))
        coded = _total(gaussian_bits(chosen, log_scale))
        return y_hat, spent + coded + relaxed - relaxed.detach()

    def _hyper_latents(
        self, z: torch.Tensor, quality: torch.Tensor, *, hard: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return hyper-latents as a decoder has them, and their bits an image."""
        z_hat, each = self.prior(z, quality, hard=hard)
        if self.hyper_context is not None:
            known = self.hyper_context(z, self.prior.node(quality))
            left = z - known.mean
            left = torch.round(left) if hard else left + torch.rand_like(left) - 0.5
            each = torch.where(known.by_prior, each, gaussian_bits(left, known.log_scale))
            z_hat = known.z_hat
        return z_hat, _total(each)

    def _code(self, y: torch.Tensor, moments: Moments) -> Coding:
        """Return coded latents; ``decoded`` includes their means."""
        mean, log_scale, features = moments
        if self.architecture == "context":
            features = features[:, : 2 * self.context.width]
            coded: Coding = self.context(y, mean, log_scale, features, self._choose, self._cost)
            return coded
        residual = y - mean
        chosen = self._choose(residual.detach(), log_scale.detach())
        y_hat = mean + residual + (chosen - residual).detach()
        return Coding(y_hat, residual, log_scale, chosen, y.new_zeros(len(y)))

    def _code_slabs(
        self, prediction: ContextStep, y: torch.Tensor, moments: Moments, slabs: int
    ) -> Coding:
        """Return the same, each slab predicted from the previous one as decoded."""
        own = [part.reshape(-1, slabs, *part.shape[1:]).unbind(1) for part in (y, *moments)]
        width = prediction.hidden.out_channels
        coded: list[Coding] = []
        for latents, mean, log_scale, features in zip(*own, strict=True):
            if coded:
                more, wider = prediction(coded[-1][0], features[:, -width:])
                mean, log_scale = mean + more, log_scale + wider  # noqa: PLW2901
            coded.append(self._code(latents, (mean, log_scale, features)))
        whole = [torch.stack(part, 1).flatten(0, 1) for part in zip(*coded, strict=True)]
        return Coding(*whole)

    def _choose(self, residual: torch.Tensor, log_scale: torch.Tensor) -> torch.Tensor:
        """Return the symbols: the nearest, or the next toward zero where that costs less."""
        nearest = torch.round(residual)
        if not self.rdo:
            return nearest
        lower = nearest - torch.sign(nearest)
        cost = [
            gaussian_bits(symbol, log_scale) + self.rdo * (residual - symbol).square()
            for symbol in (nearest, lower)
        ]
        return torch.where(cost[1] < cost[0], lower, nearest)

    def _cost(self, residual: torch.Tensor, log_scale: torch.Tensor) -> torch.Tensor:
        """Return the cost of each residual's symbol: its bits, and its squared error in bits."""
        chosen = self._choose(residual, log_scale)
        weight = self.rdo or BITS_PER_SQUARE
        return gaussian_bits(chosen, log_scale) + weight * (residual - chosen).square()

    def moments(
        self, z_hat: torch.Tensor, quality: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return means of the latents, log2 of their deviations, both in steps, and features.

        Features are those for the context model, none without one, then those for the prediction
        from the previous slab.
        """
        out = self.h_s(z_hat)
        bias, latents = self.at(self.log_scale, quality), self.log_scale.shape[1]
        if self.architecture == "hyperprior":
            return torch.zeros_like(out), out + bias, out[:, :0]
        mean, log_scale = out[:, :latents].contiguous(), out[:, latents : 2 * latents] + bias
        return mean, log_scale, out[:, 2 * latents :]


def _total(bits: torch.Tensor) -> torch.Tensor:
    return bits.flatten(1).sum(1)


def build(network: Network, rate: Rate) -> nn.Module:
    """Return the network that a training file describes."""
    if network.architecture.startswith("compressai/"):
        from cytopress.training.codec.compressai_network import CompressAINetwork

        return CompressAINetwork(network.architecture, N=network.N, M=network.M)
    return LatentNetwork(network, rate)
