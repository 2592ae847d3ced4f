"""Limits of a margin: which margins no score of a study's tasks could be judged by."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cytopress.errors import CytopressError, CytopressWarning, UsageError
from cytopress.settings import Settings
from cytopress.statistics.margin import NOISE, parse_margin, percent_of
from cytopress.study.inspect_datasets import OpenedDataset
from cytopress.study.spec import Study
from cytopress.tasks.registry import task
from cytopress.toml_table import read_text

# Score that is relative to all of the light, the camera's offset and the background included.
OF_ALL_LIGHT = "intensity_error"
# Names of scores that are shares of something.
SHARES = "_error"
# Share of the signal above the background; a margin that allows more to be lost is refused.
MOST_OF_SIGNAL = 0.5


class AnyScore(Protocol):
    """A score of a task, or what a study stores of it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def unit(self) -> str:
        """Its unit, "" for none."""

    @property
    def better(self) -> str:
        """Its better direction."""


def is_share(score: AnyScore) -> bool:
    """Return whether a score is an error that is a share of something, such as ``count_error``."""
    return score.name.endswith(SHARES) and not score.unit


def refused_outright(margin: float | str, score: AnyScore) -> str:
    """Return why a margin is refused for a score whatever the images; "" where it may be used."""
    percent = percent_of(margin)
    if margin == NOISE:
        return ""
    if score.better == "higher":
        whole = percent is not None and percent >= 100
        return f"a loss of {percent:g} % of {score.name} would leave nothing" if whole else ""
    if not is_share(score):
        return ""
    share = float(margin) if percent is None else percent / 100
    # No signal is more than all of the light.
    if score.name == OF_ALL_LIGHT and share > MOST_OF_SIGNAL:
        return f"more than {100 * MOST_OF_SIGNAL:g} % of the signal would be allowed to get lost"
    return ""


def check_margin(study: Study, opened: Iterable[OpenedDataset]) -> None:
    """Refuse a study's margin that none of its tasks could be judged by, before images are read.

    Where some of the tasks could be, the others are a warning.

    Raises
    ------
    UsageError
        The message says why, and gives a margin that would do.
    """
    scores = {task.name: task.scores[0] for one in opened for task in one.tasks}
    _check(study.margin, scores, noise_draws=study.noise_draws)


def check_margin_of_file(path: Path, margin: str | None, settings: Settings) -> None:
    """Refuse the margin of a study file whose codecs are still to be trained.

    What else is wrong with the file is left to `load_study`, which needs them.

    Parameters
    ----------
    path : Path
        The file.
    margin : str or None
        Given instead of the file's.
    settings : Settings
        Folders of the tasks' packages.

    Raises
    ------
    UsageError
        It is no margin, or as of `check_margin`.
    """
    try:
        tables = tomllib.loads(read_text(path))
        found = [parse_margin(one) for one in (margin, tables.get("margin")) if one is not None]
        names = [name for one in tables.get("datasets", []) for name in one.get("tasks", [])]
        draws = int(tables.get("noise_draws", 1))
    except (tomllib.TOMLDecodeError, AttributeError, TypeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        return
    scores = {}
    for name in names:
        # Tasks that the file declares are checked when it is read.
        with suppress(CytopressError):
            scores[name] = task(name, settings).scores[0]
    if found and len(scores) == len(set(names)):
        _check(found[0], scores, noise_draws=draws)


def _check(margin: float | str | None, scores: Mapping[str, AnyScore], *, noise_draws: int) -> None:
    if margin is None:
        return
    asked = f"--margin {margin}"
    if margin == NOISE and scores and noise_draws == 0:
        raise UsageError(
            f"{asked}: the study draws no noise replicates, so noise is no margin; set noise_draws"
            " = 10, or give a number or percent, such as 2%."
        )
    refused = {
        name: why for name, score in scores.items() if (why := refused_outright(margin, score))
    }
    report_refused(refused, len(scores), asked)


def report_refused(
    refused: Mapping[str, str], judged: int, asked: str, remedy: str = "give less, such as 2%"
) -> None:
    """Raise an error where everything that is judged is refused, and warn of what is otherwise.

    Raises
    ------
    UsageError
        With the first reason.
    """
    if refused and len(refused) == judged:
        name, why = next(iter(refused.items()))
        raise UsageError(f"{asked}: {name}: {why}; {remedy}.")
    for name, why in refused.items():
        text = f"{asked} will give no answer for {name}: {why}"
        warnings.warn(text, CytopressWarning, stacklevel=3)
