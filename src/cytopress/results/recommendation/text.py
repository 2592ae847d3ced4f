"""A recommendation in words; the page and the terminal say the same."""

from __future__ import annotations

from cytopress.figures import count_text, shown_time
from cytopress.results.curves import setting_name
from cytopress.results.number_format import label_text, plain, ratio_text
from cytopress.results.recommendation.amounts import (
    THINGS,
    bare_amount,
    bound_figure,
    digits_for,
    figure_text,
    margin_figure,
    of_score,
    rounded_up,
)
from cytopress.results.recommendation.judge import more_text
from cytopress.results.recommendation.recommend import Recommendation
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.statistics.margin import NOISE
from cytopress.statistics.sample_size import no_event_bound
from cytopress.study.results import ScoreFacts

GIGABYTE = 1e9
# Of a machine that encodes a terabyte.
CORES = 8
# Sizes that differ by a smaller share are called the same.
SAME_SIZE = 0.005


def sentence(recommendation: Recommendation) -> str:
    """Return the answer in a few sentences: what to use, its loss at most, and the margin."""
    found, chosen = recommendation, recommendation.chosen
    allowed = f"The margin is {margin_text(found)}."
    if not found.settings:
        what = f"No lossy setting has a score of {found.score.task}, so none is shown to be inside."
        return f"{what} {_instead(found)}"
    if chosen is not None:
        text = f"{setting_name(chosen.point)} makes the files {ratio_text(chosen.ratio)} smaller."
        return plain(f"{text} {loss_text(found)} {allowed}")
    sure = _percent(found.criterion.confidence)
    if any(setting.verdict == "inside" for setting in found.settings):
        what = f"Nothing smaller than lossless is shown inside the margin with {sure} confidence."
        return plain(f"{what} {allowed} {_instead(found)}")
    what = f"No lossy setting is shown inside the margin with {sure} confidence."
    return plain(f"{what} {allowed} {_finest(found)} {_instead(found)}")


def loss_text(recommendation: Recommendation) -> str:
    """Describe the loss of the chosen setting and its bound; "" where none is chosen."""
    chosen = recommendation.chosen
    if chosen is None or chosen.bounded is None or chosen.bound is None:
        return ""
    sure = _percent(recommendation.criterion.confidence)
    if chosen.bounded.unchanged:
        return plain(unchanged_text(chosen, confidence=recommendation.criterion.confidence))
    digits = digits_for(chosen.bound, recommendation.margin)
    most = bound_figure(chosen.bound, recommendation.score, digits=digits)
    claim = (
        f"{_worse(recommendation)} by at most {most}"
        if chosen.bound > 0
        else f"{_what(recommendation.score)} does not get worse"
    )
    return plain(f"With {sure} confidence, {claim} on average; {seen_text(chosen)}.")


def seen_text(setting: JudgedSetting) -> str:
    """Describe the mean loss that was seen, and on how many fields."""
    bounded = setting.bounded
    assert bounded is not None
    effect, mean = bounded.effect, bounded.effect.mean or 0.0
    fields = count_text(effect.fields, "field")
    groups = f" from {count_text(effect.n, 'group')}" if effect.unit == "groups" else ""
    if mean == 0:
        return f"no change of the mean was seen on {fields}{groups}"
    what = "" if mean > 0 else "a gain of "
    return f"{what}{bare_amount(abs(mean), bounded.score)} was seen on {fields}{groups}"


def unchanged_text(setting: JudgedSetting, *, confidence: float) -> str:
    """Describe a setting that changed no field, and what so few fields allow.

    Of a score that is a count, the bound is that of its objects; of any other, how many fields
    would change is all that can be said.
    """
    bounded = setting.bounded
    assert bounded is not None
    effect, counted = bounded.effect, bounded.counted
    sure = _percent(confidence)
    if counted is not None:
        allowed = bare_share(no_event_bound(counted.objects, bounded.level))
        return (
            f"No change in {counted.objects:,} {counted.noun} of"
            f" {count_text(effect.fields, 'field')}: with {sure} confidence, at most {allowed} of"
            f" such {counted.noun} would change."
        )
    allowed = bare_share(no_event_bound(effect.n, bounded.level))
    return (
        f"No change on {count_text(effect.n, effect.unit[:-1])}: with {sure} confidence, at most"
        f" {allowed} of such {effect.unit} would change at all."
    )


def bare_share(share: float) -> str:
    """Format a share, rounded up to two digits: ``7.5 %``."""
    return f"{figure_text(rounded_up(100 * share))} %"


