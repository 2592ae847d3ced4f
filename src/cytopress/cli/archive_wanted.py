"""Options of ``archive plan`` and ``archive create`` as what is asked of an archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from cytopress.errors import UsageError

if TYPE_CHECKING:
    from cytopress.archive.plan import Layout, Readers
    from cytopress.archive.planning import Wanted
    from cytopress.archive.study_choice import StudyChoice


@dataclass(frozen=True)
class StudyOptions:
    """The options of a study's recommendation."""

    folder: Path | None
    task: str | None
    margin: str | None

    def choice(self, names: list[str]) -> StudyChoice | None:
        """Return the choice; ``names`` are what --channel was given without a codec."""
        from cytopress.archive.study_choice import StudyChoice

        if self.folder is None:
            for option, value in (("--task", self.task), ("--margin", self.margin)):
                if value is not None:
                    raise UsageError(f"{option} chooses a recommendation; give --recommended too.")
            return None
        if len(names) > 1:
            raise UsageError(f"--channel {names[1]}: give one channel or dataset of the study.")
        channel = names[0] if names else None
        return StudyChoice(folder=self.folder, task=self.task, margin=self.margin, channel=channel)


def wanted_of(
    codec: str | None,
    lossless: bool,
    study: StudyOptions,
    channel: list[str] | None,
    readers: str,
    layout: str,
    chunk: int,
    memory: str | None,
    axes: str | None,
    *,
    skip: bool,
    hashed: bool,
) -> Wanted:
    """Return what is asked of an archive.

    Raises
    ------
    UsageError
        Options are wrong, or do not go together.
    """
    from cytopress.archive.memory import parse_bytes
    from cytopress.archive.planning import Wanted

    if [codec is not None, lossless, study.folder is not None].count(True) != 1:
        raise UsageError("Give one of --codec, --recommended and --lossless.")
    head, equals, _ = (codec or "").partition("=")
    if equals and ":" not in head:
        raise UsageError(
            f"--codec {codec}: a codec for one channel is --channel {codec}; --codec SPEC is for"
            " all others."
        )
    given = channel or []
    names = [one for one in given if "=" not in one] if study.folder is not None else []
    return Wanted(
        codec=codec or "",
        channels=dict(_pair(one) for one in given if one not in names),
        readers=_readers(readers),
        layout=_layout(layout),
        chunk=chunk,
        axes=axes,
        skip_unreadable=skip,
        hash=hashed,
        memory=None if memory is None else parse_bytes(memory),
        study=study.choice(names),
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, spec = text.partition("=")
    if not (name and equals and spec):
        raise UsageError(
            f"--channel {text}: give NAME=SPEC, such as DNA=jpegxl:sigma=0.5; NAME alone goes with"
            " --recommended."
        )
    return name.strip(), spec


def _readers(text: str) -> Readers:
    from cytopress.archive.plan import Readers

    for one in get_args(Readers):
        if one == text:
            return one  # type: ignore[no-any-return]
    raise UsageError(f"--readers {text}: give one of {', '.join(get_args(Readers))}.")


def _layout(text: str) -> Layout:
    from cytopress.archive.plan import Layout

    for one in get_args(Layout):
        if one == text:
            return one  # type: ignore[no-any-return]
    raise UsageError(f"--layout {text}: give one of {', '.join(get_args(Layout))}.")
