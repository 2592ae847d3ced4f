"""Spec strings to codec requests: ``NAME:key=value,key=value``, such as ``jpegxl:ratio=50``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from cytopress.codecs.family import Family, option_names
from cytopress.codecs.registry import find_family
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.target import TARGET_KINDS, TargetKind
from cytopress.errors import UnknownNameError, UsageError
from cytopress.metrics.noise import NoiseModel
from cytopress.settings import Settings

REFERENCE_OPTIONS = ("range", "a", "b", "offset")
WRAPPER_OPTIONS = ("tile", "guard", "z", "lines", "scale")
# Wrappers whose option is a word.
IN_WORDS = ("z", "lines", "scale")
# Options of every codec; an adapter's field of such a name (a, b, offset) is set from them.
COMMON_OPTIONS = (*TARGET_KINDS, *REFERENCE_OPTIONS, *WRAPPER_OPTIONS)
# Stricter than float(): no nan, no inf, no underscores.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def codec(spec: str, settings: Settings | None = None) -> CodecRequest:
    """Return the codec request of a spec string.

    Options are at most one of the portable targets ``max_error`` (counts), ``sigma`` (noise sigma),
    ``psnr`` (dB) and ``ratio``, or the codec's own quality parameter; the codec's other options;
    the reference scales ``range`` (counts, of ``psnr``) and ``a``, ``b``, ``offset`` (the noise
    model); and the wrappers ``tile`` (pixels), ``guard`` (counts), ``z`` (``planes``, the
    default, or ``wavelet``), ``lines`` (``auto``, ``1`` or ``0``: structured noise is coded
    apart where that pays; ``auto`` for learned codecs unless given, ``0`` for all others) and
    ``scale`` (``auto``, ``1``, ``2`` or ``4``: coded at that part of the resolution; ``auto``,
    where a target takes fewer bytes so, for targets of learned codecs unless given, else ``1``).

    Parameters
    ----------
    spec : str
        ``NAME`` or ``NAME:key=value,key=value``.
    settings : Settings, optional
        Says where model packages are; from the environment unless given.

    Raises
    ------
    UnknownNameError
        There is no codec of this name, or it has no such option.
    UsageError
        An option has an invalid value, is given twice, or contradicts another.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> image = cytopress.Image(np.random.default_rng(0).poisson(500, (64, 64)).astype(np.uint16))
    >>> found = cytopress.codec("jpegls:max_error=20").solve(image)
    >>> found.reached <= 20, len(found.data) < image.raw_bytes / 3
    (True, True)

    The setting that was found is a codec by itself, for other images too:

    >>> found.codec.encode(image) != b""
    True
    """
    name, _, text = spec.partition(":")
    given = _pairs(spec, text)
    family = given_family(name, given, settings)
    parameter = family.traits.parameter.name if family.traits.parameter else ""
    own = [field for field in _fields(family) if field != parameter]
    _refuse_unknown(given, name, [*([parameter] if parameter else []), *own, *COMMON_OPTIONS])
    numbers = {key: _number(spec, key, given[key]) for key in given if key not in (*own, *IN_WORDS)}
    return CodecRequest(
        family,
        native=numbers.get(parameter),
        asked=_asked(spec, numbers),
        data_range=numbers.get("range"),
        noise=_noise(spec, numbers),
        options=tuple((key, _value(given[key])) for key in own if key in given),
        tile=_integer(spec, "tile", numbers),
        guard=_integer(spec, "guard", numbers),
        z=given.get("z", "planes"),  # type: ignore[arg-type]
        lines=given.get("lines", ""),
        scale=given.get("scale", ""),
        settings=settings,
    )


def stored_codec(spec: str, settings: Settings | None = None) -> CodecRequest:
    """Return the codec request of a spec string that a program wrote (`CodecRequest.spec`).

    Where it does not say how structured noise is coded, or at what resolution a target is met, it
    is of a version that did neither, and what it stands for was made so. Raises as `codec` does.
    """
    name, _, text = spec.partition(":")
    said = {"lines": "0", "scale": "1"} | _pairs(name, text)
    return replace(codec(spec, settings), lines=said["lines"], scale=said["scale"])


def family_of(spec: str, settings: Settings | None = None) -> Family:
    """Return the codec family of a spec string; raises as `codec` does."""
    name, _, text = spec.partition(":")
    return given_family(name, _pairs(spec, text), settings)


def given_family(name: str, given: Mapping[str, str], settings: Settings | None = None) -> Family:
    """Return the codec family of a name; of a family that depends on options, theirs."""
    family = find_family(name, settings)
    chosen: Family = family.given(given) if hasattr(family, "given") else family
    return chosen


def _fields(family: Family) -> list[str]:
    return [name for name in option_names(family) if name not in COMMON_OPTIONS]


def _pairs(spec: str, text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split(",") if text else []:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise UsageError(f"{spec}: options are written key=value, not {part!r}.")
        if key in pairs:
            raise UsageError(f"{spec}: option {key} is given twice.")
        pairs[key] = value
    return pairs


def _refuse_unknown(given: Mapping[str, str], name: str, known: list[str]) -> None:
    for key in given:
        if key not in known:
            raise UnknownNameError(f"option of {name}", key, known)


def _asked(spec: str, numbers: Mapping[str, float]) -> tuple[TargetKind, float] | None:
    targets = [kind for kind in TARGET_KINDS if kind in numbers]
    if len(targets) > 1:
        raise UsageError(f"{spec}: give one of {' and '.join(targets)}, not both.")
    return (targets[0], numbers[targets[0]]) if targets else None


def _noise(spec: str, numbers: Mapping[str, float]) -> NoiseModel | None:
    given = {"a", "b", "offset"} & numbers.keys()
    if not given:
        return None
    if not {"a", "b"} <= given:
        raise UsageError(f"{spec}: a noise model needs a= and b= (and offset=, 0 unless given).")
    return NoiseModel(numbers["a"], numbers["b"], numbers.get("offset", 0.0))


def _integer(spec: str, key: str, numbers: Mapping[str, float]) -> int | None:
    number = numbers.get(key)
    if number is not None and number != int(number):
        raise UsageError(f"{spec}: {key} is a whole number, not {number:g}.")
    return None if number is None else int(number)


def _number(spec: str, key: str, text: str) -> float:
    value = _value(text)
    if isinstance(value, str):
        raise UsageError(f"{spec}: {key} is a finite number, not {text!r}.")
    return value


def _value(text: str) -> float | str:
    number = float(text) if NUMBER.fullmatch(text) else float("inf")
    if abs(number) == float("inf"):
        return text
    return int(number) if number == int(number) and abs(number) < 2**53 else number