def margin_text(recommendation: Recommendation) -> str:
    """Format the margin, with its origin."""
    found = recommendation
    chosen = found.chosen
    # As many digits as the bound beside it.
    digits = digits_for(chosen.bound, found.margin) if chosen and chosen.bound is not None else 2
    margin = of_score(margin_figure(found.margin, found.score, digits=digits), found.score)
    asked = found.criterion
    if asked.margin == NOISE:
        fit = "" if found.summary.facts.noise.good else " (roughly: the noise model fits poorly)"
        return f"{margin}, as much as one more draw of the camera's noise moves it{fit}"
    if asked.percent is not None and found.percent_of_original:
        return f"{margin}, {asked.percent:g} % of what the originals give"
    return f"{margin}, as given"


def cost_text(setting: JudgedSetting) -> str:
    """Describe what a setting saves of a terabyte, and how long encoding takes."""
    saved = f"{setting.saved_per_terabyte / GIGABYTE:,.0f} GB of each terabyte (TB) of originals"
    minutes = setting.minutes_per_terabyte
    if minutes is None:
        return f"{saved}; how long encoding takes was not timed"
    return (
        f"{saved}; to encode 1 GB takes one core about {shown_time(60 * minutes / 1000)}, and 1 TB"
        f" takes {CORES} cores about {duration_text(minutes / CORES)}, as timed here"
    )


def lines(recommendation: Recommendation) -> list[str]:
    """Return the recommendation as lines for a terminal."""
    found = recommendation
    told = [f"{found.summary.facts.name}: {sentence(found)}"]
    if found.chosen is not None:
        told.append(f"  Saves:      {plain(cost_text(found.chosen))}.")
    if found.faster_than is not None:
        told.append(f"  Near tie:   {_near_tie(found, found.faster_than)}.")
    for label, setting in (("Runner-up:", found.runner_up), ("Lossless:", found.lossless)):
        if setting is not None:
            told.append(
                f"  {label:<11} {setting_name(setting.point)},"
                f" {plain(ratio_text(setting.ratio))} smaller"
            )
    told += [
        f"  {setting.verdict.capitalize() + ':':<11} {setting_name(setting.point)}"
        f" ({plain(ratio_text(setting.ratio))}): {setting.reason}"
        for setting in found.unsafe
    ]
    return [*told, *(f"  Note:       {warning}" for warning in found.warnings)]


def _near_tie(found: Recommendation, other: JudgedSetting) -> str:
    """Describe the setting with slightly fewer bytes that was passed over for a faster one."""
    assert found.chosen is not None
    less = 1 - found.chosen.ratio / other.ratio
    size = "of the same size" if less < SAME_SIZE else f"{bare_share(less)} smaller"
    return f"{setting_name(other.point)} makes files {size}, but takes longer to encode"


def _what(score: ScoreFacts) -> str:
    thing = THINGS.get(score.name)
    return label_text(score.name) if thing is None else f"the error of {thing}"


def _worse(found: Recommendation) -> str:
    """Name what gets worse, with its verb."""
    score, thing = found.score, THINGS.get(found.score.name)
    if thing is None:
        return f"{label_text(score.name)} {'falls' if score.better == 'higher' else 'rises'}"
    # Without ground truth the error is the change itself.
    return f"{thing} changes" if not found.original else f"the error of {thing} grows"


def _finest(found: Recommendation) -> str:
    """Describe the lossy setting with the most bytes, and how many fields would settle it."""
    finest = min(found.settings, key=lambda setting: setting.ratio)
    text = (
        f"The finest that was tried is {setting_name(finest.point)},"
        f" {ratio_text(finest.ratio)} smaller, and it is {finest.verdict}: {finest.reason}."
    )
    if finest.verdict == "outside":
        return f"{text} Try finer settings."
    best = min(
        (one for one in found.settings if _could_be_inside(one, found.margin)),
        key=lambda one: (one.more_fields or 0, -one.ratio),
        default=None,
    )
    if best is None or best.effect is None or best is finest:
        return text
    settles = more_text(best.more_fields, best.effect.unit)
    return f"{text} By the spread seen, {settles} would show {setting_name(best.point)} inside."


def _could_be_inside(setting: JudgedSetting, margin: float) -> bool:
    """Whether more fields like these would show a setting to be inside."""
    effect = setting.effect
    if effect is None or effect.mean is None or effect.n < 2:
        return False
    return setting.verdict == "not shown" and bool(setting.more_fields) and effect.mean <= margin


def _instead(found: Recommendation) -> str:
    lossless = found.lossless
    if lossless is None:
        return "Use a lossless codec; none was measured on every field."
    return f"Use lossless {setting_name(lossless.point)}, {ratio_text(lossless.ratio)} smaller."


def _percent(confidence: float) -> str:
    return f"{100 * confidence:g} %"


def duration_text(minutes: float) -> str:
    """Format a duration in a suitable unit: ``40 minutes``, ``12 hours``."""
    for size, unit in ((1440, "days"), (60, "hours"), (1, "minutes")):
        if minutes >= 2 * size:
            return f"{minutes / size:,.0f} {unit}"
    return "2 minutes" if minutes >= 1.5 else "a minute"
