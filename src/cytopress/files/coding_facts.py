"""How images of one channel were coded, in words: codec, target, value reached, ratio."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cytopress.codecs.container.container import Header
from cytopress.codecs.registry import build
from cytopress.errors import CytopressError
from cytopress.settings import Settings

UNITS = {
    "max_error": "counts, the largest error of a pixel",
    "sigma": "standard deviations of the camera's noise, the root-mean-square error",
    "psnr": "dB, the peak signal-to-noise ratio",
}
# Reference scales that a target refers to.
SCALES = {
    "range": "data range in counts",
    "a": "noise variance per count",
    "b": "noise variance at the offset",
    "offset": "offset in counts",
}


def coding_facts(
    headers: Sequence[Header], coded_bytes: Sequence[int], settings: Settings
) -> dict[str, str]:
    """Return how the images of a channel, one for each time point, were coded.

    Parameters
    ----------
    headers : sequence of Header
        Of their containers.
    coded_bytes : sequence of int
        Sizes of their containers.
    settings : Settings
        Says where model packages are.
    """
    built = [_codec(header, settings) for header in headers]
    raw, coded = sum(header.form.raw_bytes for header in headers), sum(coded_bytes)
    lossless = all(exact for _, exact in built)
    facts = {
        "summary": "Every pixel is exact." if lossless else "Pixels were coded with loss.",
        "coded by": "cytopress",
        "lossless": str(lossless).lower(),
        "codec": _several(name for name, _ in built),
        "compression ratio": f"{raw / coded:.4g}",
        "raw bytes": str(raw),
        "coded bytes": str(coded),
    }
    notes = [header.notes for header in headers]
    if any("target" in note for note in notes):
        asked = (f"{note['target']}={note['asked']:g}" for note in notes if "target" in note)
        facts["target"] = _several(asked)
    reached = [float(note["reached"]) for note in notes if "reached" in note]
    if reached:
        low, high = min(reached), max(reached)
        unit = UNITS.get(str(notes[0].get("target")), "")
        span = f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
        facts["reached"] = f"{span} {unit}".strip()
    for name, title in SCALES.items():
        values = [f"{note[name]:g}" for note in notes if name in note]
        if values:
            facts[title] = _several(values)
    return facts


def _codec(header: Header, settings: Settings) -> tuple[str, bool]:
    """Return a codec in words, and whether it is lossless."""
    try:
        codec = build(header.recipe, settings)
    except CytopressError:
        # A model package that is not on this machine: images of it cannot be decoded either.
        return f"codec {header.recipe.name or header.recipe.number}", False
    return repr(codec), codec.lossless


def _several(texts: Iterable[str]) -> str:
    different = list(dict.fromkeys(texts))
    more = len(different) - 1
    return f"{different[0]} and {more} more" if more > 0 else different[0]
