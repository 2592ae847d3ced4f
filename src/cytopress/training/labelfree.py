"""The Lightning module of label-free training: loss, averaged weights, selection, schedule."""

from __future__ import annotations

import math
from typing import Any

import lightning
import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from cytopress.errors import CytopressError
from cytopress.tasks.labelfree import pearson_or_zero
from cytopress.training.config import Fit, Network
from cytopress.training.network import UNet


class LabelFree(lightning.LightningModule):
    """Trains a U-Net on the mean squared error; keeps the average that validates best.

    ``history`` has one row a round: step, mean loss and validation Pearson r (None without
    validation fields). Everything that a resumed training needs is in the checkpoint.
    """

    def __init__(self, network: Network, fit: Fit) -> None:
        super().__init__()
        self.fit_options = fit
        self.network = UNet(network.channels, network.depth).to(memory_format=torch.channels_last)
        self.averaged = AveragedModel(self.network, avg_fn=self._average, use_buffers=True)
        self.averaged.requires_grad_(requires_grad=False)
        self.history: list[dict[str, float | None]] = []
        self.best: dict[str, torch.Tensor] | None = None
        self.best_step = 0
        self._losses: list[torch.Tensor] = []
        self._pearson: list[float] = []

    def _average(
        self, average: torch.Tensor, current: torch.Tensor, count: torch.Tensor | int
    ) -> torch.Tensor:
        if not average.is_floating_point():
            return current
        # Early averages would otherwise be mostly the random start.
        decay = min(self.fit_options.average, (1 + int(count)) / (10 + int(count)))
        return average.lerp(current.to(average.dtype), 1 - decay)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        """Return the loss of one batch."""
        source, target = batch
        predicted = self.network(source.contiguous(memory_format=torch.channels_last))
        loss = nn.functional.mse_loss(predicted.float(), target)
        self._losses.append(loss.detach())
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Take the new weights into the average."""
        self.averaged.update_parameters(self.network)

    @property
    def steps_done(self) -> int:
        """Steps that were taken."""
        return int(self.global_step)

    def on_validation_epoch_start(self) -> None:
        """Forget the round before."""
        self._pearson.clear()

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        """Score whole fields, one a batch, with the averaged weights."""
        source, target = batch
        self.averaged.eval()
        predicted = predict_planes(self.averaged.module, source).float().cpu().numpy()
        self._pearson.append(pearson_or_zero(target.cpu().numpy()[0, 0], predicted[0, 0]))

    def on_train_epoch_end(self) -> None:
        """Write the round into the history, and keep the average if it is the best so far.

        Raises
        ------
        CytopressError
            The loss is not finite: what was saved before stays.
        """
        if not self._losses:
            # Lightning begins a resumed training by ending the round that was saved.
            return
        loss = float(torch.stack(self._losses).mean())
        if not math.isfinite(loss):
            raise CytopressError(
                f"The loss became {loss} before step {self.global_step}; lower the learning rate."
            )
        pearson = float(np.mean(self._pearson)) if self._pearson else None
        before = [row["validation_pearson"] for row in self.history]
        self.history.append(
            {
                "step": self.global_step,
                "loss": loss,
                "validation_pearson": pearson,
            }
        )
        self._losses.clear()
        if pearson is None or all(other is None or pearson > other for other in before):
            weights = self.averaged.module.state_dict()
            self.best = {name: tensor.detach().clone() for name, tensor in weights.items()}
            self.best_step = self.global_step

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what ``state_dict`` does not hold."""
        checkpoint["labelfree"] = {
            "history": self.history,
            "best": self.best,
            "best_step": self.best_step,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take it back."""
        kept = checkpoint["labelfree"]
        self.history, self.best, self.best_step = kept["history"], kept["best"], kept["best_step"]

    def configure_optimizers(self) -> dict[str, Any]:  # type: ignore[override]
        """Return AdamW and a schedule that rises over 5 % of the steps and falls to zero."""
        options = self.fit_options
        optimizer = torch.optim.AdamW(
            self.network.parameters(), options.learning_rate, weight_decay=options.weight_decay
        )
        rise = max(1, options.steps // 20)

        def factor(step: int) -> float:
            if step < rise:
                return (step + 1) / rise
            return 0.5 + 0.5 * math.cos(math.pi * (step - rise) / max(1, options.steps - rise))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def predict_planes(network: Any, planes: torch.Tensor) -> torch.Tensor:
    """Run a U-Net on (N, 1, H, W) of any size: padded to its stride, then cut."""
    stride = network.stride
    height, width = planes.shape[-2:]
    below, right = -height % stride, -width % stride
    padded = nn.functional.pad(planes, (0, right, 0, below), mode="replicate")
    return network(padded)[..., :height, :width]  # type: ignore[no-any-return]
