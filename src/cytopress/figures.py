"""Numbers in sentences: ratios, bytes, durations, and figures without an exponent."""

from __future__ import annotations


def ratio_text(ratio: float) -> str:
    """Format a compression ratio: ``2.7x``, ``40x``, ``1,250x``."""
    return f"{ratio:.1f}x" if ratio < 9.95 else f"{ratio:,.0f}x"


def metadata_matter(raw: int, coded: int, metadata: int) -> bool:
    """Return whether the ratio of a file as shown is another one than that of its pixels."""
    pixels = coded - metadata
    return metadata > 0 and pixels > 0 and ratio_text(raw / coded) != ratio_text(raw / pixels)


def figure(value: float, digits: int = 4) -> str:
    """Format a number with a few significant digits: ``0.0123``, ``41.4``, ``12,340``."""
    text = f"{value:.{digits}g}"
    whole = abs(value) >= 1000 or "e+" in text
    return f"{float(text):,.0f}" if whole and abs(value) < 1e15 else text


def count_text(count: int, noun: str) -> str:
    """Format a count with its noun: ``1 field``, ``6 fields``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shown_bytes(count: float) -> str:
    """Return a number of bytes as a person writes it, such as ``4.8 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def shown_time(seconds: float) -> str:
    """Return a time as a person says it, such as ``3 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
