"""Search problem: a target, and the settings of a codec among which one is to meet it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cytopress.codecs.base import QualityParameter, StreamCodec
from cytopress.codecs.targets.target import Target
from cytopress.errors import UnsupportedImageError
from cytopress.image import Image


@dataclass(frozen=True)
class SearchProblem:
    """A target, and the settings of a codec among which the search finds the one that meets it.

    Parameters
    ----------
    name : str
        Name of the codec family, for messages.
    target : Target
        What is to be met.
    parameter : QualityParameter
        What the search varies.
    codec_at : callable
        Takes a value of the quality parameter, or None for the lossless form; gives the codec.
    can_be_lossless : bool
        Whether there is a lossless form.
    guarded : bool
        Whether a coarse setting may take more bytes than a fine one, since its residual does.
    """

    name: str
    target: Target
    parameter: QualityParameter
    codec_at: Callable[[float | None], StreamCodec]
    can_be_lossless: bool = False
    guarded: bool = False


def accepts(codec: StreamCodec, image: Image) -> bool:
    """Whether a codec takes an image."""
    try:
        codec.check(image)
    except UnsupportedImageError:
        return False
    return True
