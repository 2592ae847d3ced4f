"""Study of a folder of images: the text of a study file from the options of a command line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from cytopress.datasets.image_folder import FolderOptions
from cytopress.errors import UsageError
from cytopress.metrics import available
from cytopress.statistics.margin import NOISE, parse_margin

# The metrics that take as long as the analysis are left out.
METRICS = ("rmse", "nrmse", "psnr", "ssim", "pearson", "max_error", "bias", "rmse_sigma")
EXTERNAL = "external"
Entry = Mapping[str, str | Sequence[float]]


def study_of_images(
    images: Path,
    codecs: Sequence[str | Entry],
    *,
    tasks: Sequence[str] = (),
    command: Sequence[str] = (),
    margin: str | None = None,
    options: FolderOptions | None = None,
) -> str:
    """Return the text of a study file, whose paths are relative to the working directory.

    Parameters
    ----------
    images : Path
        A folder of images.
    codecs : sequence of str or mapping
        Spec strings, whose target may have several values, such as ``jpegxl:ratio=5,10,20``; or
        tables as a study file has them.
    tasks : sequence of str
        Names of tasks; ``external`` is the program ``command``.
    command : sequence of str
        A program and its arguments.
    margin : str, optional
        The margin that the study is judged by.
    options : FolderOptions, optional
        How the folder is read.

    Raises
    ------
    UsageError
        A codec or the margin is wrong; or a program is missing, or given without ``external``.
    """
    options = options or FolderOptions()
    if (EXTERNAL in tasks) != bool(command):
        raise UsageError(
            "--task external goes with the program behind two dashes, such as -- python count.py"
            " {original} {decoded}."
        )
    name = images.resolve().name or "images"
    head: dict[str, object] = {"name": name, "title": f"What compression does to {name}"}
    if margin is not None:
        head["margin"] = parse_margin(margin)
    head["metrics"] = [metric for metric in METRICS if available(metric)]
    if head.get("margin", NOISE) != NOISE:
        # The replicates are for the noise margin alone.
        head["noise_draws"] = 0
    program = _program_name(command)
    named = [f"{EXTERNAL}/{program}" if task == EXTERNAL else task for task in tasks]
    given = {key: value for key, value in asdict(options).items() if value not in (None, False)}
    dataset = {"images": images.as_posix(), "tasks": named, **given}
    tables = [_lines(head), "[[datasets]]\n" + _lines(dataset)]
    entries = [codec_entry(one) if isinstance(one, str) else one for one in codecs]
    tables += ["[[codecs]]\n" + _lines(entry) for entry in entries]
    if command:
        tables.append(f"[tasks.{json.dumps(program)}]\n" + _lines(_program(command)))
    return "\n".join(tables)


def codec_entry(text: str) -> Entry:
    """Return the table of a codec, one key of which may have several values.

    Raises
    ------
    UsageError
        A value is no number, or two keys have several.
    """
    name, colon, rest = text.partition(":")
    pairs: list[list[str]] = []
    for part in rest.split(",") if colon else ():
        if "=" in part or not pairs:
            pairs.append([part])
        else:
            pairs[-1].append(part)
    lists = [pair for pair in pairs if len(pair) > 1]
    if not lists:
        return {"spec": text}
    if len(lists) > 1:
        raise UsageError(f"--codec {text}: only one target can have several values.")
    key, _, first = lists[0][0].partition("=")
    kept = ",".join(pair[0] for pair in pairs if pair is not lists[0])
    try:
        values = [float(value) for value in (first, *lists[0][1:])]
    except ValueError as error:
        raise UsageError(
            f"--codec {text}: the values of {key} must be numbers with commas between."
        ) from error
    return {"spec": f"{name}:{kept}" if kept else name, key: values}


def _program_name(command: Sequence[str]) -> str:
    """Return the name of the task of a program: that of its script."""
    scripts = [part for part in command if Path(part).suffix and Path(part).is_file()]
    stem = Path((scripts or list(command) or ["program"])[0]).stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).lstrip("-._") or "program"


def _program(command: Sequence[str]) -> dict[str, object]:
    return {"kind": EXTERNAL, "command": list(command)}


def _lines(table: Mapping[str, object]) -> str:
    # JSON strings, numbers and lists are valid TOML.
    return "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
        for key, value in table.items()
        if value is not None
    )
