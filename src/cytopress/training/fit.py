"""Run a training with Lightning: checkpoint after every round, resume where one lies."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint
from torch.utils.data import DataLoader

from cytopress.atomic import whole_file
from cytopress.errors import UsageError
from cytopress.training.config import TaskTraining
from cytopress.training.crops import CropBatches
from cytopress.training.labelfree import LabelFree
from cytopress.training.pairs import Pair
from cytopress.training.steps import StepSampler

CHECKPOINT = "checkpoint.ckpt"
Progress = Callable[[int, int, str], None]


class _AfterRound(Checkpoint):
    """Writes the checkpoint under a temporary name and renames it; reports progress."""

    def __init__(self, config: TaskTraining, path: Path, progress: Progress | None) -> None:
        self._config, self._path, self._progress = config, path, progress
        self._step, self._seconds, self._began = 0, 0.0, time.monotonic()

    # Lightning passes (trainer, module, checkpoint) and (trainer, module) by position.
    def on_save_checkpoint(self, *arguments: Any) -> None:
        checkpoint = arguments[-1]
        checkpoint["config"] = self._config.model_dump(mode="json")
        checkpoint["seconds"] = self._seconds + time.monotonic() - self._began

    def on_load_checkpoint(self, *arguments: Any) -> None:
        self._seconds, self._step = arguments[-1]["seconds"], arguments[-1]["global_step"]

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        with whole_file(self._path) as temporary:
            trainer.save_checkpoint(temporary)
        if self._progress:
            row = pl_module.history[-1]
            r = row["validation_pearson"]
            text = f"loss {row['loss']:.4f}" + ("" if r is None else f", validation r {r:.4f}")
            self._progress(trainer.global_step, self._config.fit.steps, text)


def fit(
    config: TaskTraining,
    train: Sequence[Pair],
    validation: Sequence[Pair],
    out: Path,
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train, or go on from ``out / checkpoint.ckpt``; return the last checkpoint.

    A training that was killed and resumed ends with the weights of one that was not: each batch
    depends on seed and step alone.

    Raises
    ------
    UsageError
        ``out`` holds a checkpoint of another config.
    """
    path = out / CHECKPOINT
    found = _load(path, config) if path.exists() else None
    if found is not None and found["global_step"] >= config.fit.steps:
        return found
    with _quiet(config.fit.threads):
        lightning.seed_everything(config.seed, verbose=False)
        trainer = _trainer(config, out, path, validation=bool(validation), progress=progress)
        module = LabelFree(config.network, config.fit)
        trainer.fit(
            module,
            _loader(config, train, module),
            _whole(validation) if validation else None,
            ckpt_path=path if found else None,
        )
    return _load(path, config)


@contextmanager
def _quiet(threads: int) -> Iterator[None]:
    """Compute on so many threads and keep Lightning from talking about itself, then undo both."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers], torch.get_num_threads()
    torch.set_num_threads(threads)
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # All data are in memory: worker processes would only cost.
            warnings.filterwarnings("ignore", ".*does not have many workers.*")
            # A dataset may have no validation part.
            warnings.filterwarnings("ignore", ".*have no `val_dataloader`.*")
            # One library inside the training stack still uses a name that another gave up.
            warnings.filterwarnings("ignore", ".*LeafSpec.*")
            yield
    finally:
        for logger, level in zip(loggers, before[0], strict=True):
            logger.setLevel(level)
        torch.set_num_threads(before[1])


def _trainer(
    config: TaskTraining, out: Path, path: Path, *, validation: bool, progress: Progress | None
) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed" if config.fit.precision == "bfloat16" else "32-true",
        max_steps=config.fit.steps,
        max_epochs=-1,
        limit_val_batches=None if validation else 0,
        num_sanity_val_steps=0,
        callbacks=[_AfterRound(config, path, progress)],
        logger=False,
        enable_checkpointing=True,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=out,
    )


def _loader(config: TaskTraining, pairs: Sequence[Pair], module: LabelFree) -> DataLoader[Any]:
    options = config.fit
    batches = CropBatches(
        pairs, config.augmentation, crop=options.crop, batch=options.batch, seed=config.seed
    )
    sampler = StepSampler(
        steps=options.steps, each_round=options.validate_every, done=lambda: module.global_step
    )
    return DataLoader(batches, sampler=sampler, batch_size=None)


def _whole(pairs: Sequence[Pair]) -> DataLoader[Any]:
    fields = [
        (torch.from_numpy(pair.input)[None, None], torch.from_numpy(pair.target)[None, None])
        for pair in pairs
    ]
    return DataLoader(fields, batch_size=None)  # type: ignore[arg-type]


def _load(path: Path, config: TaskTraining) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if checkpoint.get("config") != config.model_dump(mode="json"):
        raise UsageError(
            f"{path}: belongs to a training with another config; choose another folder for --out,"
            " or remove it to start anew."
        )
    return checkpoint
