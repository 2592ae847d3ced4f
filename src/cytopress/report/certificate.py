"""Page of an archive's certificate of loss: one self-contained HTML file, to read and to sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytopress.figures import shown_bytes
from cytopress.image import Image
from cytopress.report.pictures import (
    display_range,
    error_picture,
    error_scale,
    grey_picture,
    scale_bar,
)
from cytopress.report.templates import environment, styles

STYLES = ("page.css", "certificate.css", "print.css")
# Images that the page lists; all are in the JSON file.
LISTED = 200
READERS = {
    "cytopress": "Programs that read OME-Zarr through zarr-python (napari, bioio, dask, zarr) with"
    " cytopress installed beside them: pip install cytopress.",
    "everyone": "Every program that reads zarr version 3 with sharding, without cytopress.",
    "fiji": "Every program that reads zarr version 3, also without sharding, without cytopress."
    " It was not tested in Fiji.",
}


@dataclass(frozen=True, eq=False)
class WorstChunk:
    """The chunk of a channel with the largest error: a plane of it, original and decoded.

    ``number`` is the place of the channel among the certificate's.
    """

    number: int
    original: Image
    decoded: Image


@dataclass(frozen=True, kw_only=True)
class ChunkPictures:
    """Pictures of a channel's worst chunk as data URIs, over one display range.

    ``bar`` is the length of the scale bar as a share of the width, ``limit`` the counts at the end
    of the difference's color scale.
    """

    channel: Mapping[str, Any]
    original: str
    decoded: str
    difference: str
    limit: float
    bar: float
    bar_label: str
    pixels: str


def certificate_page(
    document: Mapping[str, Any], *, name: str, chunks: Sequence[WorstChunk]
) -> str:
    """Return the page of a certificate as HTML.

    Parameters
    ----------
    document : mapping
        The certificate of an archive, as `cytopress.archive.certificate` writes it.
    name : str
        Name of the archive.
    chunks : sequence of WorstChunk
        Of the channels that are pictured.

    Raises
    ------
    NotAvailableError
        The extra ``report`` is not installed.
    """
    made = environment()
    from markupsafe import Markup

    made.filters["bytes"] = shown_bytes
    made.filters |= {
        "channel": lambda one: one["label"] or "unnamed channel",
        "promise": promise_text,
        "place": _place,
    }
    return made.get_template("certificate.html").render(
        certificate=document,
        name=name,
        readers=READERS[document["readers"]],
        chunks=[_pictures(document["channels"][one.number], one) for one in chunks],
        listed=list(document["images"].items())[:LISTED],
        css=Markup(styles(STYLES)),  # noqa: S704 - ours
    )


def promise_text(channel: Mapping[str, Any]) -> str:
    """Return what was promised of a channel, as a sentence."""
    promise = channel["promise"]
    if promise is None:
        return "Every pixel is kept exactly."
    chunk, shard = (
        None if promise[key] is None else f"{promise[key]:.3g}" for key in ("chunk", "shard")
    )
    if promise["kind"] == "max_error":
        return f"No pixel differs by more than {chunk} counts."
    if promise["kind"] == "psnr":
        counts = f"{promise['data_range']:.6g}"
        whole = f"PSNR of every field at least {shard} dB, of a" if shard else "PSNR of every"
        return f"{whole} single chunk at least {chunk} dB, over a range of {counts} counts."
    unit = "times the noise of the camera" if promise["kind"] == "sigma" else "counts"
    whole = f"Error (RMSE) of every field at most {shard} {unit}, of a" if shard else ""
    return f"{whole or 'Error (RMSE) of every'} single chunk at most {chunk} {unit}."


def _place(worst: Mapping[str, Any]) -> str:
    """Return where a chunk is, leaving out axes of its first position."""
    names = zip(("time", "z", "row", "column"), (worst["at"][i] for i in (0, 2, 3, 4)), strict=True)
    return ", ".join(f"{axis} {at}" for axis, at in names if at or axis in ("row", "column"))


def _pictures(channel: Mapping[str, Any], one: WorstChunk) -> ChunkPictures:
    shown = display_range(one.original)
    scale = error_scale([(one.original, one.decoded)])
    length, label = scale_bar(one.original)
    rows, columns = one.original.shape
    return ChunkPictures(
        channel=channel,
        original=grey_picture(one.original, shown),
        decoded=grey_picture(one.decoded, shown),
        difference=error_picture(one.original, one.decoded, scale.limit),
        limit=scale.limit,
        bar=length / columns,
        bar_label=label,
        pixels=f"{columns} x {rows} pixels",
    )
