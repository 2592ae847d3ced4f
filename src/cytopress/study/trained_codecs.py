"""Learned codecs of a study file that are trained where they are missing, as tasks' models are."""

from __future__ import annotations

import tomllib
import warnings
from pathlib import Path

from cytopress.callbacks import Progress
from cytopress.errors import CytopressWarning, NotAvailableError, UnknownNameError, UsageError
from cytopress.models.model_package import SUFFIX
from cytopress.models.search import find_package
from cytopress.settings import Settings
from cytopress.study.trained_models import FOLDER
from cytopress.toml_table import read_text
from cytopress.training.codec.config import CodecTraining, read_codec_training

KEY = "training"


def trained_codecs(
    path: Path, out: Path | None, settings: Settings, progress: Progress
) -> Settings:
    """Train the codecs of a study file that name a training file and are in no model folder.

    A package that one of the model folders holds under the training's name is used as it is. A
    training that was interrupted goes on.

    Parameters
    ----------
    path : Path
        The study file. Paths of training files are relative to it.
    out : Path or None
        The study's folder; packages are written into its ``models``.
    settings : Settings
        Folders of packages and of datasets.
    progress : callable
        Called with the steps done, all steps, and a text that names the codec.

    Returns
    -------
    Settings
        With the folders of the packages that were trained for this study.

    Raises
    ------
    UsageError
        A file is missing or wrong, or a codec has a training and there is no ``out``.
    NotAvailableError
        A codec must be trained, and the extra learn is not installed.
    """
    files = _training_files(path)
    if files and out is None:
        raise UsageError(f"{path}: codecs may have to be trained; give --out, the folder for them.")
    for file in files:
        assert out is not None
        settings = _with_codec(file, out / FOLDER, settings, progress)
    return settings


def _training_files(path: Path) -> list[Path]:
    try:
        tables = tomllib.loads(read_text(path)).get("codecs", [])
    except tomllib.TOMLDecodeError:
        # Whoever reads the study says so.
        return []
    named = [table.get(KEY) for table in tables if isinstance(table, dict)]
    files = dict.fromkeys(name for name in named if isinstance(name, str))
    return [(path.parent / name).resolve() for name in files]


def _with_codec(file: Path, models: Path, settings: Settings, progress: Progress) -> Settings:
    config = read_codec_training(file)
    folder = models / config.file_stem
    if not (folder / f"{config.file_stem}{SUFFIX}").exists():
        try:
            package = find_package(settings.model_folders, "codec", config.name)
        except UnknownNameError:
            pass
        else:
            if package.manifest.get("training") != config.model_dump(mode="json"):
                warnings.warn(
                    f"{package.path} is used for {config.name}, though {file.name} does not"
                    " describe its training.",
                    CytopressWarning,
                    stacklevel=3,
                )
            elif package.manifest.get("unfinished"):
                warnings.warn(
                    f"{config.name}: its training has not ended; the page shows how far it is.",
                    CytopressWarning,
                    stacklevel=3,
                )
            return settings
    # Also where there is a package already: an interrupted training may have left its last file.
    _train(config, folder, settings, progress)
    return settings.with_models(folder)


def _train(config: CodecTraining, folder: Path, settings: Settings, progress: Progress) -> None:
    try:
        from cytopress.training.codec.train import train_codec
    except ImportError as error:
        raise NotAvailableError(
            f"{config.name} must be trained, which needs {error.name}; install the extra: pip"
            " install 'cytopress[learn]', or say with --models where the package is."
        ) from error
    train_codec(
        config,
        folder,
        settings=settings,
        progress=lambda done, of, line: progress(done, of, f"training {config.name}: {line}"),
    )
