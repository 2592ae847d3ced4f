"""Fitting of a task with Lightning, resumed from its checkpoint if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from torch.utils.data import DataLoader

from cytopress.callbacks import Progress
from cytopress.training.config import TaskTraining
from cytopress.training.crops import CropBatches
from cytopress.training.kinds.kind import Kind
from cytopress.training.module import TaskModule
from cytopress.training.pairs import Pair
from cytopress.training.precision import computed_in
from cytopress.training.rounds import (
    CHECKPOINT,
    Checkpoints,
    LogRow,
    load_checkpoint,
    quiet,
)
from cytopress.training.steps import StepSampler

# As Lightning calls them.
PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {
    "float32": "32-true",
    "bfloat16": "bf16-mixed",
}


def fit(
    config: TaskTraining,
    kind: Kind,
    train: Sequence[Pair],
    validation: Sequence[Pair],
    out: Path,
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train, or resume from ``out / checkpoint.ckpt``; return the last checkpoint.

    A training that was killed and resumed ends with the weights of one that was not: each batch
    depends on seed and step alone.

    Raises
    ------
    UsageError
        ``out`` holds a checkpoint of another config.
    Stopped
        SIGTERM or Ctrl-C arrived; the last checkpoint has the steps until then.
    """
    path, identity = out / CHECKPOINT, {**config.recorded(), **kind.identity}
    found = load_checkpoint(path, identity) if path.exists() else None
    if found is not None and found["steps_done"] >= config.fit.steps:
        return found
    with quiet(config.fit.threads):
        lightning.seed_everything(config.seed, verbose=False)
        checkpoints = Checkpoints(
            identity, path, steps=config.fit.steps, report=_report, progress=progress
        )
        trainer = _trainer(config, out, checkpoints, validation=bool(validation))
        module = kind.module(config, train)
        with checkpoints.stoppable():
            trainer.fit(
                module,
                _loader(config, kind, train, module),
                _whole(validation) if validation else None,
                ckpt_path=path if found else None,
            )
    return load_checkpoint(path, identity)


def _trainer(
    config: TaskTraining, out: Path, checkpoints: Checkpoints, *, validation: bool
) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator="auto",
        devices=1,
        precision=PRECISIONS[computed_in(config.fit.precision)],
        max_steps=config.fit.steps,
        max_epochs=-1,
        limit_val_batches=None if validation else 0,
        num_sanity_val_steps=0,
        callbacks=[checkpoints],
        logger=False,
        enable_checkpointing=True,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=out,
    )


def _loader(
    config: TaskTraining, kind: Kind, pairs: Sequence[Pair], module: TaskModule
) -> DataLoader[Any]:
    options = config.fit
    batches = CropBatches(
        pairs,
        config.augmentation,
        crop=config.crop,
        batch=options.batch,
        seed=config.seed,
        interpolation=kind.interpolation,
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


def _report(row: LogRow) -> str:
    scores = (f", {key.replace('_', ' ')} {row[key]:.4f}" for key in row if _is_score(row, key))
    return f"loss {row['loss']:.4f}" + "".join(scores)


def _is_score(row: LogRow, key: str) -> bool:
    return key not in ("step", "loss") and row[key] is not None
