"""Study that a command line asks for: a study file, or a folder of images with its options."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cytopress.errors import CytopressWarning, UsageError
from cytopress.settings import Settings

if TYPE_CHECKING:
    from cytopress.datasets.image_folder import FolderOptions
    from cytopress.study.spec import Study


@dataclass(frozen=True, kw_only=True)
class StudyRequest:
    """What ``study run`` was given: see its options.

    ``arguments`` are a study file, or with ``images`` the program of ``--task external``.
    """

    arguments: Sequence[str]
    images: Path | None
    tasks: Sequence[str]
    codecs: Sequence[str]
    margin: str | None
    options: FolderOptions

    def study(self, settings: Settings) -> Study:
        """Return the study.

        Raises
        ------
        UsageError, DatasetError
            As of `load_study` and `study_of_images`; or options of the one go with the other.
        """
        return self._of_file(settings) if self.images is None else self._of_images(settings)

    def _of_file(self, settings: Settings) -> Study:
        from cytopress.datasets.image_folder import FolderOptions
        from cytopress.statistics.margin import parse_margin
        from cytopress.study.spec import load_study

        if len(self.arguments) != 1:
            raise UsageError("give one study file, or a folder of images with --images DIR.")
        if self.options != FolderOptions() or self.tasks or self.codecs:
            raise UsageError(
                "--task, --codec and what describes images go with --images; in a study file they"
                " are keys (see `cytopress study init`)."
            )
        study = load_study(Path(self.arguments[0]), settings)
        if self.margin is None:
            return study
        return study.model_copy(update={"margin": parse_margin(self.margin)})

    def _of_images(self, settings: Settings) -> Study:
        from cytopress.study.from_images import study_of_images
        from cytopress.study.spec import parse_study

        assert self.images is not None
        text = study_of_images(
            self.images,
            tasks=self.tasks,
            command=self.arguments,
            codecs=self.codecs,
            margin=self.margin,
            options=self.options,
        )
        if not self.tasks:
            _note("no --task is given, so pixels alone are compared; --task measurement measures")
        label = f"--images {self.images}"
        return parse_study(text, folder=Path(), label=label, settings=settings)


def results_folder(study: Study) -> Path:
    """Return the folder for the results of a study where none is given: it has its name."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", study.name).strip("-.") or "my"
    _note(f"results go into {name}-study (--out)")
    return Path(f"{name}-study")


def _note(text: str) -> None:
    warnings.warn(f"{text}.", CytopressWarning, stacklevel=3)
