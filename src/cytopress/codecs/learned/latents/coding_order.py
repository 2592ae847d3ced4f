"""Latents in passes: by which means and tables each of them goes, given the ones before.

Encoder and decoder both go by the same passes, so they cannot see different contexts.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.latents.context_model import (
    ContextModel,
    ContextStep,
    neighbors,
    put_squares,
    squares,
)
from cytopress.codecs.learned.latents.hyper_context import BESIDE, DIAGONAL, HyperContext, around
from cytopress.codecs.learned.latents.hyper_synthesis import FRACTION
from cytopress.codecs.learned.latents.secondary_transforms import SecondaryTransforms

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Pass:
    """Latents that are coded together.

    Parameters
    ----------
    pick : callable
        Returns them of all latents, (M, h, w).
    mean : ndarray, optional
        Of their shape, float32: their means, if they have any.
    rows : ndarray
        (n,) their tables.
    prior : bool, optional
        Whether these are tables of the prior.
    turn : callable, optional
        Turns what lies around the means, of their shape, in place: it is coded so.
    """

    pick: Callable[[Array], Array]
    mean: Array | None
    rows: Array
    prior: bool = False
    turn: Callable[[Array], None] | None = None


@dataclass(frozen=True, eq=False)
class Choice:
    """Asks by which rotation each place of the next pass goes, (places,) integers, 0: by none.

    Parameters
    ----------
    pick : callable
        As of the pass.
    mean : ndarray
        As of the pass.
    index : ndarray
        (C, places): scale indices with a fraction.
    rotations : Rotations
        What there is to choose from.
    kinds : ndarray
        (places,) int8: the classes of activity, -1 where nothing is turned.
    """

    pick: Callable[[Array], Array]
    mean: Array
    index: Array
    rotations: SecondaryTransforms
    kinds: Array


# Gives one pass after the other, is sent the symbols of each, (n,), or what is chosen, and returns
# the latents in steps, (M, h, w) float32, or hyper-latents. Encoder and decoder both go by it, so
# they see the same.
Passes = Generator[Pass | Choice, Array, Array]


def in_context(
    context: ContextModel,
    mean: Array,
    index: Array,
    features: Array,
    rows_of: Callable[[Array], Array],
    rotations: Sequence[SecondaryTransforms | None] = (None, None),
) -> Passes:
    """Say by which means and tables latents go, each pass by what was decoded before.

    Parameters
    ----------
    context : Context
        The context model.
    mean, index, features : ndarray
        What the hyper synthesis says: means, (M, h, w) float32, scale indices and features, with a
        fraction. They are overwritten.
    rows_of : callable
        Returns the tables of scale indices.
    rotations : sequence of Rotations, optional
        Of the first channels and of the others; none unless given.
    """
    first, inside = context.first, context.features // 2

    def white_of(a: Array) -> Array:
        return squares(a[:first], black=False)

    def black_of(a: Array) -> Array:
        return squares(a[:first], black=True)

    known = np.empty((first, *mean.shape[1:]))
    white = white_of(mean)
    decoded = yield from _residuals(rotations[0], white_of, white, white_of(index), rows_of)
    decoded = decoded * 2.0**FRACTION
    put_squares(known, decoded, black=False)

    black, black_index = black_of(mean), black_of(index)
    more = np.empty(black.shape)
    around = squares(features[:inside], black=True)
    for place, offset, wider in context.across.parts(neighbors(decoded), around):
        more[:, *place] = offset
        black_index[:, *place] += wider.astype(np.int32)
    black += (more * 2.0**-FRACTION).astype(np.float32)
    decoded = yield from _residuals(rotations[0], black_of, black, black_index, rows_of)
    put_squares(known, decoded * 2.0**FRACTION + more, black=True)

    y_hat = np.empty(mean.shape, np.float32)
    y_hat[:first] = mean[:first] + known * 2.0**-FRACTION
    rest, rest_index = mean[first:], index[first:]
    for place, offset, wider in context.inward.parts(known, features[inside:]):
        rest[:, *place] += (offset * 2.0**-FRACTION).astype(np.float32)
        rest_index[:, *place] += wider.astype(np.int32)
    # The largest pass needs their memory.
    del features, known, around, black, black_index, more, decoded
    passes = _residuals(rotations[1], lambda a: a[first:], rest, rest_index, rows_of)
    del index, rest_index
    decoded = yield from passes
    np.add(decoded, rest, out=y_hat[first:], casting="same_kind")
    return y_hat


def _residuals(
    rotations: SecondaryTransforms | None,
    pick: Callable[[Array], Array],
    mean: Array,
    index: Array,
    rows_of: Callable[[Array], Array],
) -> Passes:
    """Say by which tables residuals go, turned or not; return them, in steps, as decoded.

    ``mean`` and ``index`` are (C, h, w), the latter is overwritten; so is the shape returned.
    """
    if rotations is None:
        rows = rows_of(index)
        del index
        symbols = yield Pass(pick, mean, rows)
        return symbols.reshape(mean.shape)
    index = index.reshape(len(index), -1)
    kinds = rotations.kinds(index)
    which = yield Choice(pick, mean, index, rotations, kinds)
    rotations.widen(index, which)
    rows, shape = rows_of(index), index.shape
    del index, kinds

    def turn(residual: Array) -> None:
        rotations.turn(residual.reshape(shape), which)

    symbols = yield Pass(pick, mean, rows, turn=turn)
    return rotations.back(symbols.reshape(shape), which).reshape(mean.shape)


def of_hyper_latents(
    context: HyperContext | None,
    form: tuple[int, ...],
    node: int,
    prior_of: Callable[[tuple[int, ...]], Array],
    rows_of: Callable[[Array], Array],
) -> Passes:
    """Say by which means and tables hyper-latents go, in turns if they have a context model.

    Parameters
    ----------
    context : HyperContext or None
        The context model.
    form : tuple of int
        (Nz, h, w) of the hyper-latents, which are returned as float64.
    node : int
        The gain node.
    prior_of : callable
        Returns the tables of the prior for hyper-latents of such a form.
    rows_of : callable
        Returns the tables of scale indices.
    """
    if context is None:
        symbols = yield Pass(everything, None, prior_of(form), prior=True)
        return symbols.reshape(form).astype(np.float64)
    known = np.zeros(form)
    corner = known[:, ::2, ::2]
    symbols = yield Pass(lambda a: a[:, ::2, ::2], None, prior_of(corner.shape), prior=True)
    corner[:] = symbols.reshape(corner.shape) * 2.0**FRACTION
    steps = zip((context.diagonal, context.beside), (DIAGONAL, BESIDE), strict=True)
    bias = context.bias[node][:, None, None]
    for (step, places), (mask, features) in zip(steps, context.turns(form), strict=True):
        mean, index = np.empty(form), np.empty(form, np.int32)
        for place, offset, wider in step.parts(around(known, places), features):
            mean[:, *place], index[:, *place] = offset, wider + bias
        expected = mean[:, mask]
        shape, scaled = expected.shape, (expected * 2.0**-FRACTION).astype(np.float32)
        symbols = yield Pass(_at(mask), scaled, rows_of(index[:, mask]))
        known[:, mask] = symbols.reshape(shape) * 2.0**FRACTION + expected
    return known * 2.0**-FRACTION


def _at(mask: Array) -> Callable[[Array], Array]:
    def pick(a: Array) -> Array:
        return a[:, mask]

    return pick


def add_from_below(
    step: ContextStep, below: Array, mean: Array, index: Array, features: Array
) -> None:
    """Add to means and scale indices what the latents of the slab before tell of them.

    Parameters
    ----------
    step : Step
        From all latents to all.
    below : ndarray
        (M, h, w) float32: the decoded latents of that slab, in steps.
    mean, index, features : ndarray
        As `in_context` takes them; features are the step's own.
    """
    for place, offset, wider in step.parts(below, features, 2.0**FRACTION):
        mean[:, *place] += (offset * 2.0**-FRACTION).astype(np.float32)
        index[:, *place] += wider.astype(np.int32)


def everything(a: Array) -> Array:
    """Pick all latents."""
    return a


def through(passes: Passes, answer: Callable[[Pass | Choice], Array]) -> Array:
    """Answer each pass with its symbols; return what comes of them."""
    try:
        these = next(passes)
        while True:
            these = passes.send(answer(these))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
