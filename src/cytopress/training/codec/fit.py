"""Fitting of one network with Lightning, resumed from its checkpoint if there is one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader

from cytopress.callbacks import Progress
from cytopress.training.codec.config import CodecTraining
from cytopress.training.codec.crops import CropBatches
from cytopress.training.codec.module import CodecModule, Judges
from cytopress.training.codec.networks import LatentNetwork
from cytopress.training.codec.sources import Plane
from cytopress.training.rounds import Checkpoints, LogRow, load_checkpoint, quiet
from cytopress.training.steps import StepSampler

# Crops by which the scales of an untrained network are set.
BEGINNING = 64


def fit(  # noqa: PLR0913 - a network, its training, and who watches
    config: CodecTraining,
    network: nn.Module,
    lambdas: Sequence[float],
    planes: Sequence[Plane],
    path: Path,
    *,
    steps: int | None = None,
    fresh: bool = True,
    judges: Judges | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train a network, or resume from the checkpoint at ``path``; return the last checkpoint.

    A training that was killed and resumed ends with the weights of one that was not: each step
    depends on the seed and its number alone. It takes ``steps``, by default those of ``config``.
    The scales of a ``fresh`` network, one that starts
    from no other, are first set to what its transform gives. A task's digest belongs to the
    config of the checkpoint: through other weights it would be another training.

    Raises
    ------
    UsageError
        The checkpoint is of another config.
    CytopressError
        The loss was not finite too often.
    Stopped
        SIGTERM or Ctrl-C arrived; the last checkpoint has the steps until then.
    """
    identity = config.model_dump(mode="json")
    steps = steps or config.fit.steps
    judges = judges or Judges()
    task = judges.task
    if task is not None:
        identity["task"] |= {"sha256": task.sha256}
    found = load_checkpoint(path, identity) if path.exists() else None
    if found is not None and found["steps_done"] >= steps:
        return found
    options = config.fit
    batches = CropBatches(
        planes,
        config.augmentation,
        crop=options.crop,
        batch=options.batch,
        seed=config.seed,
        deep=options.planes,
        mesh=config.network.mesh,
    )
    with quiet(options.threads):
        # Of no step, so that what is measured on them is of none either.
        first = range(steps, steps + BEGINNING // options.batch + 1)
        if found is None and fresh and isinstance(network, LatentNetwork):
            network.begin(torch.cat([batches[step].pixels for step in first]))
        if task is not None:
            task.measure(batches[step] for step in first)
        module = CodecModule(network, config, lambdas, judges, steps=steps)
        sampler = StepSampler(
            steps=steps, each_round=options.validate_every, done=lambda: module.steps_done
        )
        checkpoints = Checkpoints(
            identity,
            path,
            steps=steps,
            report=_Report(steps, found["steps_done"] if found else 0),
            progress=progress,
        )
        # Rows that a killed run logged after its last checkpoint are logged again.
        logger = _logger(path, found["steps_done"] + 1 if found else None)
        trainer = _trainer(path, checkpoints, logger)
        loader = DataLoader(batches, sampler=sampler, batch_size=None)
        with checkpoints.stoppable():
            trainer.fit(module, loader, ckpt_path=path if found else None)
    return load_checkpoint(path, identity)


def _logger(path: Path, first: int | None) -> Any:
    with contextlib.suppress(ModuleNotFoundError):
        return TensorBoardLogger(
            path.parent, name="tensorboard", version=path.stem, purge_step=first
        )
    return False


def _trainer(path: Path, checkpoints: Checkpoints, logger: Any) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=-1,
        num_sanity_val_steps=0,
        # It logs nothing by itself, and warns of rounds shorter than this.
        log_every_n_steps=1,
        callbacks=[checkpoints],
        logger=logger,
        enable_checkpointing=True,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=path.parent,
    )


class _Report:
    """Formats the last row as a line, with the remaining time."""

    def __init__(self, steps: int, done: int) -> None:
        self._steps, self._first, self._began = steps, done, time.monotonic()

    def __call__(self, row: LogRow) -> str:
        done = row["step"] - self._first
        left = (time.monotonic() - self._began) / max(done, 1) * (self._steps - row["step"])
        return (
            f"{row['bpp']:.3f} bits/pixel, {row['psnr']:.2f} dB, {left / 60:.0f} min left"
            + "".join(
                f", {name} {scores[0]['bpp']:.3f}/{scores[0]['psnr']:.2f}"
                for name, scores in row.get("validation", {}).items()
                if scores
            )
        )
