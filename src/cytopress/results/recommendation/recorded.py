"""Recorded recommendation: recommendation.json, written on request and read by encoders."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytopress.atomic import atomic_file
from cytopress.codecs.spec import stored_codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import NotAvailableError, PackageError, StoreError, UsageError
from cytopress.settings import Settings
from cytopress.statistics.margin import NOISE, parse_margin

FILE = "recommendation.json"
# What every row has, those of earlier versions too.
NEEDED = ("name", "task", "metric", "margin", "margin_from", "confidence", "spec", "bound")


@dataclass(frozen=True, kw_only=True)
class RecordedRecommendation:
    """A recommendation as it was written: what `encode` needs, and what it was based on.

    Parameters
    ----------
    dataset, channel : str
        The dataset of the study, and what its images show.
    task, metric : str
        The task and its score.
    margin : str
        As it was asked for: a number in the score's unit, such as ``0.02``, percent, or ``noise``.
    margin_value, confidence : float
        The margin in the score's unit, and the confidence of the claim.
    spec : str
        Spec string of the codec, with its reference scales. It is lossless where no lossy setting
        was shown to be inside the margin.
    bound : float
        The most that is lost at this confidence, in the score's unit; 0 for a lossless codec.
    models : tuple of (name, sha256)
        Model packages that the codec needs.
    lossless : bool
        No setting that is smaller than lossless was recommended.
    """

    dataset: str
    channel: str
    task: str
    metric: str
    margin: str
    margin_value: float
    confidence: float
    spec: str
    bound: float
    models: tuple[tuple[str, str], ...] = ()
    lossless: bool = False

    @property
    def by_channel(self) -> bool:
        """Whether it is for one channel of a folder of images: its dataset is FOLDER/CHANNEL."""
        return self.channel != "" and self.dataset.endswith(f"/{self.channel}")

    def request(self, settings: Settings) -> CodecRequest:
        """Return the codec, with the model packages that were measured.

        Raises
        ------
        PackageError
            A package is missing or is another one than in the study.
        """
        found = stored_codec(self.spec, settings)
        here = {package.name: package.sha256 for package in found.packages}
        for name, sha256 in self.models:
            if here.get(name) != sha256:
                raise PackageError(
                    f"{self.spec}: the package {name} on this machine is not the one that was"
                    f" recommended, which has the sha256 {sha256[:12]}...; give its folder with"
                    " --models."
                )
        return found


def read_recommendation(
    folder: Path,
    *,
    task: str | None = None,
    margin: str | float | None = None,
    channel: str | None = None,
) -> RecordedRecommendation:
    """Read the one recommendation of a study's folder that fits, as `read_recommendations`.

    Raises
    ------
    UsageError, NotAvailableError, StoreError
        As of `read_recommendations`; or recommendations for several datasets fit.
    """
    rows = _fitting(folder, task=task, margin=margin, channel=channel)
    if len(rows) > 1:
        raise _ambiguous(rows, folder)
    return _recorded(rows[0], folder / FILE)


def read_recommendations(
    folder: Path,
    *,
    task: str | None = None,
    margin: str | float | None = None,
    channel: str | None = None,
) -> list[RecordedRecommendation]:
    """Read the recommendations of a study that fit, one for each dataset; nothing else is read.

    Parameters
    ----------
    folder : Path
        Where `recommend` wrote ``recommendation.json``.
    task : str, optional
        A task, or TASK/METRIC.
    margin : str or float, optional
        As it was asked for: a number, percent (``2%``), or ``noise``.
    channel : str, optional
        A dataset of the study, the last part of its name, or the channel that it shows.

    Raises
    ------
    UsageError
        Nothing was written there, nothing fits, several recommendations for one dataset do, or
        those for several datasets that are no channels of a folder.
    NotAvailableError
        A recommendation that fits is that no codec will do.
    StoreError
        The file is not one of `recommend`.
    """
    rows = _fitting(folder, task=task, margin=margin, channel=channel)
    found = [_recorded(row, folder / FILE) for row in rows]
    names = [one.channel.casefold() if one.by_channel else "" for one in found]
    if len(found) > 1 and ("" in names or len(set(names)) < len(names)):
        raise _ambiguous(rows, folder)
    return found


def _fitting(
    folder: Path, *, task: str | None, margin: str | float | None, channel: str | None
) -> list[dict[str, Any]]:
    rows = read_rows(folder)
    if not rows:
        raise UsageError(
            f"{folder}: holds no {FILE}; write it with `cytopress recommend {folder} --task NAME"
            " --margin M --write`."
        )
    asked = {"task": task, "margin": margin, "channel": channel}
    some = [row for row in rows if _fits(row, task, margin, channel)]
    if not some:
        given = " ".join(f"--{name} {value}" for name, value in asked.items() if value is not None)
        raise UsageError(f"{folder / FILE}: nothing fits {given}; it holds {_listed(rows)}.")
    return some


def _ambiguous(rows: Sequence[Mapping[str, Any]], folder: Path) -> UsageError:
    return UsageError(
        f"{folder / FILE}: {len(rows)} recommendations fit: {_listed(rows)}; choose one with"
        f" {' and '.join(_telling_apart(rows))}."
    )


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Read the rows of ``recommendation.json``, the last written first; none without the file.

    Raises
    ------
    StoreError
        The file is not one of `recommend`.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        _ = [row[name] for row in rows for name in NEEDED]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path}: is not a file of `recommend` ({error}); remove it and run the command again."
        ) from error
    return list(rows)


def write_rows(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Add recommendations to ``recommendation.json``; those to the same question go."""
    asked = {_question(row) for row in rows}
    kept = [row for row in read_rows(folder) if _question(row) not in asked]
    path = folder / FILE
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps([*rows, *kept], indent=2) + "\n", encoding="utf-8")
    return path


