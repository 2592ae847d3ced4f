"""Choice of a study's recommendation for each channel of a data set."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cytopress.errors import UsageError
from cytopress.results.recommendation.recorded import (
    RecordedRecommendation,
    read_recommendation,
    read_rows,
)


@dataclass(frozen=True)
class ChosenRecommendation:
    """A recommendation, and the folder of its study."""

    folder: Path
    recorded: RecordedRecommendation


@dataclass(frozen=True, kw_only=True)
class StudyChoice:
    """A study and how to choose among its recommendations.

    Parameters
    ----------
    folder : Path
        Where `recommend` wrote ``recommendation.json``.
    task, margin : str, optional
        The task, or TASK/METRIC, and the margin to choose by.
    channel : str, optional
        The dataset of the study, or the channel it shows, to use for every channel. Unless given,
        each channel has the recommendation for its name; where the study has one dataset and the
        images have one channel, that one.
    """

    folder: Path
    task: str | None = None
    margin: str | None = None
    channel: str | None = None

    def of_channel(self, name: str, names: Collection[str]) -> ChosenRecommendation:
        """Return the recommendation for a channel; ``names`` are all channels that need one.

        Raises
        ------
        UsageError
            There is none, or there are several.
        NotAvailableError
            It is that no codec will do.
        """
        rows = read_rows(self.folder)
        shown = {text for row in rows for text in _names(row)}
        channel = self.channel
        if channel is None and name.casefold() in shown:
            channel = name
        datasets = sorted({row["name"] for row in rows})
        if channel is None and rows and max(len(datasets), len(names)) > 1:
            raise UsageError(
                f"{self.folder}: recommends nothing for the channel {name!r}, but for"
                f" {', '.join(datasets)}; give --channel {name or 'NAME'}=SPEC for it, or --channel"
                " with one of those names to use that for all."
            )
        recorded = read_recommendation(
            self.folder, task=self.task, margin=self.margin, channel=channel
        )
        return ChosenRecommendation(self.folder, recorded)


def _names(row: dict[str, object]) -> set[str]:
    name = str(row["name"])
    found = {name, name.rpartition("/")[2], str(row.get("channel", ""))}
    return {one.casefold() for one in found if one}
