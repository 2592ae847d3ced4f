"""Options of ``archive plan`` and ``archive create``, written once, as what is asked."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import typer

from cytopress.archive.wanted import CHUNK, Layout, Readers, Wanted
from cytopress.cli.options import Axes
from cytopress.cli.recommended import RecommendedMargin, RecommendedTask
from cytopress.errors import UsageError

if TYPE_CHECKING:
    from cytopress.archive.study_choice import StudyChoice

Codec = Annotated[
    str | None,
    typer.Option(help="Codec and target for every channel, such as jpegxl:sigma=0.5."),
]
Lossless = Annotated[bool, typer.Option("--lossless", help="Keep every pixel exactly.")]
Channel = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        help="NAME=SPEC: another codec for one channel; repeatable. NAME alone, with --recommended:"
        " code all as recommended for this channel or dataset of the study.",
        metavar="NAME=SPEC|NAME",
    ),
]
WhoReads = Annotated[
    str,
    typer.Option(
        "--readers",
        help="cytopress: programs with cytopress installed; everyone: any zarr reader; fiji: as"
        " everyone, without shards (untested).",
    ),
]
HowLaidOut = Annotated[
    str,
    typer.Option(
        help="images: an OME-Zarr image for each scene; plate: OME-Zarr plates, where the names of"
        " files hold wells such as A01, and perhaps a channel. OME-Zarr plates stay plates.",
    ),
]
Chunk = Annotated[int, typer.Option(min=16, help="Edge of a chunk in pixels.")]
Recommended = Annotated[
    Path | None,
    typer.Option(
        help="Instead of --codec: a study's folder that `recommend --write` wrote into. Its task is"
        " run again on its fields as they would be archived.",
        metavar="DIR",
    ),
]
Memory = Annotated[
    str | None,
    typer.Option(
        help="Memory of a worker, such as 8GB: decides how large shards are.", metavar="BYTES"
    ),
]
Skip = Annotated[
    bool, typer.Option("--skip-unreadable", help="Leave out sources that cannot be read.")
]
Hash = Annotated[
    bool,
    typer.Option("--hash", help="Read every source once more, for its SHA-256 in the certificate."),
]


@dataclass(frozen=True, kw_only=True)
class ArchiveOptions:
    """The options, as typer reads them."""

    codec: Codec = None
    lossless: Lossless = False
    recommended: Recommended = None
    task: RecommendedTask = None
    margin: RecommendedMargin = None
    channel: Channel = None
    readers: WhoReads = "cytopress"
    layout: HowLaidOut = "images"
    chunk: Chunk = CHUNK
    memory: Memory = None
    axes: Axes = None
    skip_unreadable: Skip = False
    hash_sources: Hash = False

    @property
    def wanted(self) -> Wanted:
        """What is asked of an archive.

        Raises
        ------
        UsageError
            Options are wrong, or do not go together.
        """
        from cytopress.archive.memory import parse_bytes

        if [self.codec is not None, self.lossless, self.recommended is not None].count(True) != 1:
            raise UsageError("Give one of --codec, --recommended and --lossless.")
        head, equals, _ = (self.codec or "").partition("=")
        if equals and ":" not in head:
            raise UsageError(
                f"--codec {self.codec}: a codec for one channel is --channel {self.codec}; --codec"
                " SPEC is for all others."
            )
        given = self.channel or []
        # Without a codec they choose among what the study recommends.
        names = [one for one in given if "=" not in one] if self.recommended is not None else []
        return Wanted(
            codec=self.codec or "",
            channels=_pairs([one for one in given if one not in names]),
            readers=_one_of("readers", self.readers, Readers),
            layout=_one_of("layout", self.layout, Layout),
            chunk=self.chunk,
            axes=self.axes,
            skip_unreadable=self.skip_unreadable,
            hash=self.hash_sources,
            memory=None if self.memory is None else parse_bytes(self.memory),
            study=self._study(names),
        )

    def _study(self, names: list[str]) -> StudyChoice | None:
        from cytopress.archive.study_choice import StudyChoice

        if self.recommended is None:
            for option, value in (("--task", self.task), ("--margin", self.margin)):
                if value is not None:
                    raise UsageError(f"{option} chooses a recommendation; give --recommended too.")
            return None
        if len(names) > 1:
            raise UsageError(f"--channel {names[1]}: give one channel or dataset of the study.")
        return StudyChoice(
            folder=self.recommended,
            task=self.task,
            margin=self.margin,
            channel=names[0] if names else None,
        )


def with_archive_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, whose parameter ``options`` is an `ArchiveOptions`, each of them."""

    @functools.wraps(command)
    def wrapper(**given: Any) -> None:
        taken = {one.name: given.pop(one.name) for one in fields(ArchiveOptions)}
        command(**given, options=ArchiveOptions(**taken))

    hints = get_type_hints(ArchiveOptions, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for one in inspect.signature(command, eval_str=True).parameters.values():
        if one.name == "options":
            parameters += [
                one.replace(name=each.name, default=each.default, annotation=hints[each.name])
                for each in fields(ArchiveOptions)
            ]
        else:
            parameters.append(one)
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {one.name: one.annotation for one in parameters}
    return wrapper


def _pairs(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, spec = (part.strip() for part in text.partition("="))
        if not (name and equals and spec):
            raise UsageError(
                f"--channel {text}: give NAME=SPEC, such as DNA=jpegxl:sigma=0.5; NAME alone goes"
                " with --recommended."
            )
        if found.setdefault(name, spec) != spec:
            raise UsageError(f"--channel {text}: {name} has the codec {found[name]} already.")
    return found


def _one_of(option: str, text: str, choices: Any) -> Any:
    if text not in get_args(choices):
        raise UsageError(f"--{option} {text}: give one of {', '.join(get_args(choices))}.")
    return text
