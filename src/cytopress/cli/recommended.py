"""Options that choose the codec which a study recommended, instead of --codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cytopress.errors import UsageError
from cytopress.settings import Settings

Recommended = Annotated[
    Path | None,
    typer.Option(
        help="Instead of --codec: a study's folder that `recommend --write` wrote into.",
        metavar="DIR",
    ),
]
RecommendedTask = Annotated[
    str | None,
    typer.Option("--task", help="With --recommended: the task, or TASK/METRIC, to choose by."),
]
RecommendedMargin = Annotated[
    str | None,
    typer.Option(
        "--margin", help="With --recommended: the margin to choose by.", metavar="M|P%|noise"
    ),
]
RecommendedChannel = Annotated[
    str | None,
    typer.Option("--channel", help="With --recommended: the channel or dataset to choose by."),
]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A recommendation as the command line asks for it."""

    recommended: Path | None
    task: str | None = None
    margin: str | None = None
    channel: str | None = None


def specs_of(codecs: Sequence[str] | None, choice: Choice, settings: Settings) -> Sequence[str]:
    """Return the specs that were given, or the one that was recommended.

    Raises
    ------
    UsageError
        Neither or both were given, or not exactly one recommendation fits.
    """
    from cytopress.results.recommendation.recorded import read_recommendation

    chosen = {"--task": choice.task, "--margin": choice.margin, "--channel": choice.channel}
    if choice.recommended is None:
        for option, value in chosen.items():
            if value is not None:
                raise UsageError(f"{option} chooses a recommendation; give --recommended DIR too.")
        if not codecs:
            raise UsageError("give --codec SPEC, or --recommended DIR for what a study recommends.")
        return codecs
    if codecs:
        raise UsageError("give either --codec or --recommended, not both.")
    found = read_recommendation(
        choice.recommended, task=choice.task, margin=choice.margin, channel=choice.channel
    )
    # Checked here: the model packages are those that were measured.
    found.request(settings)
    return [found.spec]
