"""BD-rate: the mean difference in rate between two codecs at equal quality, in percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import NotAvailableError, UsageError

Floats = npt.NDArray[np.float64]
Numbers = Sequence[float] | Floats

# Fewer measured points would leave the shape of the curve to the interpolation.
LEAST_POINTS = 4
# Of them, on the monotone envelope.
LEAST_ENVELOPE = 3
# Share of either curve's quality that both must cover.
LEAST_OVERLAP = 0.25


@dataclass(frozen=True)
class BDRate:
    """A BD-rate and the qualities that it is about.

    Parameters
    ----------
    percent : float
        Negative where the test needs fewer bytes than the reference: -50 for half of them.
    low, high : float
        The interval of quality that both curves cover, over which the mean was taken.
    """

    percent: float
    low: float
    high: float


def bd_rate(
    rate_reference: Numbers,
    quality_reference: Numbers,
    rate_test: Numbers,
    quality_test: Numbers,
    *,
    monotone: bool = False,
) -> BDRate:
    """Compare two rate-distortion curves.

    The logarithm of the rate is interpolated as a function of quality by monotone piecewise
    cubics (PCHIP), as in [1]_, and the difference averaged over the qualities that both reach.

    Parameters
    ----------
    rate_reference, rate_test : sequence of float
        Positive, in bytes, bits per pixel or any other unit, the same for both, in any order.
    quality_reference, quality_test : sequence of float
        Higher is better; negate other scores. Points of infinite quality, such as the PSNR of a
        lossless codec, are left out, and of points of equal quality all but the cheapest.
    monotone : bool, optional
        Use the monotone envelope: for each rate, the best quality reached with at most that rate.
        Task accuracy needs this: it is noisy, and can be better with fewer bytes.

    Raises
    ------
    NotAvailableError
        A curve has fewer than four points of finite and different quality (with ``monotone``:
        three on its envelope, of four), or the qualities that both cover are less than a
        quarter of either curve's.
    UsageError
        Rates and qualities differ in number, a rate is not positive, a quality is not a number.

    References
    ----------
    .. [1] G. Bjontegaard, "Calculation of average PSNR differences between RD-curves",
       VCEG-M33 (2001); with PCHIP: JCTVC-L1100 (2013).
    """
    log_reference, reference = _curve(
        rate_reference, quality_reference, "reference", monotone=monotone
    )
    log_test, test = _curve(rate_test, quality_test, "test", monotone=monotone)
    low, high = max(reference[0], test[0]), min(reference[-1], test[-1])
    for role, quality in (("reference", reference), ("test", test)):
        covered = (high - low) / (quality[-1] - quality[0])
        if covered < LEAST_OVERLAP:
            raise NotAvailableError(
                f"a BD-rate needs curves that share at least {LEAST_OVERLAP:.0%} of their quality,"
                f" but of the {role}'s {max(covered, 0):.0%} is shared; code at other rates."
            )
    more = _mean(test, log_test, low, high) - _mean(reference, log_reference, low, high)
    return BDRate(percent=float(np.expm1(more) * 100), low=float(low), high=float(high))


def _curve(
    rates: Numbers, qualities: Numbers, role: str, *, monotone: bool
) -> tuple[Floats, Floats]:
    """Logarithm of the rate and strictly rising quality of the points that count."""
    rate = np.asarray(rates, dtype=np.float64)
    quality = np.asarray(qualities, dtype=np.float64)
    if rate.ndim != 1 or rate.shape != quality.shape:
        raise UsageError(
            f"a BD-rate needs as many qualities as rates, but the {role} has {rate.size} rates and"
            f" {quality.size} qualities."
        )
    for wrong in rate[~(np.isfinite(rate) & (rate > 0))]:
        raise UsageError(
            f"a BD-rate needs positive, finite rates, but the {role} has {wrong:g}; correct it."
        )
    for wrong in quality[~(quality > -np.inf)]:
        raise UsageError(
            f"a BD-rate needs a number as the quality of each point, but the {role} has"
            f" {wrong:g}; leave that point out."
        )
    measured = np.isfinite(quality)
    # By quality, then by rate: of equal qualities the first is the cheapest.
    order = np.lexsort((rate[measured], quality[measured]))
    rate, quality = rate[measured][order], quality[measured][order]
    cheapest = np.diff(quality, prepend=-np.inf) > 0
    rate, quality = rate[cheapest], quality[cheapest]
    if monotone:
        _require(int(measured.sum()), LEAST_POINTS, role)
        cheapest_better = np.minimum.accumulate(np.append(rate[1:], np.inf)[::-1])[::-1]
        on_envelope = rate < cheapest_better
        rate, quality = rate[on_envelope], quality[on_envelope]
    _require(quality.size, LEAST_ENVELOPE if monotone else LEAST_POINTS, role)
    return np.log(rate), quality


def _require(found: int, needed: int, role: str) -> None:
    if found < needed:
        raise NotAvailableError(
            f"a BD-rate needs at least {needed} points of different finite quality on a curve, but"
            f" the {role} has {found}; code at more rates."
        )


def _mean(quality: Floats, log_rate: Floats, low: float, high: float) -> float:
    from scipy.interpolate import PchipInterpolator

    curve: Any = PchipInterpolator(quality, log_rate)
    return float(curve.integrate(low, high)) / (high - low)
