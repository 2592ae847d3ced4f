"""TIFF's WhiteIsZero (MINISWHITE): gray values counted from white, turned to black."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cytopress.errors import CytopressWarning
from cytopress.formats.scene import Index
from cytopress.image import Pixels

if TYPE_CHECKING:
    from tifffile import TiffPage

WHITE_IS_ZERO = 0


def is_min_is_white(page: TiffPage) -> bool:
    """Return whether 0 means white in a page of unsigned integers."""
    return int(page.photometric) == WHITE_IS_ZERO and np.dtype(page.dtype).kind == "u"


def as_min_is_black(
    path: Path, page: TiffPage, load: Callable[[Index], Pixels]
) -> Callable[[Index], Pixels]:
    """Return a loader of values in which 0 is black, as every viewer shows them."""
    most = 2**page.bitspersample - 1

    def load_black(index: Index) -> Pixels:
        warnings.warn(
            f"{path}: 0 means white in this file (MINISWHITE), so its values are read as {most}"
            " minus what is stored.",
            CytopressWarning,
            stacklevel=2,
        )
        stored = load(index)
        return np.asarray(stored.dtype.type(most) - stored)

    return load_black
