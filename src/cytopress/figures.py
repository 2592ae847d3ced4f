"""Numbers in sentences: compression ratios, and figures of a few digits without an exponent."""

from __future__ import annotations


def ratio_text(ratio: float) -> str:
    """Format a compression ratio: ``2.7x``, ``40x``, ``1,250x``."""
    return f"{ratio:.1f}x" if ratio < 9.95 else f"{ratio:,.0f}x"


def figure(value: float, digits: int = 4) -> str:
    """Format a number with a few significant digits: ``0.0123``, ``41.4``, ``12,340``."""
    text = f"{value:.{digits}g}"
    return f"{float(text):,.0f}" if 1000 <= abs(value) < 1e15 else text
