"""Window sizes: what a model is given of an image, if it takes certain sizes alone."""

from __future__ import annotations

from collections.abc import Sequence

# Share of a window's edge that is cut off on either side unless a model says otherwise.
HALO_SHARE = 8


def window_length(
    length: int, *, fixed: int | None, least: int = 1, step: int = 1, tile: int | None = None
) -> int:
    """Return the edge of the window for an axis of this length.

    Parameters
    ----------
    length : int
        Of the image.
    fixed : int or None
        The one size that the model takes, if there is one.
    least, step : int
        Otherwise the sizes it takes: ``least``, ``least + step``, ...
    tile : int, optional
        The longest edge to use, to bound memory; rounded up to a size that the model takes.
    """
    if fixed is not None:
        return fixed
    wanted = length if tile is None else min(length, tile)
    return least + -(-max(0, wanted - least) // step) * step


def halos(declared: int | None, window: Sequence[int], shape: Sequence[int]) -> list[int]:
    """Return the pixels to drop near a window's edge along each axis.

    None where one window holds the axis; otherwise what is declared, or a share of the window.
    """
    return [
        0 if length <= edge else min(_share(declared, edge), (edge - 1) // 2)
        for edge, length in zip(window, shape, strict=True)
    ]


def _share(declared: int | None, edge: int) -> int:
    return edge // HALO_SHARE if declared is None else declared
