"""Warnings about the images of a file, each kind said once, however many images it is about."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cytopress.errors import CytopressWarning

NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")


class ImageNotes:
    """Collects warnings, and issues the first of each kind: those that differ in numbers only."""

    def __init__(self) -> None:
        self._kinds: dict[str, list[tuple[str, str]]] = {}

    def add(self, text: str, label: str = "") -> None:
        """Take a warning, about the image of this label where there are several."""
        self._kinds.setdefault(NUMBER.sub("0", text), []).append((text, label))

    @contextmanager
    def collected(self, label: str) -> Iterator[None]:
        """Take the warnings of cytopress that are issued inside; others go their way."""
        with warnings.catch_warnings(record=True) as issued:
            warnings.simplefilter("always", CytopressWarning)
            yield
        for one in issued:
            if issubclass(one.category, CytopressWarning):
                self.add(str(one.message), label)
            else:
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)

    def issue(self) -> None:
        """Issue a warning for each kind."""
        for (text, label), *others in self._kinds.values():
            more = f" and {len(others)} more" if others else ""
            where = f" ({label}{more})" if label else ""
            end = "." if text.endswith(".") else ""
            shown = f"{text.removesuffix('.')}{where}{end}"
            warnings.warn(shown, CytopressWarning, stacklevel=3)
