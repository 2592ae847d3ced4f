"""Field inputs: a field's images and the predictions from its original, made once a field."""

from __future__ import annotations

import threading
from collections import OrderedDict

from cytopress.codecs.targets.encodes import Encodes
from cytopress.digests import digest_image, digest_labels
from cytopress.errors import DatasetError
from cytopress.image import Image, Labels
from cytopress.reuse import Reuse
from cytopress.study.field_job import FieldJob
from cytopress.study.scoring import OriginalScores, score_original
from cytopress.tasks.objects import measure_objects
from cytopress.tasks.protocol import Prediction, Task

# A field of a volume takes hundreds of megabytes with its predictions.
KEPT = 2


class FieldInputs:
    """A field's original and ground truths, and what several trials of it need.

    Each task predicts from the original when it is first asked for. Safe for several threads.
    """

    def __init__(self, original: Image, truth: Image | None, labels: Labels | None = None) -> None:
        self.original, self.truth, self._labels = original, truth, labels
        self._scores: dict[tuple[str, str], OriginalScores] = {}
        self._lock = threading.Lock()
        self._of_thread = threading.local()

    @property
    def encodes(self) -> Encodes:
        """Settings that this thread has coded the original with: no target tries one again."""
        if not hasattr(self._of_thread, "encodes"):
            self._of_thread.encodes = Encodes(self.original)
        found: Encodes = self._of_thread.encodes
        return found

    @property
    def results(self) -> Reuse:
        """What this thread has computed of the original alone, to compare it with."""
        if not hasattr(self._of_thread, "results"):
            self._of_thread.results = Reuse()
        found: Reuse = self._of_thread.results
        return found

    def scores_on_original(self, task: Task) -> OriginalScores:
        """Return the prediction of a task from the original, and its scores."""
        key = (task.name, task.weights)
        with self._lock:
            if key not in self._scores:
                self._scores[key] = score_original(task, self.original, self._truth_of(task))
            return self._scores[key]

    def _truth_of(self, task: Task) -> Prediction | None:
        if task.truth == "target":
            return self.truth
        if task.truth == "labels" and self._labels is not None:
            return measure_objects(self._labels, self.original)
        return None


def read_inputs(job: FieldJob) -> FieldInputs:
    """Read the images of a job's field.

    Raises
    ------
    DatasetError
        They are not those that the study was planned on.
    """
    dataset, field, spec = job.dataset, job.field, job.plans[0].spec
    original = dataset.read_input(field)
    truth = None if field.target is None else dataset.read_target(field)
    labels = None if field.labels is None else dataset.read_labels(field)
    digest = "" if labels is None else digest_labels(labels)
    target = "" if truth is None else digest_image(truth)
    if (digest_image(original), target, digest) != (
        spec.original,
        spec.target,
        spec.labels,
    ):
        raise DatasetError(
            f"{field.input}: the images of {field.name!r} have changed since the study was planned;"
            " leave them alone while it runs, and run the same command again."
        )
    return FieldInputs(original, truth, labels)


class RecentInputs:
    """Cache of the inputs of the fields used last. Safe for several threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._fields: OrderedDict[tuple[str, ...], FieldInputs] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, job: FieldJob) -> FieldInputs:
        """Return the inputs of a job's field, read unless they are here, as `read_inputs` does."""
        spec = job.plans[0].spec
        key = (spec.original, spec.target, spec.labels)
        with self._lock:
            if key not in self._fields:
                # Room is made before reading: more volumes at once may not fit into memory.
                while len(self._fields) >= self._kept:
                    self._fields.popitem(last=False)
                self._fields[key] = read_inputs(job)
            self._fields.move_to_end(key)
            return self._fields[key]
