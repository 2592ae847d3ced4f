"""What a package's codec offers: its traits, and the qualities it can be asked for."""

from __future__ import annotations

from cytopress.codecs.base import Knob, Traits
from cytopress.codecs.learned.model.manifest import Card
from cytopress.errors import UsageError


def traits(card: Card) -> Traits:
    """Return what a package's codec takes and gives."""
    knob = None
    if card.gains > 1:
        knob = Knob("quality", "of the model's range", 0, 1, finer="higher", scale="linear")
    elif card.rates > 1:
        knob = Knob("quality", "rate", 1, card.rates, finer="higher", scale="linear", integer=True)
    return Traits(
        dims=(2,) if card.depth is None else (3,),
        dtypes=("uint8", "uint16", "float32"),
        bits="any",
        knob=knob,
        reads_back="the same dtype",
        can_be_lossless=False,
        exact=False,
    )


def checked_quality(name: str, knob: Knob | None, quality: object) -> float | None:
    """Return the quality in its one representation, so that equal settings are equal codecs.

    Unless given it is the middle.

    Raises
    ------
    UsageError
        It is none of the knob's values.
    """
    if knob is None:
        if quality is not None:
            raise UsageError(f"{name} codes at one rate; it takes no quality.")
        return None
    if quality is None:
        middle = (knob.least + knob.most) / 2
        return int(middle) if knob.integer else middle
    if (
        not isinstance(quality, int | float)
        or isinstance(quality, bool)
        or not knob.least <= quality <= knob.most
        or (knob.integer and quality != int(quality))
    ):
        kind = "whole number" if knob.integer else "number"
        raise UsageError(
            f"{name}: quality is a {kind} from {knob.least:g} to {knob.most:g}, not {quality}."
        )
    return int(quality) if knob.integer else float(quality)
