"""Spec strings: ``NAME`` or ``NAME:key=value,key=value``, such as ``jpegxl:ratio=50``."""

from __future__ import annotations

from dataclasses import fields

from cytopress.codecs.choice import Choice
from cytopress.codecs.registry import families
from cytopress.codecs.target import KINDS, Target
from cytopress.errors import UnknownNameError, UsageError
from cytopress.metrics.noise import NoiseModel

SHARED = ("range", "a", "b", "offset", "tile", "guard")


def codec(spec: str) -> Choice:
    """Return the codec that a spec string asks for.

    Every codec takes the portable targets ``max_error`` (counts), ``sigma`` (noise sigma), ``psnr``
    (dB) and ``ratio``, at most one of them; its own quality parameter instead; its other options;
    ``range`` (counts) that ``psnr`` refers to; the noise model ``a``, ``b``, ``offset``; ``tile``
    (pixels) and ``guard`` (counts).

    Raises
    ------
    UnknownNameError
        No codec bears the name.
    UsageError
        An option is unknown, has no proper value, stands there twice, or contradicts another.
    """
    name, _, text = spec.partition(":")
    if name not in families():
        raise UnknownNameError("codec", name, sorted(families()))
    family = families()[name]
    knob = family.traits.knob
    given = _pairs(spec, text)
    own = [option.name for option in fields(family) if option.name not in SHARED]  # type: ignore[arg-type]
    unknown = [key for key in given if key not in (*own, *KINDS, *SHARED)]
    if unknown:
        raise UnknownNameError(f"option of {name}", unknown[0], [*own, *KINDS, *SHARED])
    targets = [kind for kind in KINDS if kind in given]
    quality = targets + [key for key in given if knob is not None and key == knob.name]
    if len(quality) > 1:
        raise UsageError(f"{spec}: give one of {' and '.join(quality)}, not both.")
    if not (len({"a", "b"} & given.keys()) in (0, 2)):
        raise UsageError(f"{spec}: a noise model needs a= and b= (and offset=, 0 unless given).")
    numbers = {key: _number(spec, key, given[key]) for key in given if key not in own or key in quality}
    options = {key: _value(given[key]) for key in own if key in given and key not in quality}
    asked = (targets[0], numbers[targets[0]]) if targets else None
    if asked:
        Target(*asked)
    noise = None
    if "a" in numbers:
        noise = NoiseModel(numbers["a"], numbers["b"], numbers.get("offset", 0.0))
    choice = Choice(
        family,
        native=numbers[knob.name] if knob is not None and knob.name in numbers else None,
        asked=asked,
        data_range=numbers.get("range"),
        noise=noise,
        options=tuple(options.items()),
        tile=_whole(spec, "tile", numbers),
        guard=_whole(spec, "guard", numbers),
    )
    _try(choice)
    return choice


def _try(choice: Choice) -> None:
    """Build the adapter once, so that a wrong option is an error now and not at the first image."""
    options = dict(choice.options)
    if choice.native is not None and choice.family.traits.knob is not None:
        options[choice.family.traits.knob.name] = choice.native
    choice.family.from_options(options)


def _pairs(spec: str, text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split(",") if text else []:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise UsageError(f"{spec}: options are written key=value, not {part!r}.")
        if key in pairs:
            raise UsageError(f"{spec}: {key} stands there twice.")
        pairs[key] = value
    return pairs


def _number(spec: str, key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise UsageError(f"{spec}: {key} is a number, not {text!r}.") from None
    return int(number) if number == int(number) and abs(number) < 2**53 else number


def _whole(spec: str, key: str, numbers: dict[str, float]) -> int | None:
    number = numbers.get(key)
    if number is not None and number != int(number):
        raise UsageError(f"{spec}: {key} is a whole number, not {number:g}.")
    return None if number is None else int(number)


def _value(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number == int(number) else number
