"""Checks of an adapter's options, for its ``__post_init__``."""

from __future__ import annotations

import math

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.traits import LEAST_FLOAT, MOST_FLOAT
from cytopress.errors import UsageError


def integer_option(codec: StreamCodec, name: str, least: int, most: int) -> None:
    """Raise UsageError unless an option is a whole number from ``least`` to ``most``."""
    value = getattr(codec, name)
    if not _is_number(value) or value != int(value) or not least <= value <= most:
        raise UsageError(
            f"{codec.name}: {name} is a whole number from {least} to {most}, not {value}."
        )


def float_option(
    codec: StreamCodec, name: str, least: float, most: float, *, lossless: float | None = None
) -> None:
    """Raise UsageError unless an option is a number from ``least`` to ``most``, or ``lossless``."""
    value = getattr(codec, name)
    if not _is_number(value) or not (least <= value <= most or value == lossless):
        other = "" if lossless is None else f", or {lossless:g} (lossless)"
        raise UsageError(
            f"{codec.name}: {name} is a number from {least:g} to {most:g}{other}, not {value}."
        )


def count_option(codec: StreamCodec, name: str, *, lossless: float | None = None) -> None:
    """Raise UsageError unless an option is a number above 0 that float32 holds, or ``lossless``."""
    float_option(codec, name, LEAST_FLOAT, MOST_FLOAT, lossless=lossless)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
