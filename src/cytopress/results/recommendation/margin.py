"""Margin of a recommendation: the largest allowed loss, refused where it would mean nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cytopress.errors import NotAvailableError, UsageError
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.evidence import LEAST_SPREAD, Evidence
from cytopress.statistics.margin import NOISE
from cytopress.study.results import ScoreFacts

# Score that is relative to all of the light, the camera's offset and the background included.
OF_ALL_LIGHT = "intensity_error"
# Names of scores that are shares of something.
SHARES = "_error"
# Share of the signal above the background; a margin that allows more to be lost is refused.
MOST_OF_SIGNAL = 0.5


def margin_of(criterion: Criterion, score: ScoreFacts, evidence: Evidence) -> float:
    """Return the margin in the score's unit.

    Raises
    ------
    NotAvailableError
        The margin is the camera's noise, which was not drawn, or does not change the score.
    UsageError
        The margin would leave nothing of the score, or of the signal.
    """
    original = evidence.original
    if criterion.margin == NOISE:
        margin = _noise_margin(score, evidence.noise)
        # Not told from 0; a score that is 0 at best, such as a negative error, is exactly that.
        leaves_nothing = original != 0 and abs(original) <= margin
    else:
        margin = _given_margin(criterion, score, original)
        leaves_nothing = original <= margin
    if score.better == "higher" and leaves_nothing:
        raise UsageError(
            f"--margin {criterion.margin}: {score.name} from the originals is {original:.4g}, so a"
            f" loss of {margin:.4g} would leave nothing; give less."
        )
    share = share_of_signal(score, margin, evidence.contrasts)
    if criterion.margin != NOISE and share is not None and share > MOST_OF_SIGNAL:
        asked = f"--margin {criterion.margin}"
        raise UsageError(
            f"{asked}: {score.name} is relative to all of the light, the camera's offset included,"
            f" and {share_text(share)} of what is above the background would be allowed to get"
            f" lost; give --metric signal_error {asked} for that share of the signal."
        )
    return margin


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


def is_share(score: ScoreFacts) -> bool:
    """Return whether a score is an error that is a share of something, such as ``count_error``."""
    return score.name.endswith(SHARES) and not score.unit


def share_of_signal(score: ScoreFacts, margin: float, contrasts: Sequence[float]) -> float | None:
    """Return a margin as a share of the signal; None where it is one, or nothing is known."""
    if score.name != OF_ALL_LIGHT or not contrasts:
        return None
    contrast = math.fsum(contrasts) / len(contrasts)
    return margin / contrast if contrast else math.inf


def share_text(share: float) -> str:
    """Format a share: ``12 %``."""
    return f"{100 * share:.2g} %" if share < 1 else "all" if share < math.inf else "more"


def _given_margin(criterion: Criterion, score: ScoreFacts, original: float) -> float:
    percent = criterion.percent
    if percent is None:
        return float(criterion.margin)
    scale = percent_scale(score, original)
    if scale is None:
        raise UsageError(
            f"--margin {criterion.margin}: {score.name} from the originals is {original:.4g}, of"
            f" which no share can be taken; give a number{f' of {score.unit}' * bool(score.unit)}."
        )
    return percent / 100 * scale


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
