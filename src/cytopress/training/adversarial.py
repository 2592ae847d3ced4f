"""Lightning module of pix2pix: the U-Net against discriminators, after plain steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from cytopress.training.config import TaskTraining
from cytopress.training.discriminator import Discriminators, feature_loss, verdict_loss
from cytopress.training.module import Planes, TaskModule
from cytopress.training.options import Adversarial

# The usual choice for adversarial training: the memory of the mean gradient is short.
BETAS = (0.5, 0.999)


class AdversarialModule(TaskModule):
    """Trains a U-Net whose predictions discriminators cannot tell from targets.

    The first ``plain_steps`` are those of a `TaskModule`. After them the network's running means
    and variances are fixed: a network whose norms were folded into its convolutions has none to
    update, and discriminators score the network as deployed. The last average is kept, since a
    score of pixels would choose against the discriminators' loss.

    Parameters
    ----------
    config : TaskTraining
        The training, with its table ``adversarial``.
    loss : callable
        The reconstruction loss, as of a `TaskModule`.
    validate : callable
        As of a `TaskModule`; shown, but chooses nothing.
    score : str
        The name of what ``validate`` gives.
    """

    parts = ("loss", "reconstruction", "adversarial", "features", "discriminator")
    selects = False

    def __init__(
        self,
        config: TaskTraining,
        loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        validate: Callable[[Planes, Planes], float],
        *,
        score: str,
    ) -> None:
        super().__init__(config, loss, validate, score=score)
        assert config.adversarial is not None
        # Each step moves two sets of weights, one after the other.
        self.automatic_optimization = False
        self.options: Adversarial = config.adversarial
        self.discriminators = Discriminators(
            self.options.scales, self.options.channels, self.options.layers
        )

    def training_step(  # type: ignore[override]
        self, batch: tuple[torch.Tensor, torch.Tensor], _: int
    ) -> None:
        """Take one step of the network, and one of the discriminators behind the plain start."""
        source, target = batch
        plain = self.steps_done < self.options.plain_steps
        if not plain:
            _freeze_norms(self.network)
        generator, discriminator = self.optimizers()  # type: ignore[attr-defined]
        predicted = self.network(source.contiguous(memory_format=self.order)).float()
        found = {"reconstruction": self.loss(predicted, target)}
        total = self.options.reconstruction * found["reconstruction"]
        if not plain:
            found |= self._judged(source, predicted, target)
            total = (
                total
                + self.options.adversarial * found["adversarial"]
                + self.options.features * found["features"]
            )
        generator.zero_grad()
        self.manual_backward(total)
        if not plain:
            found["discriminator"] = self._learn_to_tell(
                discriminator.optimizer, source, predicted.detach(), target
            )
        generator.step()
        schedules: Any = self.lr_schedulers()
        for schedule in schedules[:1] if plain else schedules:
            schedule.step()
        self.note(loss=total, **found)

    def _judged(
        self, source: torch.Tensor, predicted: torch.Tensor, target: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        self.discriminators.requires_grad_(requires_grad=False)
        with torch.no_grad():
            true = self.discriminators(source, target)
        answers = self.discriminators(source, predicted)
        self.discriminators.requires_grad_(requires_grad=True)
        return {
            "adversarial": verdict_loss(answers, 1.0),
            "features": feature_loss(answers, true),
        }

    def _learn_to_tell(
        self,
        optimizer: torch.optim.Optimizer,
        source: torch.Tensor,
        predicted: torch.Tensor,
        target: torch.Tensor,
    ) -> torch.Tensor:
        """Take a step of the discriminators, on the bare optimizer: Lightning counts each other."""
        true, made = (self.discriminators(source, shown) for shown in (target, predicted))
        loss = (verdict_loss(true, 1.0) + verdict_loss(made, 0.0)) / 2
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss

    def configure_optimizers(self) -> Any:
        """Return AdamW for the network, Adam for the discriminators, and a schedule of each."""
        options = self.fit_options
        optimizers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(
                self.network.parameters(),
                options.learning_rate,
                betas=BETAS,
                weight_decay=options.weight_decay,
            ),
            torch.optim.Adam(
                self.discriminators.parameters(), self.options.learning_rate, betas=BETAS
            ),
        ]
        steps = (options.steps, options.steps - self.options.plain_steps)
        return optimizers, [self.schedule(*pair) for pair in zip(optimizers, steps, strict=True)]


def _freeze_norms(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
