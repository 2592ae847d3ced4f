"""Advice which quality target suits a kind of image, from its measured properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cytopress.codecs.targets.target import TargetKind
from cytopress.quick_look.properties import ImageProperties

ImageKind = Literal["blank", "dark background", "even background"]

# Below this share of signal, or this number of blocks, nothing is seen but noise: of noise's own
# blocks 0.06 % pass for signal.
BLANK, BLANK_BLOCKS = 0.003, 3
# Half of the image lies in this darkest part of its range: in the sparse fluorescence that was
# looked at it is at most 0.09, in bright field, phase contrast and confluent stains at least 0.2.
DARK = 0.15
# The PSNR that is most often asked for, and the error that it may allow at most, in noise sigma.
USUAL_PSNR, MOST_SIGMA = 40.0, 2.0
# The fullest field's share of signal over the emptiest's, from which on one ratio means different
# errors in them; no share counts as less than the second number.
UNEVEN, LEAST_SIGNAL = 2.0, 0.01


@dataclass(frozen=True, kw_only=True)
class Advice:
    """Which target to ask for, and which not.

    Parameters
    ----------
    kind : {"blank", "dark background", "even background"}
        The kind of image.
    targets : tuple of str
        The targets that suit it, the first one best; none for a blank image.
    avoid : tuple of str
        The targets that do not.
    sentence : str
        Both, with the measured reasons.
    """

    kind: ImageKind
    targets: tuple[TargetKind, ...]
    avoid: tuple[TargetKind, ...]
    sentence: str


def advise(image: ImageProperties, fields: Sequence[ImageProperties] = ()) -> Advice:
    """Advise which target to ask for.

    - `sigma` suits wherever the noise can be measured: it means the same in dark and in bright
      parts, and from one image to the next. Where it cannot (a filter was applied, or rounding
      hides the noise), `max_error` remains, which bounds every pixel.
    - `psnr` does not suit a dark background (``DARK``): its scale is set by the few brightest
      pixels, and its mean error by the empty background. Nor does it where `USUAL_PSNR` dB allow
      an error of more than ``MOST_SIGMA`` times the noise.
    - `ratio` does not suit fields whose signal differs ``UNEVEN``-fold or more: the fullest gets
      the largest error.
    - Where less than ``BLANK`` of the image is signal, nothing is advised.

    The thresholds were set on real images of eleven collections; the tests plant images of each
    kind, and check with encodes that what is advised against does harm there.

    Parameters
    ----------
    image : ImageProperties
        Of the image that is looked at.
    fields : sequence of ImageProperties, optional
        Of fields of the same kind, this one among them.
    """
    if image.signal < BLANK or image.signal * image.blocks <= BLANK_BLOCKS:
        return Advice(
            kind="blank",
            targets=(),
            avoid=(),
            sentence="Hardly anything but noise is seen here, so no target can be advised: look at"
            " an image with objects.",
        )
    dark = image.background < DARK
    targets: tuple[TargetKind, ...] = (
        ("max_error",) if image.noise_hidden else ("sigma", "max_error")
    )
    reasons: dict[TargetKind, str] = {
        "psnr": _against_psnr(image, dark=dark),
        "ratio": _uneven(fields),
    }
    against = {kind: reason for kind, reason in reasons.items() if reason}
    sentence = f"{_seen(image, dark=dark)}: ask for {_wanted(image)}"
    for joint, (kind, reason) in zip(("and not", "nor"), against.items(), strict=False):
        sentence += f", {joint} for `{kind}`, {reason}"
    return Advice(
        kind="dark background" if dark else "even background",
        targets=targets,
        avoid=tuple(against),
        sentence=f"{sentence}.",
    )


def unevenness(fields: Sequence[ImageProperties]) -> float:
    """Return the fullest field's share of signal over the emptiest's; 1 for a single field."""
    shares = [max(field.signal, LEAST_SIGNAL) for field in fields]
    return max(shares) / min(shares) if shares else 1.0


def _seen(image: ImageProperties, *, dark: bool) -> str:
    kind = (
        "Bright objects on a dark background, as in sparse fluorescence"
        if dark
        else "Objects on an even background, as in bright field, phase contrast or dense stains"
    )
    share = 100 * image.signal
    found = f"{share:.0f} %" if share >= 1 else "less than 1 %"
    return f"{kind} (signal in {found} of the image)"


def _wanted(image: ImageProperties) -> str:
    if image.noise_hidden:
        return "`max_error` (counts; a filter or rounding hides the camera's noise)"
    return "`sigma` (error in units of the camera's noise) or `max_error` (counts)"


def _against_psnr(image: ImageProperties, *, dark: bool) -> str:
    allowed = image.sigma_at_psnr(USUAL_PSNR)
    found = (
        f"{USUAL_PSNR:.0f} dB would allow errors of {allowed:.2g} times the noise"
        if allowed > MOST_SIGMA and not image.noise_hidden
        else ""
    )
    if dark:
        reason = "whose scale the few brightest pixels set"
        return f"{reason} ({found})" if found else reason
    return f"as {found}" if found else ""


def _uneven(fields: Sequence[ImageProperties]) -> str:
    times = unevenness(fields)
    if times < UNEVEN:
        return ""
    return (
        f"since the fullest of {len(fields)} fields holds {times:.2g} times the emptiest's signal"
    )
