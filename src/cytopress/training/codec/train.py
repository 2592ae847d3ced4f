"""Training of a codec: config to package, with its log and card."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from cytopress.atomic import atomic_file
from cytopress.callbacks import Progress
from cytopress.datasets.catalogue import dataset as open_by_name
from cytopress.datasets.dataset import Dataset
from cytopress.errors import UnknownNameError
from cytopress.models.model_package import SUFFIX, Package, open_package
from cytopress.settings import Settings, from_environment
from cytopress.training.codec.card import codec_card
from cytopress.training.codec.config import CodecTraining
from cytopress.training.codec.evaluate import evaluate
from cytopress.training.codec.fit import fit
from cytopress.training.codec.module import Judges
from cytopress.training.codec.sources import load_planes, sources_used
from cytopress.training.codec.start import begin
from cytopress.training.codec.task_distortion import TaskDistortion, task_package
from cytopress.training.codec.validate import validator, write_any
from cytopress.training.evaluate import machine
from cytopress.training.precision import computed_in

CHECKPOINT = "checkpoint-r{}.ckpt"
CARD = "card.md"


def train_codec(
    config: CodecTraining,
    out: Path,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train a codec, or resume the run in ``out``, export it and score it.

    A run that has ended is not repeated: where ``out`` holds all of it, its package is returned.

    Parameters
    ----------
    config : CodecTraining
        What to train.
    out : Path
        Folder for checkpoints, TensorBoard logs, ``log.json``, ``card.md`` and the package.
    settings : Settings, optional
        Where datasets, archives and packages are; read from the environment unless given.
    progress : callable, optional
        Called after each round with steps done, all steps and a line to show.

    Returns
    -------
    Path
        The package, ``out / NAME.cytomodel``.

    Raises
    ------
    DatasetError
        There is nothing to train on, or an image that cannot be.
    UsageError
        ``out`` holds a run of another config.
    UnknownNameError
        There is no package of the name of ``init``, or of the task.
    PackageError
        That package holds another network's weights, or none to start from.
    TaskError
        A codec cannot be trained by this task.
    """
    settings = settings or from_environment()
    options = config.fit
    by = task_package(config, settings)
    if _ended(config, out, by):
        return _package_of(config, out)
    noise = config.loss.domain == "stabilized"
    deep = options.planes if config.network.volumes else 0
    planes = load_planes(
        config.sources, settings, "train", crop=options.crop, deep=deep, noise=noise
    )
    held = load_planes(config.sources, settings, "validation", crop=options.crop, deep=deep)
    validate = validator(
        held, name=config.name, rdo=config.loss.rdo, fields=options.validate_fields
    )
    begun = begin(config, settings)
    judges = Judges(validate, TaskDistortion(config, by, planes) if by is not None else None)
    out.mkdir(parents=True, exist_ok=True)
    finished: dict[int, nn.Module] = {}
    seconds, history = 0.0, []
    for index in config.rate.order:
        network, rate = begun[index], config.rate.alone(index)
        fresh = config.init is None
        if config.rate.from_finer and index + 1 in finished:
            network.load_state_dict(finished[index + 1].state_dict())
            fresh = False
        path = out / CHECKPOINT.format(index)
        trained = fit(
            config,
            network,
            rate.nodes,
            planes,
            path,
            steps=config.steps_of(index),
            fresh=fresh,
            judges=judges,
            progress=progress,
        )
        finished[index] = averaged(network, trained)
        seconds += trained["seconds"]
        history += [{"network": index, **row} for row in trained["history"]]
    networks = [finished[index] for index in sorted(finished)]
    _write(out / "log.json", json.dumps(history, indent=1) + "\n")
    manifest: dict[str, Any] = {
        "name": config.name,
        "rdo": config.loss.rdo,
        "training": config.model_dump(mode="json"),
        "trained_on": sources_used(planes),
        "compute": {
            "minutes": round(seconds / 60, 1),
            "precision": computed_in(config.fit.precision),
            **machine(),
        },
    }
    if by is not None:
        manifest["task"] = {"name": by.name, "sha256": by.sha256}
    return _export(config, networks, manifest, history, out, settings)


def _export(
    config: CodecTraining,
    networks: Sequence[Any],
    manifest: dict[str, Any],
    history: Sequence[Any],
    out: Path,
    settings: Settings,
) -> Path:
    path = _package_of(config, out)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        unscored = write_any(Path(folder) / path.name, networks, manifest)
        manifest["results"] = evaluate(unscored, _datasets(config, settings))
    package = write_any(path, networks, manifest)
    size = path.stat().st_size
    _write(out / CARD, codec_card(package.manifest, history, sha256=package.sha256, size=size))
    return path


def _package_of(config: CodecTraining, out: Path) -> Path:
    return out / f"{config.file_stem}{SUFFIX}"


def _ended(config: CodecTraining, out: Path, by: Package | None) -> bool:
    """Whether a run of this config and task has written its last file, and none is missing."""
    path = _package_of(config, out)
    needed = [path, *(out / CHECKPOINT.format(index) for index in range(config.rate.networks))]
    if config.network.ours:
        needed.append(out / CARD)
    if not all(each.is_file() for each in needed):
        return False
    manifest = open_package(path).manifest
    if manifest.get("task", {}).get("sha256") != (by.sha256 if by is not None else None):
        return False
    return bool(manifest.get("training") == config.model_dump(mode="json"))


def averaged(network: nn.Module, trained: Mapping[str, Any]) -> nn.Module:
    """Return a network with the averaged weights of a checkpoint."""
    state = {
        name.removeprefix("averaged."): value
        for name, value in trained["state_dict"].items()
        if name.startswith("averaged.")
    }
    network.load_state_dict(state)
    return network.cpu()


def _datasets(config: CodecTraining, settings: Settings) -> list[Dataset]:
    """Return the datasets whose input was trained on, each once; of planes, or of volumes."""
    found: dict[str, Dataset] = {}
    for source in config.sources:
        name = source.dataset
        if name is None or name in found or "input" not in source.images:
            continue
        try:
            opened = open_by_name(name, settings)
        except UnknownNameError:
            continue
        if opened.axes == ("ZYX" if config.network.volumes else "YX"):
            found[name] = opened
    return list(found.values())


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
