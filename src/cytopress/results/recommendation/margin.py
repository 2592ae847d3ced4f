"""Margin of a recommendation: the largest allowed loss, refused where it would mean nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cytopress.errors import NotAvailableError, UsageError
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.evidence import LEAST_SPREAD, Evidence
from cytopress.statistics.margin import NOISE
from cytopress.study.margin_limits import MOST_OF_SIGNAL, OF_ALL_LIGHT, is_share
from cytopress.study.results import ScoreFacts


def margin_of(criterion: Criterion, score: ScoreFacts, evidence: Evidence) -> float:
    """Return the margin in the score's unit.

    Raises
    ------
    NotAvailableError
        The margin is the camera's noise, which was not drawn, or does not change the score.
    UsageError
        The margin would leave nothing of the score, or of the signal.
    """
    if criterion.margin != NOISE:
        return given_margin(criterion, score, evidence.original, evidence.contrasts)
    original, margin = evidence.original, _noise_margin(score, evidence.noise)
    # Not told from 0; a score that is 0 at best, such as a negative error, is exactly that.
    if score.better == "higher" and original != 0 and abs(original) <= margin:
        why = _leaves_nothing(score, original, margin)
        raise UsageError(f"--margin {criterion.margin}: {why}; give less.")
    return margin


def given_margin(
    criterion: Criterion, score: ScoreFacts, original: float, contrasts: Sequence[float]
) -> float:
    """Return a margin that was given as a number or in percent, in the score's unit.

    Parameters
    ----------
    criterion, score
        What is asked, and of which score.
    original : float
        Mean score from the originals.
    contrasts : sequence of float
        What share of the light is signal in each field.

    Raises
    ------
    UsageError
        As of `margin_of`.
    """
    if why := why_refused(criterion, score, original, contrasts):
        asked = f"--margin {criterion.margin}"
        remedy = f"give {less_text(criterion, score, original)}"
        if score.name == OF_ALL_LIGHT:
            remedy = f"give --metric signal_error {asked} for that share of the signal"
        raise UsageError(f"{asked}: {why}; {remedy}.")
    return _in_unit(criterion, score, original)


def why_refused(
    criterion: Criterion, score: ScoreFacts, original: float, contrasts: Sequence[float]
) -> str:
    """Return why a given margin is refused, "" where it is not; parameters as `given_margin`."""
    margin = _in_unit(criterion, score, original)
    if math.isnan(margin):
        return f"{score.name} from the originals is {original:.4g}, of which no share can be taken"
    if score.better == "higher" and original <= margin:
        return _leaves_nothing(score, original, margin)
    share = share_of_signal(score, margin, contrasts)
    if share is None or share <= MOST_OF_SIGNAL:
        return ""
    return (
        f"{score.name} is relative to all of the light, the camera's offset included, and"
        f" {share_text(share)} of what is above the background would be allowed to get lost"
    )


def less_text(criterion: Criterion, score: ScoreFacts, original: float) -> str:
    """Return what to give instead of a margin that is refused: ``less``, ``a number of nuclei``."""
    if math.isnan(_in_unit(criterion, score, original)):
        return f"a number{f' of {score.unit}' * bool(score.unit)}"
    return "less"


def refused_from(score: ScoreFacts, evidence: Evidence) -> float | None:
    """Return the smallest given margin that is refused; None where none is."""
    if score.better == "higher":
        return evidence.original if math.isfinite(evidence.original) else None
    share = share_of_signal(score, 1.0, evidence.contrasts)
    # The next float, since half of the signal is allowed.
    return None if share is None else math.nextafter(MOST_OF_SIGNAL / share, math.inf)


def percent_scale(score: ScoreFacts, original: float) -> float | None:
    """Return the margin that 100 % is: of the score from originals, or of what an error is about.

    An error without a unit, such as ``count_error``, is a share already: its 2 % are 0.02.

    Returns
    -------
    float or None
        In the score's unit; None where the score from originals is 0 or unknown.
    """
    if is_share(score):
        return 1.0
    return abs(original) if math.isfinite(original) and original else None


def share_of_signal(score: ScoreFacts, margin: float, contrasts: Sequence[float]) -> float | None:
    """Return a margin as a share of the signal; None where it is one, or nothing is known."""
    if score.name != OF_ALL_LIGHT or not contrasts:
        return None
    contrast = math.fsum(contrasts) / len(contrasts)
    return margin / contrast if contrast else math.inf


def share_text(share: float) -> str:
    """Format a share: ``12 %``."""
    return f"{100 * share:.2g} %" if share < 1 else "all" if share < math.inf else "more"


def _leaves_nothing(score: ScoreFacts, original: float, margin: float) -> str:
    return (
        f"{score.name} from the originals is {original:.4g}, so a loss of {margin:.4g} would leave"
        " nothing"
    )


def _in_unit(criterion: Criterion, score: ScoreFacts, original: float) -> float:
    """Return a given margin in the score's unit; NaN for percent of nothing."""
    if criterion.percent is None:
        return float(criterion.margin)
    scale = percent_scale(score, original)
    return math.nan if scale is None else criterion.percent / 100 * scale


def _noise_margin(score: ScoreFacts, noise: float | None) -> float:
    if noise is None:
        raise NotAvailableError(
            "the camera's noise was not drawn again in this study, so it is no margin; set"
            " noise_draws = 10 and run the study again, or give --margin a number."
        )
    if noise <= LEAST_SPREAD:
        raise NotAvailableError(
            f"more of the camera's noise does not change {score.name} of {score.task}, so it is no"
            " margin: the score moves in steps, or does not depend on the image; give --margin a"
            " number."
        )
    return noise
