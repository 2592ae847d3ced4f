"""Codecs by channel: ``DNA=jpegxl:ratio=20``, and one without a channel for all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
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
    """

    default: Spec[Request] | None = None
    by_channel: Mapping[str, Spec[Request]] = field(default_factory=dict)

    def for_places(self, places: Sequence[Place], path: Path | str) -> list[Spec[Request]]:
        """Return the spec of each image of a file.

        Raises
        ------
        UsageError
            A channel has no codec; or a channel that is named is not there.
        """
        names = dict.fromkeys((place.channel_name, str(place.channel)) for place in places)
        known = {name for pair in names for name in pair}
        listed = ", ".join(dict.fromkeys(name for name, _ in names))
        for asked in self.by_channel:
            if asked not in known:
                raise UsageError(
                    f"{path}: --codec names the channel {asked!r}, and the channels are {listed}."
                )
        return [self._of(place, path, listed) for place in places]

    def _of(self, place: Place, path: Path | str, listed: str) -> Spec[Request]:
        numbered = self.by_channel.get(str(place.channel), self.default)
        found = self.by_channel.get(place.channel_name, numbered)
        if found is None:
            raise UsageError(
                f"{path}: channel {place.channel_name} has no codec (channels: {listed}); give a"
                " --codec without a channel for all that are not named."
            )
        return found


def channel_codecs(
    texts: Sequence[str], settings: Settings | None = None
) -> ChannelCodecs[CodecRequest]:
    """Parse specs, each for all channels or, as ``CHANNEL=SPEC``, for one.

    Raises
    ------
    UsageError
        None is given, two are for the same channels, or a spec is wrong (see `codecs.spec.codec`).

    Examples
    --------
    >>> from cytopress.files import channel_codecs
    >>> codecs = channel_codecs(["jpegls:max_error=4", "DNA=jpegls"])
    >>> codecs.default.text, codecs.by_channel["DNA"].text
    ('jpegls:max_error=4', 'jpegls')
    """
    return parsed_codecs(texts, lambda spec: codec(spec, settings))


def parsed_codecs(texts: Sequence[str], parse: Callable[[str], Request]) -> ChannelCodecs[Request]:
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
    return ChannelCodecs(default, by_channel)


def _split(text: str) -> tuple[str, str]:
    """Return the channel ("" for all) and the spec: an option's ``=`` follows a colon."""
    head, sign, rest = text.partition("=")
    if sign and ":" not in head:
        return head.strip(), rest.strip()
    return "", text
