"""Optional abilities of a codec that a wavelet before it needs: another error, another rounding.

An adapter has them by having the method; `Tiled` passes them on to the wrapped codec.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, runtime_checkable

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.wrappers.tiled import Tiled
from cytopress.errors import UsageError


@runtime_checkable
class ScalesError(Protocol):
    """A codec whose setting can be changed by how much error it leaves."""

    def scale_error(self, share: float) -> StreamCodec:
        """Return this codec at the setting that leaves about ``share`` times the error.

        A lossless codec returns itself.
        """


@runtime_checkable
class RoundsPixels(Protocol):
    """A codec that bounds the error by rounding pixels, and is lossless beside that."""

    def rounding_step(self) -> int:
        """Return the odd number of counts to whose multiples pixels are rounded; 1: exact."""


def scale_error(codec: StreamCodec, share: float) -> StreamCodec:
    """Return a codec at the setting that leaves about ``share`` times the error.

    Raises
    ------
    UsageError
        The codec cannot code wavelet coefficients.
    """
    if isinstance(codec, Tiled):
        return replace(codec, codec=scale_error(codec.codec, share))
    if isinstance(codec, ScalesError):
        return codec.scale_error(share)
    raise UsageError(
        f"z=wavelet is for jpegxl, jpegls and jpeg2000, not for {codec.name}: leave z out."
    )


def rounding_step(codec: StreamCodec) -> int:
    """Return to multiples of how many counts a codec rounds pixels; 1 for all others."""
    if isinstance(codec, Tiled):
        return rounding_step(codec.codec)
    return codec.rounding_step() if isinstance(codec, RoundsPixels) else 1
