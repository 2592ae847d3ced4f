"""Training of a task's model: config to package, with its log and card."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cytopress.atomic import atomic_file
from cytopress.callbacks import Progress
from cytopress.datasets.catalogue import dataset as open_by_name
from cytopress.datasets.dataset import Dataset
from cytopress.datasets.splits import PARTS
from cytopress.errors import DatasetError
from cytopress.models.model_package import SUFFIX, Package, write_package
from cytopress.settings import Settings, from_environment
from cytopress.training.card import model_card
from cytopress.training.config import TaskTraining
from cytopress.training.evaluate import machine
from cytopress.training.fit import fit
from cytopress.training.kinds.kind import CardPart, Kind
from cytopress.training.kinds.registry import kind_of
from cytopress.training.module import kept_in
from cytopress.training.network import UNet
from cytopress.training.onnx_export import export_onnx
from cytopress.training.pairs import load_pairs
from cytopress.training.precision import computed_in
from cytopress.training.rounds import LogRow


def train_task(
    config: TaskTraining,
    out: Path,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train the model of a task, or resume the run in ``out``, and export it.

    Parameters
    ----------
    config : TaskTraining
        What to train.
    out : Path
        Folder for ``checkpoint.ckpt``, ``log.csv``, ``card.md`` and the package.
    settings : Settings, optional
        Where datasets and packages are; read from the environment unless given.
    progress : callable, optional
        Called after each round with steps done, all steps and a line to show.

    Returns
    -------
    Path
        The package, such as ``out / labelfree-DATASET.cytomodel``.

    Raises
    ------
    DatasetError
        The dataset has no training fields, one that cannot be trained on, or other axes than the
        config.
    CodecError
        A codec of the config refuses a field.
    UsageError
        ``out`` holds a run of another config.
    """
    settings = settings or from_environment()
    kind = kind_of(config, settings)
    dataset = open_by_name(config.dataset, settings)
    _check_axes(config, dataset)
    read = partial(load_pairs, dataset, reading=kind, codecs=config.codecs, settings=settings)
    train = read("train", smallest=config.crop)
    if not train:
        raise DatasetError(
            f"{dataset.name}: there is no field for training; give its groups a part in the table"
            " [split] of dataset.toml."
        )
    validation = read("validation", smallest=[1] * len(config.axes))
    own = kind.manifest(dataset)
    out.mkdir(parents=True, exist_ok=True)
    trained = fit(config, kind, train, validation, out, progress=progress)
    kept = kept_in(trained)
    write_log(out / "log.csv", kept["history"])
    network = UNet(
        config.network.channels, config.network.depth, kind.outputs, volume=config.volume
    )
    network.load_state_dict(kept["best"])
    graphs = {"network": export_onnx(network, stride=network.strides)}
    manifest = {**_manifest(config, dataset, trained, network, kind), **own}
    path = out / f"{config.file_stem}{SUFFIX}"
    with tempfile.TemporaryDirectory(dir=out) as folder:
        unscored = write_package(Path(folder) / path.name, manifest, graphs=graphs)
        manifest["results"] = kind.results(dataset, unscored, train)
    package = write_package(path, manifest, graphs=graphs)
    part = kind.card(package.manifest, dataset)
    _write_card(out / "card.md", package, dataset, part, kept["history"])
    return path


def _check_axes(config: TaskTraining, dataset: Dataset) -> None:
    if dataset.axes != config.axes:
        change = "add the table [volume]" if dataset.axes == "ZYX" else "remove the table [volume]"
        raise DatasetError(
            f"{dataset.name} has images of the axes {dataset.axes}, and the training is of"
            f" {config.axes}; {change} or choose another dataset."
        )


def _manifest(
    config: TaskTraining,
    dataset: Dataset,
    trained: Mapping[str, Any],
    network: UNet,
    kind: Kind,
) -> dict[str, Any]:
    seen = config.receptive_fields
    kept = kept_in(trained)
    chosen = kind.selects and bool(dataset.part("validation"))
    return {
        "kind": "task",
        "name": config.package_name,
        "task": config.name,
        "architecture": "unet",
        "axes": config.axes,
        "stride": _along(network.strides),
        "receptive_field": _along([axis.size for axis in seen]),
        "reach": _along([axis.reach for axis in seen]),
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "training": config.recorded(),
        "codecs": list(config.codecs),
        "trained_on": _trained_on(config, dataset),
        "selection": {
            "by": f"validation {kind.score}" if chosen else "",
            "step": kept["best_step"],
            "of": len(kept["history"]),
        },
        "compute": {
            "minutes": round(trained["seconds"] / 60, 1),
            "precision": computed_in(config.fit.precision),
            **machine(),
        },
    }


def _along(lengths: Sequence[int]) -> int | list[int]:
    """Return one number if it is the same for all axes, as for planes."""
    return lengths[0] if len(lengths) == 2 else list(lengths)


def _trained_on(config: TaskTraining, dataset: Dataset) -> dict[str, Any]:
    channel = {"channel": config.channel} if config.channel else {}
    parts: dict[str, Any] = {part: _part(dataset, part) for part in PARTS}
    return {"dataset": dataset.name, **channel, **parts}


def _part(dataset: Dataset, part: Any) -> dict[str, list[str]]:
    fields = dataset.part(part)
    return {
        "groups": sorted({field.group for field in fields}),
        "fields": [field.name for field in fields],
    }


def write_log(path: Path, history: Sequence[LogRow]) -> None:
    """Write the history of a training as a table, one row a round."""
    with (
        atomic_file(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.DictWriter(stream, list(history[0]))
        table.writeheader()
        table.writerows(history)


def _write_card(
    path: Path, package: Package, dataset: Dataset, part: CardPart, history: Sequence[LogRow]
) -> None:
    text = model_card(
        package.manifest,
        dataset,
        part,
        history,
        sha256=package.sha256,
        size=package.path.stat().st_size,
    )
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
