"""Study that a command line asks for: a study file, or a folder of images with its options."""

from __future__ import annotations

import re
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytopress.errors import CytopressError, CytopressWarning, UsageError
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
    out: Path | None = None

    def study(self, settings: Settings) -> Study:
        """Return the study.

        Raises
        ------
        UsageError, DatasetError
            As of `load_study` and `study_of_images`; or options of the one go with the other.
        """
        return self._of_file(settings) if self.images is None else self._of_images(settings)

    def with_trained_codecs(self, out: Path | None, settings: Settings) -> Settings:
        """Train the codecs that a study file has a training of and that are missing.

        Raises
        ------
        CytopressError
            As of `cytopress.study.trained_codecs.trained_codecs`.
        """
        from cytopress.cli.progress_bars import bar
        from cytopress.study.margin_limits import check_margin_of_file
        from cytopress.study.trained_codecs import trained_codecs

        if self.images is not None:
            return settings
        self._check_file()
        check_margin_of_file(Path(self.arguments[0]), self.margin, settings)
        with bar("Training codecs") as progress:
            return trained_codecs(Path(self.arguments[0]), out, settings, progress)

    def _check_file(self) -> None:
        from cytopress.datasets.image_folder import FolderOptions

        if len(self.arguments) != 1:
            raise UsageError("give one study file, or a folder of images with --images DIR.")
        if self.options != FolderOptions() or self.tasks or self.codecs:
            raise UsageError(
                "--task, --codec and what describes images go with --images; in a study file they"
                " are keys (see `cytopress study init`)."
            )

    def _of_file(self, settings: Settings) -> Study:
        from cytopress.statistics.margin import parse_margin
        from cytopress.study.spec import load_study

        self._check_file()
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
            self.codecs or self._default_codecs(self.images),
            tasks=self.tasks,
            command=self.arguments,
            margin=self.margin,
            options=self.options,
        )
        if not self.tasks:
            _note("no --task is given, so pixels alone are compared; --task measurement measures")
        label = f"--images {self.images}"
        return parse_study(text, folder=Path(), label=label, settings=settings)

    def _default_codecs(self, images: Path) -> Sequence[str | Mapping[str, Any]]:
        """Return the codecs that suit the images, or those of the study that is in the folder."""
        from cytopress.datasets.image_folder import open_image_folder
        from cytopress.quick_look.default_codecs import default_codecs

        name = images.resolve().name
        if begun := _begun_codecs(self.out or _folder_of(name)):
            return begun
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CytopressWarning)
            datasets = open_image_folder(images, self.options).datasets
            found = default_codecs(datasets)
        _note(f"{name}: {found.sentence}")
        return found.specs


def results_folder(study: Study) -> Path:
    """Return the folder for the results of a study where none is given: it has its name."""
    folder = _folder_of(study.name)
    _note(f"results go into {folder} (--out)")
    return folder


def _folder_of(name: str) -> Path:
    short = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "my"
    return Path(f"{short}-study")


def _begun_codecs(folder: Path) -> list[Mapping[str, Any]]:
    """Return the codecs of the study of a folder that was begun; images added change none."""
    from cytopress.study.store import load_results

    try:
        text = load_results(folder).spec_toml
    except CytopressError:
        # A folder that cannot be gone on with is refused when the study is run.
        return []
    return list(tomllib.loads(text)["codecs"])


def _note(text: str) -> None:
    warnings.warn(f"{text}.", CytopressWarning, stacklevel=3)
