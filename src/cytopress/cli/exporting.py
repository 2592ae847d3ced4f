"""``encode -o FILE.ome.tif``: an OME-TIFF that other programs open, and what was read back."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from cytopress.cli.pipes import STREAM, output_file, print_written, source_file
from cytopress.cli.progress_bars import coding
from cytopress.errors import UsageError
from cytopress.figures import figure, metadata_matter, ratio_text
from cytopress.settings import Settings

if TYPE_CHECKING:
    from cytopress.cli.recommended import Specs
    from cytopress.files import EncodedFile
    from cytopress.files.exported import ExportedFile
    from cytopress.formats.selection import Selection

TIFFS = (".ome.tif", ".tif", ".tiff")


class Readers(StrEnum):
    """Who opens an exported file."""

    everyone = "everyone"
    tifffile = "tifffile"


def export(
    image: Path,
    output: Path,
    specs: Specs,
    *,
    select: Selection | None,
    axes: str | None,
    readers: Readers,
    settings: Settings,
) -> None:
    """Encode a file to an OME-TIFF, and print how far its pixels are from the original.

    Raises
    ------
    UsageError
        The output is no TIFF file; and as `export_tiff`.
    """
    from cytopress.files.export_tiff import export_tiff
    from cytopress.files.tiff_request import tiff_codecs

    if output != STREAM and output.suffix.lower() not in TIFFS:
        raise UsageError(f"{output}: --readers is for TIFF files; name the output FILE.ome.tif.")
    codecs = tiff_codecs(
        specs.texts, settings, readers=readers.value, name=image.name, optional=specs.optional
    )
    with (
        coding(f"Encoding {image.name}") as progress,
        source_file(image) as source,
        output_file(output, TIFFS) as path,
    ):
        exported = export_tiff(
            source, path, codecs, select=select, axes=axes, settings=settings, progress=progress
        )
    print_written(output, f"{summary(exported)}\n{_errors(exported)}")


def _errors(exported: ExportedFile) -> str:
    """Return how far what was read back is from the original."""
    if all(image.max_error == 0 for image in exported.images):
        return "  read back with tifffile: every pixel is exact"
    largest = max(image.max_error for image in exported.images)
    rmse = max(image.rmse for image in exported.images)
    text = (
        f"  read back with tifffile: pixels are off by up to {largest:.6g} counts,"
        f" root-mean-square {figure(rmse)} counts"
    )
    lines = [text]
    for image in exported.images:
        target = image.stored.target
        if target is not None and target.kind != "ratio":
            label = f"{image.place.label}: " if image.place.label else ""
            lines.append(f"    {label}{target.kind}={target.value:g} asked, {image.reached:.6g}")
    return "\n".join(lines)


def summary(encoded: EncodedFile | ExportedFile) -> str:
    """Return sizes, ratio and codecs of a file that was coded; of several images, by channel."""
    raw, coded = encoded.raw_bytes, encoded.coded_bytes
    total = f"{raw} -> {coded} bytes, {ratio_text(raw / coded)} smaller"
    metadata = encoded.metadata_bytes
    if metadata_matter(raw, coded, metadata):
        pixels = coded - metadata
        total += f" (pixels {pixels} bytes, {ratio_text(raw / pixels)}; metadata {metadata} bytes)"
    if len(encoded.images) == 1:
        return f"{total}, {encoded.images[0].codec}"
    lines = [f"{len(encoded.images)} images, {total}"]
    groups = dict.fromkeys((one.place.channel_name, one.spec) for one in encoded.images)
    for name, spec in groups:
        of = [i for i in encoded.images if (i.place.channel_name, i.spec) == (name, spec)]
        raw, coded = sum(i.raw_bytes for i in of), sum(i.coded_bytes for i in of)
        lines.append(f"  {name}: {ratio_text(raw / coded)} smaller, {spec}")
    return "\n".join(lines)
