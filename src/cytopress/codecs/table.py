"""What every codec takes and gives, as rows: for `cytopress codecs`, the docs and the report."""

from __future__ import annotations

from dataclasses import dataclass

from cytopress.codecs.codec import StreamCodec, Traits
from cytopress.codecs.registry import families


@dataclass(frozen=True)
class Row:
    """One codec of the table, in words; ``parameter`` and what follows are empty without a knob."""

    name: str
    coding: str
    dims: str
    dtypes: tuple[str, ...]
    bits: str
    parameter: str
    unit: str
    least: float | None
    most: float | None
    finer: str
    reads_back: str


def table() -> list[Row]:
    """Return a row for every codec, the built-in ones first, in the order of the registry."""
    return [_row(family) for family in families().values()]


def _row(family: type[StreamCodec]) -> Row:
    traits, knob = family.traits, family.traits.knob
    return Row(
        name=family.name,
        coding=_coding(traits),
        dims="2D and 3D" if 3 in traits.dims else "2D; stacks plane by plane",
        dtypes=traits.dtypes,
        bits=traits.bits,
        parameter=knob.name if knob else "",
        unit=knob.unit if knob else "",
        least=knob.least if knob else None,
        most=knob.most if knob else None,
        finer=knob.finer if knob else "",
        reads_back=traits.reads_back,
    )


def _coding(traits: Traits) -> str:
    if traits.knob is None:
        return "lossless"
    return "lossless or lossy" if traits.can_be_lossless else "lossy"