def asked_margin(row: Mapping[str, Any]) -> str | float:
    """Return the margin that a row was asked for: a number, percent, or "noise"."""
    if "margin_asked" in row:
        return parse_margin(row["margin_asked"])
    return NOISE if row["margin_from"] == NOISE else float(row["margin"])


def _question(row: Mapping[str, Any]) -> tuple[object, ...]:
    return row["name"], row["task"], row["metric"], asked_margin(row), row["confidence"]


def _fits(
    row: Mapping[str, Any], task: str | None, margin: str | float | None, channel: str | None
) -> bool:
    tasks = (row["task"], f"{row['task']}/{row['metric']}")
    channels = (row["name"], row["name"].rpartition("/")[2], row.get("channel", ""))
    return (
        (task is None or task in tasks)
        and (margin is None or parse_margin(margin) == asked_margin(row))
        and (channel is None or channel.casefold() in {one.casefold() for one in channels})
    )


def _telling_apart(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the options that tell rows apart, with what they can be."""
    values: dict[str, dict[str, None]] = {"--channel": {}, "--task": {}, "--margin": {}}
    rows = list(rows)
    several = len({row["task"] for row in rows}) < len({(r["task"], r["metric"]) for r in rows})
    for row in rows:
        values["--channel"][row["name"]] = None
        values["--task"][f"{row['task']}/{row['metric']}" if several else row["task"]] = None
        values["--margin"][str(asked_margin(row))] = None
    return [f"{name} ({', '.join(some)})" for name, some in values.items() if len(some) > 1] or [
        "a file of its own for each confidence"
    ]


def _listed(rows: Sequence[Mapping[str, Any]]) -> str:
    texts = [f"{r['task']}/{r['metric']} at {asked_margin(r)} for {r['name']}" for r in rows]
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")


def _recorded(row: Mapping[str, Any], path: Path) -> RecordedRecommendation:
    lossless = row.get("lossless") or {}
    spec = row["spec"] or lossless.get("spec")
    if spec is None:
        raise NotAvailableError(
            f"{path}: no codec is inside the margin for {row['task']} on {row['name']}, and no"
            f" lossless one was measured; give --codec {row.get('channel') or 'CHANNEL'}=SPEC."
        )
    return RecordedRecommendation(
        dataset=row["name"],
        channel=row.get("channel", ""),
        task=row["task"],
        metric=row["metric"],
        margin=str(asked_margin(row)),
        margin_value=math.nan if row["margin"] is None else float(row["margin"]),
        confidence=float(row["confidence"]),
        spec=spec,
        bound=float(row["bound"] or 0.0) if row["spec"] else 0.0,
        models=tuple((one["name"], one["sha256"]) for one in row.get("models", ())),
        lossless=not row["spec"],
    )
