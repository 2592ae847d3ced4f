"""Results of a study, finished or running: the input of reports and exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cytopress.metrics import NoiseModel
from cytopress.study.trial import Preview, Trial


@dataclass(frozen=True, kw_only=True)
class NoiseFacts:
    """The fitted noise model of a dataset, with the points that it was fitted to (counts)."""

    a: float
    b: float
    offset: float
    good: bool
    reason: str
    means: tuple[float, ...]
    variances: tuple[float, ...]

    @property
    def model(self) -> NoiseModel:
        """The noise model alone."""
        return NoiseModel(self.a, self.b, self.offset)


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """Facts of a dataset, and its reference scales; ``data_range`` in counts."""

    name: str
    title: str
    input: str
    target: str
    axes: str
    bits: int
    pixel_size_um: float | None
    licence: str
    attribution: str
    notes: str
    data_range: float
    noise: NoiseFacts
    # part -> group -> names of fields
    split: Mapping[str, Mapping[str, tuple[str, ...]]]
    # source of data_range and noise: "training groups", or "all fields" of a dataset without them
    scales_source: str
    # distance between the planes of a volume; None if unknown, and for planes
    plane_spacing_um: float | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreFacts:
    """Name, unit and better direction of a score.

    ``column`` is ``pixels/psnr`` or, for a task, ``labelfree/ecoli-phase/pearson`` (without the
    last part). ``main`` marks a task's deciding score.
    """

    column: str
    name: str
    unit: str
    better: str
    task: str
    main: bool


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """A task of the study: its name, the sha256 of its weights, and its card in short."""

    name: str
    weights: str
    dataset: str
    summary: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Speed:
    """One row of the speed table: medians of a one-thread pass after the study, in seconds."""

    dataset: str
    field: str
    codec: str
    options: str
    target: str
    target_value: float | None
    raw_bytes: int
    coded_bytes: int
    encode_s: float
    decode_s: float
    repeats: int
    threads: int


@dataclass(frozen=True, kw_only=True)
class UnfinishedNetwork:
    """How far the training of one rate is: ``steps`` of ``of``, and its losses by step.

    ``quality`` is the rate's number, from 1, the coarsest; ``loss`` says on what the losses were
    measured, ``validation`` fields or ``training`` crops.
    """

    quality: int
    steps: int
    of: int
    loss: str
    losses: tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True)
class UnfinishedTraining:
    """A codec of the study whose package was exported before its training had ended."""

    codec: str
    options: str
    package: str
    networks: tuple[UnfinishedNetwork, ...]


@dataclass(frozen=True, kw_only=True)
class Results:
    """A study read back from its store.

    ``trials`` are of codecs, ``noise_replicates`` of the camera's noise added once more, which a
    margin is derived from (`cytopress.study.noise_replicates`): they have no bytes and are not
    exported. ``previews`` returns the pictures of a trial by its key (none for most trials).
    ``unfinished`` are its codecs that are still in training, ``left_out`` sentences on those that
    could not be run. ``claims`` names the publication whose claims are checked, "" for none.
    ``margin`` is the one that the study states: a number, percent (``"2%"``), ``"noise"``, or None.
    """

    name: str
    title: str
    spec_toml: str
    seed: int
    created: str
    # codings of one field each; every one gives a row of trials for each model variant
    trials_done: int
    trials_planned: int
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    datasets: Sequence[DatasetFacts]
    tasks: Sequence[TaskFacts]
    scores: Sequence[ScoreFacts]
    trials: Sequence[Trial]
    noise_replicates: Sequence[Trial]
    speeds: Sequence[Speed]
    previews: Callable[[str], Sequence[Preview]]
    margin: float | str | None = None
    unfinished: Sequence[UnfinishedTraining] = ()
    left_out: Sequence[str] = ()
    claims: str = ""
