"""Axis order: images to and from the arrays of a network."""

from __future__ import annotations

import numpy as np

from cytopress.errors import TaskError
from cytopress.image import Pixels
from cytopress.tiling import Values


def arranged(window: Pixels, axes: str) -> Pixels:
    """Return an image, (C, Y, X) or (C, Z, Y, X), in the axis order of a network.

    Parameters
    ----------
    window : ndarray
        One channel if the axes have no C.
    axes : str
        Letters of N, C, Z, Y and X in the network's order.
    """
    whole = "NCYX" if window.ndim == 3 else "NCZYX"
    kept = window[np.newaxis][tuple(slice(None) if letter in axes else 0 for letter in whole)]
    left = [letter for letter in whole if letter in axes]
    return np.ascontiguousarray(kept.transpose([left.index(letter) for letter in axes]))


def channels_first(found: Pixels, axes: str, activation: str = "none") -> Values:
    """Return a network's output as (C, Y, X) or (C, Z, Y, X) float32.

    Parameters
    ----------
    found : ndarray
        Array in ``axes``; of N only the first is used. With another number of axes it is returned
        as it is, and its shape is refused later.
    axes : str
        As in `arranged`.
    activation : {"none", "sigmoid", "softmax"}, optional
        Applied to the values, the latter along C.
    """
    if found.ndim != len(axes):
        return np.asarray(found, np.float32).reshape(1, *found.shape)
    order = [axes.index(letter) for letter in "NCZYX" if letter in axes]
    array = np.asarray(found, np.float32).transpose(order)
    array = array[0] if "N" in axes else array
    array = array if "C" in axes else array[np.newaxis]
    return np.ascontiguousarray(_activated(array, activation))


def one_channel(
    values: Values, channel: int | None, name: str, expected: tuple[int, ...]
) -> Values:
    """Return one channel of an output, as (1, Y, X) or (1, Z, Y, X).

    Raises
    ------
    TaskError
        The output does not have the input's size or that channel, or has several without a choice.
    """
    if values.shape[1:] != expected:
        raise TaskError(
            f"output {name!r} gives {values.shape} for an image of {expected}; outputs must have"
            " the input's size."
        )
    if channel is None and len(values) > 1:
        raise TaskError(f"output {name!r} has {len(values)} channels; declare which.")
    if (channel or 0) >= len(values):
        raise TaskError(f"output {name!r} has {len(values)} channels, no channel {channel}.")
    wanted = channel or 0
    return values[wanted : wanted + 1]


def _activated(array: Values, activation: str) -> Values:
    if activation == "none":
        return array
    from scipy.special import expit, softmax

    return np.asarray(expit(array) if activation == "sigmoid" else softmax(array, axis=0))
