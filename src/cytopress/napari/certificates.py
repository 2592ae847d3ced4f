"""Certificate of loss of an image in an archive, found beside its pixels, in lines to read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

# An image lies in its archive no deeper below its attributes than this.
DEEPEST = 4
MAYBE = "perhaps lossy"


def find_certificate(source: str | Path | None) -> Mapping[str, Any] | None:
    """Return the certificate of the image that a layer was read from, None if there is none.

    Parameters
    ----------
    source : str or Path, optional
        What the layer was opened from: an image of an archive, or a resolution of it.
    """
    if not source:
        return None
    parsed = urlparse(str(source))
    # A single letter is a drive of Windows.
    if parsed.scheme == "file":
        source = unquote(parsed.path)
    elif len(parsed.scheme) > 1:
        return None
    path = Path(source).absolute()
    for folder in [path, *path.parents][: DEEPEST + 1]:
        try:
            document = json.loads((folder / "zarr.json").read_bytes())
        except (OSError, ValueError):
            continue
        attributes = document.get("attributes") if isinstance(document, dict) else None
        found = attributes.get("cytopress") if isinstance(attributes, dict) else None
        if isinstance(found, dict) and isinstance(found.get("history"), list):
            return found
    return None


def certificate_lines(certificate: Mapping[str, Any]) -> list[str]:
    """Return what was done to the pixels, the latest last, one line a channel."""
    lossy = certificate.get("lossy")
    lines = ["With loss." if lossy else "Without loss: every pixel is that of the source."]
    for entry in certificate.get("history", ()):
        if isinstance(entry, Mapping):
            lines += _entry(entry)
    return lines


def _entry(entry: Mapping[str, Any]) -> Iterator[str]:
    channels = entry.get("channels")
    if not isinstance(channels, list):
        lossy = entry.get("lossy")
        known = "with loss" if lossy is True else "without loss" if lossy is False else MAYBE
        yield f"Before: {entry.get('method', 'coded')}, {known}."
        return
    source = entry.get("source")
    name = source.get("name") if isinstance(source, Mapping) else None
    yield f"{entry.get('software', 'cytopress')}, from {name or 'an unnamed source'}:"
    for channel in channels:
        if isinstance(channel, Mapping):
            yield _channel(channel)


def _channel(channel: Mapping[str, Any]) -> str:
    text = f"{channel.get('label') or 'all channels'}: {channel.get('codec') or 'lossless'}"
    if _is_number(channel.get("ratio")):
        text += f", {channel['ratio']:.3g} times smaller"
    error = channel.get("error")
    error = error if isinstance(error, Mapping) else {}
    if error.get("max") == 0:
        return f"{text}, every pixel exact"
    for key, form in (
        ("max", "largest error {:.4g} counts"),
        ("rmse", "RMSE {:.3g} counts"),
        ("worst_chunk_rmse", "{:.3g} in the worst chunk"),
        ("psnr", "PSNR {:.1f} dB"),
        ("noise_sigma", "{:.3g} of the noise"),
    ):
        if _is_number(error.get(key)):
            text += f", {form.format(error[key])}"
    return text


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
