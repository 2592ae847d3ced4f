"""Tasks that are programs, which compare an original image with a decoded one.

Called without arguments, the program declares its scores: it prints a JSON list of objects with
``name``, ``unit`` and ``better`` (``higher`` or ``lower``), the main one first. Called with the
paths of an original and a decoded image, it prints one JSON object with a finite number for each
name. Only this kind of task sees the original. Only their order distinguishes the two files: names,
times and metadata tell nothing of the codec.

A command with ``{original}`` and ``{decoded}`` gets the paths there. Its program need not declare
anything: then it prints one number, how much its result has changed, 0 for not at all.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from cytopress.digests import digest_file, digest_text
from cytopress.errors import InterruptedTaskError, TaskError, UsageError
from cytopress.formats.images import write
from cytopress.image import Image
from cytopress.tasks.foreign.command import (
    has_places,
    lacks_place,
    with_images,
    without_places,
)
from cytopress.tasks.foreign.options import Program
from cytopress.tasks.foreign.process import run_program
from cytopress.tasks.protocol import Prediction, Score, Truth

# The names give the order, and no hint of the codec.
FILES = ("first.tif", "second.tif")
# What a program that declares no scores prints: a number.
CHANGE = Score("change", "", "lower")
UNDECLARED = (CHANGE,)
# Failures of a program that no image would mend, by the last line on stderr.
BROKEN = ("SyntaxError", "IndentationError", "ImportError", "ModuleNotFoundError", "open file")


@dataclass(frozen=True)
class External:
    """A program and the scores that it declares.

    Parameters
    ----------
    name : str
        Such as ``external/cellcount``.
    command : tuple of str
        The program and its arguments, run without a shell; the two paths are appended, or take the
        places of ``{original}`` and ``{decoded}``.
    timeout : float
        Time limit of a call, in seconds.
    scores : tuple of Score
        The scores that the program declares.
    weights : str
        Named as in other tasks: identifies the version of the program. Hexadecimal sha256 of the
        command, of the content of each file in it, and of the scores, so that an edited script is
        another task.
    """

    name: str
    command: tuple[str, ...]
    timeout: float
    scores: tuple[Score, ...]
    weights: str
    truth: ClassVar[Truth] = "none"

    def predict(self, image: Image) -> Image:
        """Return the image itself: the program compares images, and there is no prediction."""
        return image

    def score(
        self,
        prediction: Prediction,
        reference: Prediction,
        image: Image,  # noqa: ARG002
    ) -> dict[str, float]:
        """Run the program on a decoded image and its original.

        Raises
        ------
        InterruptedTaskError
            The program takes too long or is killed, or one of its files has changed.
        TaskError
            The program fails, or does not return the declared scores.
        """
        if not isinstance(prediction, Image) or not isinstance(reference, Image):
            raise TaskError(f"{self.name} compares an original image and a decoded one.")
        if digest(self.command, self.scores) != self.weights:
            raise InterruptedTaskError(
                f"{self.name}: a file of the command has changed since it was declared; run the"
                " study again."
            )
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / name for name in FILES]
            for path, shown in zip(paths, (reference, prediction), strict=True):
                write(path, [_bare(shown)])
                os.utime(path, (0, 0))
            printed = run_program(
                with_images(self.command, *map(str, paths)),
                folder=Path(folder),
                timeout=self.timeout,
                name=self.name,
            )
        if self.scores == UNDECLARED:
            return {CHANGE.name: _change(self.name, printed)}
        return _score_values(self.name, printed, self.scores)


def _bare(image: Image) -> Image:
    """Return the image without its name, which might reveal its origin."""
    return Image(image.pixels, axes=image.axes, bits=image.bits, spacing_um=image.spacing_um)


def external_task(name: str, program: Program, folder: Path) -> External:
    """Create the task of a declaration; the program is asked for its scores.

    Arguments that name a file in ``folder`` become its path, as does the program itself, which is
    otherwise searched for by the system.

    Raises
    ------
    UsageError
        The command has a place for one image only.
    TaskError
        The program cannot be started, fails, or does not declare its scores.
    """
    command = tuple(_located(part, folder) for part in program.command)
    if lacking := lacks_place(command):
        raise UsageError(f"{name}: the command needs {{{lacking}}} too, for the other image.")
    scores = _scores_of(name, command, program.timeout)
    return External(name, command, program.timeout, scores, digest(command, scores))


def _scores_of(name: str, command: tuple[str, ...], timeout: float) -> tuple[Score, ...]:
    """Ask a program for its scores; one whose command has places for the images need not answer."""
    free = has_places(command)
    with tempfile.TemporaryDirectory() as empty:
        folder = Path(empty)
        try:
            printed = run_program(
                without_places(command), folder=folder, timeout=timeout, name=name
            )
        except InterruptedTaskError:
            raise
        except TaskError as error:
            if not free or any(word in str(error) for word in BROKEN):
                raise
            return UNDECLARED
    if free and not printed.lstrip().startswith("["):
        return UNDECLARED
    return _declared_scores(name, printed)


def _located(part: str, folder: Path) -> str:
    path = folder / part
    return str(path.absolute()) if _is_file(path) else part


def _is_file(path: Path) -> bool:
    """Return whether an argument names a file; a whole script, say, is no path at all."""
    try:
        return path.is_file()
    # Longer than a path may be, or with a character that none may have.
    except (OSError, ValueError):
        return False


def digest(command: tuple[str, ...], scores: tuple[Score, ...]) -> str:
    """Return the sha256 of a command and its scores.

    A file counts by its content, whatever its path.
    """
    parts = [
        ["file", digest_file(Path(part))] if _is_file(Path(part)) else ["text", part]
        for part in command
    ]
    answers = [[score.name, score.unit, score.better] for score in scores]
    return digest_text(json.dumps([parts, answers]))


def _declared_scores(name: str, printed: str) -> tuple[Score, ...]:
    entries = _parsed(name, printed, "called without arguments")
    if not isinstance(entries, list) or not entries:
        raise TaskError(
            f"{name}: called without arguments, the program must print a JSON list of its scores,"
            f" not {_short(printed)}."
        )
    scores = tuple(_score(name, entry) for entry in entries)
    names = [score.name for score in scores]
    if len(set(names)) < len(names):
        raise TaskError(f"{name}: the program declares a score twice: {', '.join(names)}.")
    return scores


def _score(name: str, entry: Any) -> Score:
    if (
        not isinstance(entry, dict)
        or set(entry) != {"name", "unit", "better"}
        or not all(isinstance(value, str) for value in entry.values())
        or not entry["name"]
        or "/" in entry["name"]
        or entry["better"] not in ("higher", "lower")
    ):
        raise TaskError(
            f"{name}: each score of the program needs a name without a slash, a unit (may be"
            f' empty) and better ("higher" or "lower"), not {_short(json.dumps(entry))}.'
        )
    return Score(entry["name"], entry["unit"], entry["better"])


def _score_values(name: str, printed: str, scores: tuple[Score, ...]) -> dict[str, float]:
    found = _parsed(name, printed, "called with two images")
    if not isinstance(found, dict):
        raise TaskError(f"{name}: the program must print one JSON object, not {_short(printed)}.")
    declared = [score.name for score in scores]
    missing = [key for key in declared if key not in found]
    extra = [key for key in found if key not in declared]
    if missing or extra:
        raise TaskError(
            f"{name}: the program declares the scores {', '.join(declared)}, but returns"
            f" {', '.join(found) or 'nothing'}."
        )
    return {key: _finite(name, key, found[key]) for key in declared}


def _change(name: str, printed: str) -> float:
    """Return the number that a program without declared scores prints, as a size."""
    found = _parsed(name, printed, "called with two images")
    if isinstance(found, dict) and len(found) == 1:
        (found,) = found.values()
    if isinstance(found, (dict, list)):
        raise TaskError(
            f"{name}: the program declares no scores, so it must print one number, how much its"
            f" result has changed, not {_short(printed)}."
        )
    return abs(_finite(name, CHANGE.name, found))


def _finite(name: str, key: str, value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # An integer may be too large for a float.
    if not number or abs(value) > 1e300 or not math.isfinite(value):
        raise TaskError(
            f"{name}: the program returns {json.dumps(value)[:40]} for {key!r}, not a finite"
            " number."
        )
    return float(value)


def _parsed(name: str, printed: str, when: str) -> Any:
    try:
        return json.loads(printed)
    except ValueError as error:
        raise TaskError(
            f"{name}: {when}, the program must print JSON and nothing else, not {_short(printed)}."
        ) from error


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 80 else f"{text[:77]}...") if text else "nothing"
