"""Number formats, shared by the page and the terminal."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from cytopress import figures

MINUS = "\N{MINUS SIGN}"
# Names of scores as papers write them; other scores keep their stored names.
LABELS = {
    "bias": "bias",
    "frc_resolution": "FRC resolution",
    "frc_resolution_um": "FRC resolution in space",
    "frc_resolution_z": "FRC resolution along z",
    "frc_resolution_z_um": "FRC resolution along z in space",
    "variation_xy": "variation in the plane",
    "variation_z": "variation along z",
    "lpips": "LPIPS",
    "max_error": "largest error",
    "max_error_sigma": "largest error over noise",
    "mse": "MSE",
    "ms_ssim": "MS-SSIM",
    "nrmse": "NRMSE",
    "pearson": "Pearson r",
    "psnr": "PSNR",
    "rmse": "RMSE",
    "rmse_sigma": "RMSE over noise",
    "ssim": "SSIM",
}


def label_text(name: str) -> str:
    """Return the label of a score: its usual name, or the stored one without underscores."""
    return LABELS.get(name, name.replace("_", " "))


def ratio_text(ratio: float | None) -> str:
    """Format a compression ratio: ``2.7x``, ``40x``, ``1,250x``."""
    if ratio is None:
        return "–"
    return figures.ratio_text(ratio)


def number_text(value: float | None, *, significant: int = 4) -> str:
    """Format a number with a few significant digits and a true minus; infinity is "exact"."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "exact"
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{significant - 1}e}".replace("-", MINUS)
    digits = significant - 1 - (math.floor(math.log10(abs(value))) if value else 0)
    return f"{value:.{max(0, min(digits, 5))}f}".replace("-", MINUS)


def change_text(value: float | None, *, scale: float) -> str:
    """Format a signed difference with the decimals that suit a score of size ``scale``."""
    if value is None or math.isnan(value):
        return "–"
    return _signed(value, _decimals(scale))


def end_text(value: float, *, scale: float) -> str:
    """Format an end of an interval; its sign decides, so only zero itself is written as zero."""
    decimals = _decimals(scale)
    if value and abs(value) < 0.5 * 10**-decimals:
        decimals = min(8, -math.floor(math.log10(abs(value))))
    return _signed(value, decimals)


def _decimals(scale: float) -> int:
    return 4 if scale < 1 else max(0, 3 - math.ceil(math.log10(scale)))


def _signed(value: float, decimals: int) -> str:
    text = f"{value:+.{decimals}f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def target_text(target: str, value: float | None) -> str:
    """Format a target as in a spec string: ``ratio=40``; "lossless" where there is none."""
    if not target or value is None:
        return "lossless"
    return f"{target}={value:.6g}"


def plain(text: str) -> str:
    """Return a text with hyphens for minus signs and dashes, for terminals."""
    return text.replace(MINUS, "-").replace("–", "-")


def moment_text(moment: str) -> str:
    """Format an ISO 8601 time to the minute, in UTC; other texts stay as they are."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    zoned = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return f"{zoned.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
