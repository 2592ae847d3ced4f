"""The one table of kinds, by the part of a task's name before the slash."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cytopress.training.config import TaskTraining
from cytopress.training.kinds.kind import Kind
from cytopress.training.kinds.labelfree import LabelFreeKind
from cytopress.training.kinds.segmentation import SegmentationKind

KINDS: Mapping[str, Callable[[TaskTraining], Kind]] = {
    "labelfree": lambda _: LabelFreeKind(),
    "segmentation": lambda config: SegmentationKind(config.channel or "input"),
}


def kind_of(config: TaskTraining) -> Kind:
    """Return the kind of a training."""
    return KINDS[config.family](config)
