"""Spec string of a request, which reads back as the same request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cytopress.codecs.targets.request import CodecRequest


# What learned codecs do unless told otherwise; it stands at the end of their specs.
DEFAULTS = ("lines=auto", "scale=auto")


def spec_text(request: CodecRequest) -> str:
    """Return the spec string of a request."""
    parts: list[tuple[str, float | str]] = list(request.options)
    if request.native is not None and request.family.traits.parameter is not None:
        parts.append((request.family.traits.parameter.name, request.native))
    if request.asked is not None:
        parts.append(request.asked)
    if request.data_range is not None:
        parts.append(("range", request.data_range))
    if request.noise is not None:
        parts += [("a", request.noise.a), ("b", request.noise.b), ("offset", request.noise.offset)]
    wrappers = {"tile": request.tile, "guard": request.guard}
    parts += [(key, value) for key, value in wrappers.items() if value is not None]
    if request.z != "planes":
        parts.append(("z", request.z))
    # Said where it is the default too: the same words meant another coding in older versions.
    if request.lines != "0" or request.family.traits.lines:
        parts.append(("lines", request.lines))
    if request.scale != "1" or (request.family.traits.scale and request.asked is not None):
        parts.append(("scale", request.scale))
    text = ",".join(f"{key}={_plain(value)}" for key, value in parts)
    return f"{request.name}:{text}" if text else request.name


def is_named(request: CodecRequest, text: str) -> bool:
    """Whether a spec string is a request's, with or without the defaults at its end."""
    return _short(request, text) == _short(request, spec_text(request))


def _short(request: CodecRequest, text: str) -> str:
    traits = request.family.traits
    for default, own in zip(reversed(DEFAULTS), (traits.scale, traits.lines), strict=True):
        text = text.removesuffix(f",{default}" * own)
    return text


def _plain(value: float | str) -> str:
    """Return a value as text that a spec string reads back as the same value."""
    if isinstance(value, str):
        return value
    number = float(value)
    return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(number)
