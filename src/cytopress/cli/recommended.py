"""Options that choose the codec which a study recommended, instead of --codec."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cytopress.errors import CytopressWarning, UsageError
from cytopress.settings import Settings

if TYPE_CHECKING:
    from cytopress.results.recommendation.recorded import RecordedRecommendation

Recommended = Annotated[
    Path | None,
    typer.Option(
        help="Instead of --codec: a study's folder that `recommend --write` wrote into. Channels"
        " are found by the names of files, or in them.",
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
    typer.Option(
        "--channel",
        help="With --recommended: code all images as recommended for this channel or dataset of the"
        " study. A codec for one channel is --codec NAME=SPEC.",
        metavar="NAME",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A recommendation as the command line asks for it."""

    recommended: Path | None
    task: str | None = None
    margin: str | None = None
    channel: str | None = None


@dataclass(frozen=True)
class Specs:
    """Specs of codecs, ``CHANNEL=SPEC`` or one for all; ``optional`` channels may be in no file."""

    texts: Sequence[str]
    optional: frozenset[str] = frozenset()


def specs_of(
    codecs: Sequence[str] | None, choice: Choice, settings: Settings, *, name: str
) -> Specs:
    """Return the specs that were given, or those that were recommended.

    Of a study of several channels each gets its own, and ``codecs`` may add others to them. A
    channel that is in the ``name`` of a file is the only one needed.

    Raises
    ------
    UsageError
        Neither or both were given, or several recommendations fit a dataset.
    """
    from cytopress.datasets.image_names import channel_in
    from cytopress.files.channel_codecs import channels_of
    from cytopress.results.recommendation.recorded import read_recommendations

    if choice.channel is not None and "=" in choice.channel:
        raise UsageError(
            f"--channel {choice.channel}: a codec for one channel is --codec {choice.channel};"
            " --channel NAME chooses a channel of the study that --recommended names."
        )
    if choice.recommended is None:
        return Specs(_given(codecs, choice))
    given = channels_of(codecs or ())
    both = UsageError(
        "give either --codec or --recommended, not both; of a study of several channels, --codec"
        " CHANNEL=SPEC may replace what is recommended for one."
    )
    if codecs and len(given) < len(codecs):
        raise both
    found = read_recommendations(
        choice.recommended, task=choice.task, margin=choice.margin, channel=choice.channel
    )
    by_channel = choice.channel is None and all(one.by_channel for one in found)
    if codecs and not by_channel:
        raise both
    used = [one for one in found if one.channel not in given]
    if by_channel:
        held = channel_in(name, [one.channel for one in used])
        # A file of several channels has them behind that of its name.
        used = [one for one in used if not held or one.channel.startswith(held)]
    for one in used:
        # Checked here: the model packages are those that were measured.
        one.request(settings)
    if not by_channel:
        return Specs([found[0].spec])
    _note_lossless(used)
    texts = [f"{one.channel}={one.spec}" for one in used]
    return Specs([*texts, *(codecs or ())], frozenset(one.channel for one in used))


def _given(codecs: Sequence[str] | None, choice: Choice) -> Sequence[str]:
    """Return the specs that were given, where nothing of a recommendation is."""
    chosen = {"--task": choice.task, "--margin": choice.margin, "--channel": choice.channel}
    for option, value in chosen.items():
        if value is not None:
            raise UsageError(f"{option} chooses a recommendation; give --recommended DIR too.")
    if not codecs:
        raise UsageError("give --codec SPEC, or --recommended DIR for what a study recommends.")
    return codecs


def _note_lossless(found: Sequence[RecordedRecommendation]) -> None:
    names = [one.dataset for one in found if one.lossless]
    if names:
        text = f"coded without loss, since no smaller setting is recommended: {', '.join(names)}"
        warnings.warn(text, CytopressWarning, stacklevel=3)
