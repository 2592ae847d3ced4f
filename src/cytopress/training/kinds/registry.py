"""Registry of kinds of task by family: the part of a task's name before the slash."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cytopress.models.search import find_package
from cytopress.settings import Settings
from cytopress.training.config import TaskTraining
from cytopress.training.kinds.kind import Kind
from cytopress.training.kinds.labelfree import LabelFreeKind
from cytopress.training.kinds.pix2pix import Pix2PixKind
from cytopress.training.kinds.segmentation import SegmentationKind


def _labelfree(_: TaskTraining, __: Settings) -> Kind:
    return LabelFreeKind()


def _pix2pix(config: TaskTraining, settings: Settings) -> Kind:
    start = config.adversarial.start if config.adversarial else None
    if start is None:
        return Pix2PixKind()
    return Pix2PixKind(start=find_package(settings.model_folders, "task", start))


def _segmentation(config: TaskTraining, _: Settings) -> Kind:
    assert config.channel is not None
    return SegmentationKind(config.channel)


KINDS: Mapping[str, Callable[[TaskTraining, Settings], Kind]] = {
    "labelfree": _labelfree,
    "labelfree-pix2pix": _pix2pix,
    "segmentation": _segmentation,
}


def kind_of(config: TaskTraining, settings: Settings) -> Kind:
    """Return the kind that belongs to the family of a training's task.

    ``settings`` name the folders of a package to start from.

    Raises
    ------
    UnknownNameError
        No package has the name that the training starts from.
    PackageError
        That package is damaged.
    """
    return KINDS[config.family](config, settings)
