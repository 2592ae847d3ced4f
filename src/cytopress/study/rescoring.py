"""Rescoring: the fields of a finished study, to be scored again as other means decode them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cytopress.callbacks import no_progress
from cytopress.codecs.spec import codec
from cytopress.errors import StoreError, UsageError
from cytopress.image import Image
from cytopress.settings import Settings
from cytopress.study.entries import DatasetEntry
from cytopress.study.field_inputs import FieldInputs, read_inputs
from cytopress.study.field_job import FieldJob, field_jobs
from cytopress.study.inspect_datasets import OpenedDataset, inspect_dataset, open_entry
from cytopress.study.model_variants import with_variants
from cytopress.study.plan import plan
from cytopress.study.reference_scales import earlier_scales, sources_of
from cytopress.study.results import Results
from cytopress.study.scoring import score_decoded
from cytopress.study.spec import Study, parse_study
from cytopress.study.store import load_reference_scales
from cytopress.study.trained_models import Trainer


@dataclass(frozen=True)
class StudiedField:
    """One field of a study, coded once there with the setting that is asked about."""

    job: FieldJob

    @property
    def key(self) -> str:
        """Key of its trial."""
        return self.job.plans[0].spec.key

    def read(self) -> FieldInputs:
        """Read its images; raises DatasetError if they are not those of the study."""
        return read_inputs(self.job)

    def scores(self, inputs: FieldInputs, decoded: Image) -> tuple[Mapping[str, float], ...]:
        """Return the task scores of each model variant on its image as decoded."""
        # A task must not be able to tell a decoded image from an original.
        original = inputs.original
        image = Image(
            decoded.pixels,
            axes=original.axes,
            bits=original.bits,
            spacing_um=original.spacing_um,
            name=original.name,
        )
        return tuple(
            score_decoded(
                [inputs.scores_on_original(self.job.tasks[key]) for key in variant.tasks], image
            )[0].scores
            for variant in self.job.plans[0].spec.variants
        )


def studied_fields(
    folder: Path, results: Results, dataset: str, spec: str, settings: Settings
) -> tuple[StudiedField, ...]:
    """Return the fields of a dataset of a study that were coded with a setting.

    Parameters
    ----------
    folder : Path
        Of the study.
    results : Results
        What it stored.
    dataset, spec : str
        Name of the dataset, and spec string of the setting with its reference scales.
    settings : Settings
        Folders of datasets and model packages.

    Raises
    ------
    UsageError
        Its images are not found.
    StoreError
        Its images, tasks or models are not those that it was run with.
    """
    study, opened = _opened(folder, results, dataset, settings)
    scales = earlier_scales(sources_of(opened.dataset, {}), load_reference_scales(folder))
    if scales is None:
        raise _changed(folder, dataset)
    found = inspect_dataset(opened, scales, step=lambda _: None)
    found = with_variants(
        study, found, Trainer(folder, settings, retrain=False, progress=no_progress)
    )
    wanted = codec(spec, settings).spec
    plans = [one for one in plan(study, [found]) if one.spec.codec_spec == wanted]
    stored = {trial.key for trial in results.trials}
    if not plans or not {one.spec.key for one in plans} <= stored:
        raise _changed(folder, dataset)
    jobs = field_jobs(plans, [found], settings, done=set(), threads=0)
    return tuple(StudiedField(job) for job in jobs)


def _opened(
    folder: Path, results: Results, dataset: str, settings: Settings
) -> tuple[Study, OpenedDataset]:
    """Return a study and one of its datasets, opened."""
    # Paths of a study start from its file, whose place is not stored.
    for place in (Path(), folder, folder.parent):
        study = parse_study(
            results.spec_toml, folder=place, label=f"the study of {folder}", settings=settings
        )
        if not all(_is_there(entry) for entry in study.datasets):
            continue
        for entry in study.datasets:
            for one in open_entry(entry, study, settings):
                if one.name == dataset:
                    return study, one
        raise _changed(folder, dataset)
    raise UsageError(
        f"{folder}: the images of the study are not found from here; run this command in the folder"
        " where its study file lies."
    )


def _is_there(entry: DatasetEntry) -> bool:
    places = (entry.folder, entry.images)
    return all(path is None or path.exists() for path in places)


def _changed(folder: Path, dataset: str) -> StoreError:
    return StoreError(
        f"{folder}: the images, tasks or models of {dataset} are not those that the study was run"
        " with; run the study again."
    )
