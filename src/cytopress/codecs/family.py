"""Codec families: codecs that differ in their options alone."""

from __future__ import annotations

from dataclasses import fields
from typing import Protocol

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container.recipe import Options
from cytopress.codecs.traits import Traits


class Family(Protocol):
    """An adapter's class, or a model package, its options still open."""

    @property
    def name(self) -> str:
        """Stable name, such as ``jpegxl`` or ``learned/cytopress-2d``."""

    @property
    def traits(self) -> Traits:
        """Properties that its codecs share."""

    def from_options(self, options: Options, /) -> StreamCodec:
        """Return the codec of these options."""


def option_names(family: Family) -> list[str]:
    """Return the names of a family's options, the quality parameter's among them."""
    if isinstance(family, type):
        return [option.name for option in fields(family)]  # type: ignore[arg-type]
    return list(getattr(family, "options", ()))
