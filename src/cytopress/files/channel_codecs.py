"""Codecs by channel: ``DNA=jpegxl:ratio=20``, and one without a channel for all others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.datasets.image_names import channel_in
from cytopress.errors import UsageError
from cytopress.formats.image_file import Place
from cytopress.settings import Settings

# A request that solves an image, such as `CodecRequest`.
Request = TypeVar("Request")


@dataclass(frozen=True)
class Spec(Generic[Request]):
    """A spec string, and the request that it asks for."""

    text: str
    request: Request


@dataclass(frozen=True)
class ChannelCodecs(Generic[Request]):
    """Which codec each channel of a file gets.

    Parameters
    ----------
    default : Spec, optional
        Of channels that are not named.
    by_channel : mapping
        By a channel's name, or its number from 0.
    file_channel : str
        The one of them that the file's name holds; images of its only channel have it.
    optional : collection of str
        Those of them that the file need not have.
    """

    default: Spec[Request] | None = None
    by_channel: Mapping[str, Spec[Request]] = field(default_factory=dict)
    file_channel: str = ""
    optional: Collection[str] = ()

    def for_places(self, places: Sequence[Place], path: Path | str) -> list[Spec[Request]]:
        """Return the spec of each image of a file.

        Raises
        ------
        UsageError
            A channel has no codec; or a channel that is named is not there.
        """
        names = channel_names(places, self.file_channel)
        known = {name for one in names.values() for name in one}
        listed = ", ".join(dict.fromkeys(place.channel_name for place in places))
        for asked in self.by_channel:
            if asked not in known and asked not in self.optional:
                raise UsageError(
                    f"{path}: --codec names the channel {asked!r}, and the channels are {listed}."
                )
        return [self._of(place, names[place.channel_name, place.channel], path) for place in places]

    def _of(self, place: Place, names: Sequence[str], path: Path | str) -> Spec[Request]:
        for name in names:
            if name in self.by_channel:
                return self.by_channel[name]
        if self.default is None:
            raise UsageError(
                f"{path}: channel {place.channel_name} has no codec (there are codecs for"
                f" {', '.join(self.by_channel)}); give --codec {place.channel_name}=SPEC, or"
                " without --recommended a --codec SPEC for all channels that are not named."
            )
        return self.default


def channel_names(
    places: Iterable[Place], file_channel: str = ""
) -> dict[tuple[str, int], list[str]]:
    """Return what each channel of a file may be called, by its name and number.

    The names are those that a study of a folder gives (see `images_of`), and the number from 0.
    ``file_channel`` is the channel that the file's name holds.
    """
    keys = list(dict.fromkeys((place.channel_name, place.channel) for place in places))
    several = len({number for _, number in keys}) > 1
    found = {}
    for name, number in keys:
        own = [name, f"C{name}" if name.isdecimal() else name.replace("/", "-")]
        if file_channel:
            in_file = [f"{file_channel}-{one}" for one in own]
            own = [*in_file, *own] if several else [file_channel, *own]
        found[name, number] = [*own, str(number)]
    return found


def channel_codecs(
    texts: Sequence[str],
    settings: Settings | None = None,
    *,
    name: str = "",
    optional: Collection[str] = (),
) -> ChannelCodecs[CodecRequest]:
    """Parse specs, each for all channels or, as ``CHANNEL=SPEC``, for one.

    Parameters
    ----------
    texts : sequence of str
        The specs.
    settings : Settings, optional
        For the parser.
    name : str, optional
        Of the file; a channel in it is that of the file's only channel.
    optional : collection of str, optional
        Channels that the file need not have.

    Raises
    ------
    UsageError
        None is given, two are for the same channels, a spec is wrong (see `codecs.spec.codec`), or
        the name holds several of the channels.

    Examples
    --------
    >>> from cytopress.files import channel_codecs
    >>> codecs = channel_codecs(["jpegls:max_error=4", "DNA=jpegls"])
    >>> codecs.default.text, codecs.by_channel["DNA"].text
    ('jpegls:max_error=4', 'jpegls')
    """
    return parsed_codecs(texts, lambda spec: codec(spec, settings), name=name, optional=optional)


def parsed_codecs(
    texts: Sequence[str],
    parse: Callable[[str], Request],
    *,
    name: str = "",
    optional: Collection[str] = (),
) -> ChannelCodecs[Request]:
    """Parse specs as `channel_codecs` does, each by a parser of one."""
    default: Spec[Request] | None = None
    by_channel: dict[str, Spec[Request]] = {}
    if not texts:
        raise UsageError("a codec is needed: --codec SPEC, such as jpegxl:ratio=20.")
    for text in texts:
        channel, spec = _split(text)
        parsed = Spec(spec, parse(spec))
        if (channel and channel in by_channel) or (not channel and default is not None):
            raise UsageError(
                f"--codec is given twice for {f'channel {channel}' if channel else 'all channels'};"
                " write --codec CHANNEL=SPEC for one channel."
            )
        if channel:
            by_channel[channel] = parsed
        else:
            default = parsed
    return ChannelCodecs(default, by_channel, channel_in(name, by_channel), optional)


def channels_of(texts: Sequence[str]) -> list[str]:
    """Return the channels that specs are for, without parsing the codecs."""
    return [channel for text in texts if (channel := _split(text)[0])]


def _split(text: str) -> tuple[str, str]:
    """Return the channel ("" for all) and the spec: an option's ``=`` follows a colon."""
    head, sign, rest = text.partition("=")
    if sign and ":" not in head:
        return head.strip(), rest.strip()
    return "", text
