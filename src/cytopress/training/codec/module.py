"""Lightning module of a codec: rate-distortion loss, two optimizers, averaged weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightning
import torch
from torch import nn

from cytopress.errors import CytopressError
from cytopress.training.codec.config import CodecTraining
from cytopress.training.codec.crops import Batch
from cytopress.training.codec.distortion import distortion
from cytopress.training.codec.rounding import rounded_forward
from cytopress.training.codec.task_distortion import TaskDistortion

AUX_RATE = 1e-2
# The quantiles follow a prior that moves slowly.
AUX_EVERY = 10
WARM_UP = 100
MOST_SKIPPED = 100
# Steps whose average is shown between rounds.
RECENT = 50
# The average follows faster at first, so that it forgets the initial weights.
AVERAGE_DELAY = 10
# Of the seeds drawn for each step.
SEED_STEP = 1_000_003
Validate = Callable[[nn.Module], dict[str, Any]]


@dataclass(frozen=True)
class Judges:
    """Judges of a network in training besides bits and pixels.

    ``validate`` scores the averaged network after each round; its result is added to the round's
    row. ``task`` adds a task's distortion, which is logged too.
    """

    validate: Validate | None = None
    task: TaskDistortion | None = None


class CodecModule(lightning.LightningModule):
    """Trains one network of a `CodecTraining`.

    Parameters
    ----------
    network : nn.Module
        The network, from `networks.build`.
    config : CodecTraining
        The whole training.
    lambdas : sequence of float
        At the gain nodes of this network; one without gains.
    judges : Judges, optional
        None unless given.
    steps : int, optional
        Of the whole training of this network; those of ``config`` unless given.
    """

    def __init__(
        self,
        network: nn.Module,
        config: CodecTraining,
        lambdas: Sequence[float],
        judges: Judges = Judges(),
        *,
        steps: int | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = network
        self.averaged = copy.deepcopy(network)
        for weight in self.averaged.parameters():
            weight.requires_grad = False
        self._config, self._lambdas, self._validate = config, lambdas, judges.validate
        self._steps = steps or config.fit.steps
        # Not registered: a checkpoint needs no weights that never change.
        self._task = judges.task
        self.counted: torch.Tensor
        self.register_buffer("counted", torch.zeros(2, dtype=torch.long))
        self.history: list[dict[str, Any]] = []
        self._round: list[torch.Tensor] = []

    @property
    def steps_done(self) -> int:
        """Number of steps taken, skipped ones included."""
        return int(self.counted[0])

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Return Adam for the weights and another for the quantiles of the prior."""
        network: Any = self.network
        return [
            torch.optim.Adam(list(network.main_parameters()), self._config.fit.learning_rate),
            torch.optim.Adam(list(network.aux_parameters()), AUX_RATE),
        ]

    def training_step(self, batch: Batch, _: int) -> None:
        """Take one step; everything random in it follows from the seed and the step's number."""
        main, aux = self.optimizers()  # type: ignore[attr-defined]
        torch.manual_seed(self._config.seed * SEED_STEP + self.steps_done)
        for group in main.param_groups:
            group["lr"] = self._learning_rate()
        loss, *shown = self._loss(batch)
        main.zero_grad()
        self.manual_backward(loss)
        network: Any = self.network
        norm = nn.utils.clip_grad_norm_(list(network.main_parameters()), self._config.fit.clip)
        if torch.isfinite(norm) and torch.isfinite(loss):
            main.step()
            self._round.append(torch.stack((loss, *shown)).detach())
        else:
            self._skip()
        if self.steps_done % AUX_EVERY == 0:
            aux.zero_grad()
            self.manual_backward(network.aux_loss())
            aux.step()
        self.counted[0] += 1
        self._follow()

    def _loss(self, batch: Batch) -> tuple[torch.Tensor, ...]:
        """Return the loss, and means of bits a pixel, squared error and task distortion."""
        options = self._config.loss
        x = batch.pixels.contiguous(memory_format=torch.channels_last)
        quality = torch.rand(len(x), device=x.device) ** self._config.rate.prefer_coarse
        levels = getattr(self.network, "gains", 0)
        if levels:
            # CompressAI's models are trained at their gains alone, so lambda is theirs too.
            quality = torch.round(quality * (levels - 1)) / (levels - 1)
        if len(self._lambdas) > 1:
            low, high = self._lambdas[0], self._lambdas[-1]
            weight = low * (high / low) ** quality
        else:
            high = self._lambdas[0]
            weight = torch.full_like(quality, high)
        if self.steps_done >= self._steps - self._config.fit.integer_steps:
            network: Any = self.network
            coded = rounded_forward(network, x, quality, center=batch.center)
        else:
            coded = self.network(x, quality, center=batch.center)
        bpp = coded.bits / x[0].numel()
        error = (x - coded.x_hat.float()).square().mean()
        lost, shown = distortion(x, coded.x_hat, batch, options), [bpp.mean(), error]
        if self._task is not None:
            of_task = self._task.lost(x, coded.x_hat, batch)
            lost = self._task.options.pixels * lost + self._task.options.weight * of_task
            shown.append(of_task.mean())
        balance = (weight / high) ** -options.balance
        return (balance * (bpp + weight * lost)).mean(), *shown

    def _learning_rate(self) -> float:
        steps, done = self._steps, self.steps_done
        rise = min(1.0, (done + 1) / min(WARM_UP, steps))
        return self._config.fit.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * done / steps))

    def _skip(self) -> None:
        self.counted[1] += 1
        if self.counted[1] > MOST_SKIPPED:
            raise CytopressError(
                f"The loss was not finite in {MOST_SKIPPED} steps before step {self.steps_done};"
                " lower the learning rate."
            )

    @torch.no_grad()
    def _follow(self) -> None:
        done = self.steps_done
        keep = min(self._config.fit.average, (done + 1) / (done + AVERAGE_DELAY))
        for average, weight in zip(
            self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True
        ):
            if average.is_floating_point():
                average.lerp_(weight, 1 - keep)

    def recent(self) -> dict[str, float] | None:
        """Return step, bits a pixel and PSNR of the latest steps of the round, if there are any."""
        if not self._round:
            return None
        _, bpp, error, *_ = torch.stack(self._round[-RECENT:]).mean(0).tolist()
        return {"step": self.steps_done, "bpp": bpp, "psnr": -10 * math.log10(error)}

    def on_train_epoch_end(self) -> None:
        """Append the round to the history."""
        if not self._round:
            # Lightning begins a resumed training by ending the round that was saved.
            return
        loss, bpp, error, *of_task = torch.stack(self._round).mean(0).tolist()
        row = {
            "step": self.steps_done,
            "loss": loss,
            "bpp": bpp,
            "psnr": -10 * math.log10(error),
            "skipped": int(self.counted[1]),
        }
        if of_task:
            row["task_lost"] = of_task[0]
        self._round.clear()
        if self._validate:
            row |= self._validate(self.averaged)
        self.history.append(row)
        if self.logger is not None:
            numbers = {key: value for key, value in row.items() if isinstance(value, int | float)}
            self.logger.log_metrics(numbers, self.steps_done)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the state that ``state_dict`` does not hold."""
        checkpoint["history"], checkpoint["round"] = self.history, self._round

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore it."""
        self.history = checkpoint["history"]
        # Earlier versions wrote checkpoints after rounds alone.
        self._round = list(checkpoint.get("round", ()))
