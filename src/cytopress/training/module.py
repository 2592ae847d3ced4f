"""Lightning module of a task: averaged weights, validation, selection, schedule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import lightning
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from cytopress.errors import CytopressError
from cytopress.training.config import TaskTraining
from cytopress.training.network import UNet

# Where a checkpoint holds what ``state_dict`` does not; another name when there was one kind.
KEPT, KEPT_BEFORE = "kept", "labelfree"
Planes = npt.NDArray[np.float32]


class TaskModule(lightning.LightningModule):
    """Trains a U-Net; keeps the average of its weights that validates best.

    ``history`` has one row a round: step, mean losses and the validation score (None without
    validation fields). Everything that a resumed training needs is in the checkpoint.

    Parameters
    ----------
    config : TaskTraining
        The training.
    loss : callable
        Of prediction (N, C, H, W) and target (N, 1, H, W), both float32; (N, C, D, H, W) and
        (N, 1, D, H, W) of volumes.
    validate : callable
        Scores the prediction of one field, (C, Y, X) or (C, Z, Y, X), against its target, (Y, X) or
        (Z, Y, X): more is better.
    score : str
        The name of what ``validate`` gives.
    outputs : int, optional
        C, the channels that are predicted.
    """

    # The losses that are kept, a column each.
    parts: tuple[str, ...] = ("loss",)
    # Whether the validation score chooses the average that is kept.
    selects = True

    def __init__(
        self,
        config: TaskTraining,
        loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        validate: Callable[[Planes, Planes], float],
        *,
        score: str,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        self.fit_options = config.fit
        self.loss = loss
        self.score = f"validation_{score}"
        self._validate = validate
        shape = config.network
        network = UNet(shape.channels, shape.depth, outputs, config.volume)
        # Half the time of the usual order on a processor.
        self.order = torch.channels_last_3d if config.volume else torch.channels_last
        self.network = network.to(memory_format=self.order)
        self.averaged = AveragedModel(self.network, avg_fn=self._average, use_buffers=True)
        self.averaged.requires_grad_(requires_grad=False)
        self.history: list[dict[str, float | None]] = []
        self.best: dict[str, torch.Tensor] | None = None
        self.best_step = 0
        self._noted: list[dict[str, torch.Tensor]] = []
        self._scores: list[float] = []

    def _average(
        self, average: torch.Tensor, current: torch.Tensor, count: torch.Tensor | int
    ) -> torch.Tensor:
        if not average.is_floating_point():
            return current
        # Early averages would otherwise be mostly the initial weights.
        decay = min(self.fit_options.average, (1 + int(count)) / (10 + int(count)))
        return average.lerp(current.to(average.dtype), 1 - decay)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        """Return the loss of one batch."""
        source, target = batch
        predicted = self.network(source.contiguous(memory_format=self.order))
        loss: torch.Tensor = self.loss(predicted.float(), target)
        self.note(loss=loss)
        return loss

    def note(self, **losses: torch.Tensor) -> None:
        """Keep the losses of one step, by names of ``parts``, for the row of its round."""
        self._noted.append({name: loss.detach() for name, loss in losses.items()})

    def on_train_batch_end(self, *_: Any) -> None:
        """Update the average of the weights."""
        self.averaged.update_parameters(self.network)

    @property
    def steps_done(self) -> int:
        """Number of steps taken."""
        return int(self.global_step)

    def on_validation_epoch_start(self) -> None:
        """Reset the losses of the round."""
        self._scores.clear()

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        """Score whole fields, one a batch, with the averaged weights."""
        source, target = batch
        self.averaged.eval()
        predicted = predict_whole(self.averaged.module, source).float().cpu().numpy()
        self._scores.append(self._validate(predicted[0], target.cpu().numpy()[0, 0]))

    def on_train_epoch_end(self) -> None:
        """Append the round to the history, and keep the average if it is the best so far.

        Raises
        ------
        CytopressError
            The loss is not finite: what was saved before stays.
        """
        if not self._noted:
            # Lightning begins a resumed training by ending the round that was saved.
            return
        losses = {name: self._mean(name) for name in self.parts}
        for name, loss in losses.items():
            if loss is not None and not math.isfinite(loss):
                raise CytopressError(
                    f"The {name} became {loss} before step {self.global_step}; lower the learning"
                    " rate."
                )
        score = float(np.mean(self._scores)) if self._scores else None
        before = [row[self.score] for row in self.history]
        self.history.append({"step": self.global_step, **losses, self.score: score})
        self._noted.clear()
        best = score is None or all(other is None or score > other for other in before)
        if best or not self.selects:
            weights = self.averaged.module.state_dict()
            self.best = {name: tensor.detach().clone() for name, tensor in weights.items()}
            self.best_step = self.global_step

    def _mean(self, name: str) -> float | None:
        noted = [step[name] for step in self._noted if name in step]
        return float(torch.stack(noted).mean()) if noted else None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the state that ``state_dict`` does not hold."""
        checkpoint[KEPT] = {
            "history": self.history,
            "best": self.best,
            "best_step": self.best_step,
            "noted": self._noted,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore it."""
        kept = kept_in(checkpoint)
        self.history, self.best, self.best_step = kept["history"], kept["best"], kept["best_step"]
        # Earlier versions wrote checkpoints after rounds alone.
        self._noted = list(kept.get("noted", ()))

    def configure_optimizers(self) -> dict[str, Any]:  # type: ignore[override]
        """Return AdamW and a schedule that rises over 5 % of the steps and falls to zero."""
        options = self.fit_options
        optimizer = torch.optim.AdamW(
            self.network.parameters(), options.learning_rate, weight_decay=options.weight_decay
        )
        schedule = self.schedule(optimizer, options.steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def schedule(
        self, optimizer: torch.optim.Optimizer, steps: int
    ) -> torch.optim.lr_scheduler.LambdaLR:
        """Return a schedule that rises over 5 % of the steps and falls to zero."""
        rise = max(1, steps // 20)

        def factor(step: int) -> float:
            if step < rise:
                return (step + 1) / rise
            return 0.5 + 0.5 * math.cos(math.pi * (step - rise) / max(1, steps - rise))

        return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def kept_in(checkpoint: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return history, best weights and best step of a checkpoint."""
    found: Mapping[str, Any] = checkpoint[KEPT if KEPT in checkpoint else KEPT_BEFORE]
    return found


def predict_whole(network: Any, fields: torch.Tensor) -> torch.Tensor:
    """Run a U-Net on (N, 1, H, W) or (N, 1, D, H, W) of any size: padded to its strides, then cut.

    The last pixels along each axis are repeated.
    """
    shape = fields.shape[2:]
    lacking = [(0, -length % step) for length, step in zip(shape, network.strides, strict=True)]
    # Torch counts the axes from the last one.
    pads = [pad for axis in reversed(lacking) for pad in axis]
    padded = nn.functional.pad(fields, pads, mode="replicate")
    inside = tuple(slice(length) for length in shape)
    return network(padded)[(..., *inside)]  # type: ignore[no-any-return]
