"""Codec recipe: which codec with which options, as a value and as bytes.

As bytes a recipe is a varint of its number and its count of options (``number << 2 | count``; for
count 3 a varint of the count above 3 follows), for an external codec its name, for a wrapper
(numbers 25 to 31) the recipe of the wrapped codec, then the options. An option is a varint of its
number and the kind of its value (``number << 3 | kind``), its name if it has no number, then the
value. So a codec in four wrappers takes some twenty bytes, and a reader can list the options of a
codec that it does not know.

In the short form, that of chunks, a learned codec is ``SHORT_LEARNED << 2 | count`` with the count
of its options, the eight bytes of its model's digest, and the quality if the count is 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from cytopress.codecs.container.wire import Reader, put_decimal, put_signed, put_text, put_varint
from cytopress.errors import CorruptDataError

Options = Mapping[str, Any]
# Frozen: files hold these numbers. Below 16 an option's head takes one byte.
OPTION_NUMBERS = {
    "codec": 1,
    "max_error": 2,
    "bits": 3,
    "tile": 4,
    "a": 5,
    "b": 6,
    "offset": 7,
    "level": 8,
    "effort": 9,
    "distance": 10,
    "quality": 11,
    "near": 12,
    "step": 13,
    "tolerance": 14,
    "qstep": 15,
    "model": 16,
    "speed": 17,
    "qp": 18,
    "crf": 19,
    "preset": 20,
    "levels": 21,
    "planes": 22,
    "shuffle": 23,
}
OPTION_NAMES = {number: name for name, number in OPTION_NUMBERS.items()}
# Numbers of wrappers; frozen too.
WRAPPER_NUMBERS = range(25, 32)
DEEPEST = 8
# Learned codecs, and the number by which they are known in the short form.
LEARNED, SHORT_LEARNED, DIGEST_BYTES = 32, 24, 8


class ValueKind(IntEnum):
    """Type of a stored value. Frozen: files hold these numbers."""

    NONE = 0
    FALSE = 1
    TRUE = 2
    INTEGER = 3
    DECIMAL = 4
    TEXT = 5
    BYTES = 6
    RECIPE = 7


CONSTANTS = {ValueKind.NONE: None, ValueKind.FALSE: False, ValueKind.TRUE: True}


@dataclass(frozen=True)
class Recipe:
    """Which codec, with which options: enough to build it again.

    Parameters
    ----------
    number : int
        The codec's registered number; 0 for an external codec, which its name identifies.
    name : str
        Name of an external codec.
    options : mapping
        Options that are not the default; a value may be a recipe.
    """

    number: int
    name: str = ""
    options: Options = field(default_factory=dict)


STORED = (
    (type(None), ValueKind.NONE),
    (int, ValueKind.INTEGER),
    (float, ValueKind.DECIMAL),
    (str, ValueKind.TEXT),
    (bytes, ValueKind.BYTES),
    (Recipe, ValueKind.RECIPE),
)


def put_recipe(out: bytearray, recipe: Recipe, *, short: bool = False) -> None:
    """Append a recipe; that of a learned codec in its short form, if asked and possible."""
    options = dict(recipe.options)
    if short and _can_be_short(recipe):
        out.append(SHORT_LEARNED << 2 | len(options))
        out += options["model"]
        if "quality" in options:
            put_decimal(out, options["quality"])
        return
    inner = options.pop("codec") if recipe.number in WRAPPER_NUMBERS else None
    count = len(options)
    put_varint(out, recipe.number << 2 | min(count, 3))
    if count >= 3:
        put_varint(out, count - 3)
    if not recipe.number:
        put_text(out, recipe.name)
    if inner is not None:
        put_recipe(out, inner, short=short)
    for name, value in options.items():
        number, kind = OPTION_NUMBERS.get(name, 0), _kind(value)
        put_varint(out, number << 3 | kind)
        if not number:
            put_text(out, name)
        _put_value(out, kind, value)


def _can_be_short(recipe: Recipe) -> bool:
    model, quality = recipe.options.get("model"), recipe.options.get("quality", 0.0)
    named = isinstance(model, bytes) and len(model) == DIGEST_BYTES
    known = not recipe.options.keys() - {"model", "quality"}
    return recipe.number == LEARNED and named and known and isinstance(quality, float)


def take_recipe(reader: Reader, depth: int = 0, *, short: bool = False) -> Recipe:
    """Read a recipe; ``short`` as it was appended.

    Raises
    ------
    CorruptDataError
        It ends early, nests too deeply, or gives an option twice or an unknown one.
    """
    if depth > DEEPEST:
        raise CorruptDataError(f"This cytopress file nests more than {DEEPEST} codecs.")
    head = reader.varint()
    number, count = head >> 2, head & 3
    if short and number == SHORT_LEARNED and count in (1, 2):
        model: Options = {"model": reader.take(DIGEST_BYTES)}
        return Recipe(LEARNED, "", {**model, "quality": reader.decimal()} if count > 1 else model)
    if count == 3:
        count += reader.varint()
    name = "" if number else reader.text()
    options: dict[str, Any] = {}
    if number in WRAPPER_NUMBERS:
        options["codec"] = take_recipe(reader, depth + 1, short=short)
    for _ in range(count):
        option, value = _take_option(reader, depth)
        if option in options:
            raise CorruptDataError(f"This cytopress file gives the option {option!r} twice.")
        options[option] = value
    return Recipe(number, name, options)


def _take_option(reader: Reader, depth: int) -> tuple[str, Any]:
    head = reader.varint()
    number, kind = head >> 3, ValueKind(head & 7)
    if number and number not in OPTION_NAMES:
        raise CorruptDataError(
            f"This cytopress file uses the unknown option {number}; update cytopress."
        )
    name = OPTION_NAMES[number] if number else reader.text()
    return name, _take_value(reader, kind, depth)


def _kind(value: object) -> ValueKind:
    if isinstance(value, bool):
        return ValueKind.TRUE if value else ValueKind.FALSE
    for stored, kind in STORED:
        if isinstance(value, stored):
            return kind
    raise TypeError(f"an option cannot be stored as {type(value).__name__}")


def _put_value(out: bytearray, kind: ValueKind, value: Any) -> None:
    if kind is ValueKind.INTEGER:
        put_signed(out, value)
    elif kind is ValueKind.DECIMAL:
        put_decimal(out, value)
    elif kind is ValueKind.TEXT:
        put_text(out, value)
    elif kind is ValueKind.BYTES:
        put_varint(out, len(value))
        out += value
    elif kind is ValueKind.RECIPE:
        put_recipe(out, value)


def _take_value(reader: Reader, kind: ValueKind, depth: int) -> Any:
    if kind in CONSTANTS:
        return CONSTANTS[kind]
    if kind is ValueKind.INTEGER:
        return reader.signed()
    if kind is ValueKind.DECIMAL:
        return reader.decimal()
    if kind is ValueKind.TEXT:
        return reader.text()
    if kind is ValueKind.BYTES:
        return reader.take(reader.varint())
    return take_recipe(reader, depth + 1)
