"""Export of a training that has not ended: what its checkpoints hold, and how far they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytopress.errors import UsageError
from cytopress.models.model_package import SUFFIX
from cytopress.settings import Settings, from_environment
from cytopress.training.codec.config import CodecTraining
from cytopress.training.codec.start import begin
from cytopress.training.codec.train import CHECKPOINT, averaged
from cytopress.training.codec.validate import write_any
from cytopress.training.evaluate import machine
from cytopress.training.precision import computed_in
from cytopress.training.rounds import load_checkpoint

FOLDER = "unfinished"
# Lambda weighs the squared error in these units, as CompressAI does.
FULL = 255.0


def export_unfinished(
    config: CodecTraining, out: Path, *, settings: Settings | None = None
) -> Path:
    """Export the networks of a training as its last checkpoints have them; nothing is trained.

    The manifest says under ``unfinished`` how far each network is, and how its loss fell, so that
    a study shows that instead of a verdict. No test field is scored. The folder that a training
    writes is only read: it may go on meanwhile.

    Parameters
    ----------
    config : CodecTraining
        The training, as it was begun.
    out : Path
        Folder of the training.
    settings : Settings, optional
        Where packages are; read from the environment unless given.

    Returns
    -------
    Path
        The package, in the folder ``unfinished`` of ``out``.

    Raises
    ------
    UsageError
        ``out`` holds no checkpoint, one of another config, or not of every network of a codec
        that needs all.
    """
    settings = settings or from_environment()
    identity = config.model_dump(mode="json")
    paths = {index: out / CHECKPOINT.format(index) for index in range(config.rate.networks)}
    found = {
        index: load_checkpoint(path, identity) for index, path in paths.items() if path.exists()
    }
    if not found:
        raise UsageError(
            f"{out}: there is no checkpoint yet; the first is written after two minutes."
        )
    if config.network.ours and len(found) < len(paths):
        raise UsageError(
            f"{out}: {len(paths) - len(found)} of {len(paths)} rates have no checkpoint yet."
        )
    networks = [
        averaged(network, found[index]) if index in found else None
        for index, network in enumerate(begin(config, settings))
    ]
    manifest = {
        "name": config.name,
        "rdo": config.loss.rdo,
        "training": identity,
        "compute": {
            "minutes": round(sum(each["seconds"] for each in found.values()) / 60, 1),
            "precision": computed_in(config.fit.precision),
            **machine(),
        },
        "unfinished": [_progress(config, index, found.get(index)) for index in paths],
    }
    folder = out / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{config.file_stem}{SUFFIX}"
    write_any(path, networks, manifest)
    return path


def _progress(
    config: CodecTraining, index: int, checkpoint: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return how far a network is: its number from 1, steps, and losses by step."""
    rate = config.rate.alone(index)
    history = checkpoint["history"] if checkpoint else []
    validated = len(rate.nodes) == 1 and all(row.get("validation") for row in history)
    return {
        "quality": index + 1,
        "steps": checkpoint["steps_done"] if checkpoint else 0,
        "of": config.steps_of(index),
        "loss": "validation" if validated else "training",
        "losses": [
            [row["step"], _validation_loss(row, rate.nodes[0]) if validated else row["loss"]]
            for row in history
        ],
    }


def _validation_loss(row: Mapping[str, Any], weight: float) -> float:
    """Return bits a pixel and weighted squared error, in data ranges, of the held-out fields."""
    scores = [score for each in row["validation"].values() for score in each]
    bits = sum(score["bpp"] for score in scores) / len(scores)
    squared = sum(10 ** (-score["psnr"] / 10) for score in scores) / len(scores)
    loss = bits + weight * FULL**2 * squared
    return loss if math.isfinite(loss) else float(row["loss"])
