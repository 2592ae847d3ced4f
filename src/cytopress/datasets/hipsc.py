"""Downloads from the Allen Institute's hiPSC dataset: bright-field and a tagged structure.

The public bucket ``allencell`` holds the package ``aics/hipsc_single_cell_image_dataset``: a table
of cells, ``metadata.csv``, and one multi-channel OME-TIFF stack for each field of view (hundreds of
megabytes). Of each field, the bright-field channel becomes the input and the structure's channel
the target; the columns ``ChannelNumberBrightfield`` and ``ChannelNumberStruct`` number them from 0.
Images of one plate share a day, a culture and a camera setting, so the group is ``PlateId``.

The choice of fields does not depend on the order of the table: they are sorted by a digest of their
number, so that a smaller choice is always part of a larger one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cytopress.callbacks import Progress
from cytopress.datasets.download import download, join_url
from cytopress.datasets.folder_form import write_form
from cytopress.digests import digest_text
from cytopress.errors import DatasetError, ImageError, UsageError
from cytopress.formats.images import read_one, read_shape, write
from cytopress.image import Image

BUCKET = "https://allencell.s3.amazonaws.com/aics/hipsc_single_cell_image_dataset"
MOST_FIELDS = 500
SPACING_UM = (0.29, 0.108333, 0.108333)
COLUMNS = (
    "structure_name",
    "FOVId",
    "PlateId",
    "fov_path",
    "ChannelNumberBrightfield",
    "ChannelNumberStruct",
)
LINES: Mapping[str, str] = {
    "FBL": "fibrillarin (nucleoli)",
    "NPM1": "nucleophosmin (nucleoli)",
    "LMNB1": "lamin B1 (nuclear envelope)",
    "HIST1H2BJ": "histone H2B (chromatin)",
}


@dataclass(frozen=True)
class HipscDataset:
    """One dataset of the bucket: a cell line, as stacks or as their middle slices."""

    line: str
    stacks: bool

    @property
    def name(self) -> str:
        """The dataset's name, such as ``hipsc-fbl`` or ``hipsc-fbl-3d``."""
        return f"hipsc-{self.line.lower()}{'-3d' if self.stacks else ''}"

    @property
    def title(self) -> str:
        """One line for people."""
        form = "stacks" if self.stacks else "middle slices"
        return f"Human stem cells, bright-field to {LINES[self.line]}: {form}"


@dataclass(frozen=True)
class FieldOfView:
    """The columns of the table that are used, for one field of view."""

    number: int
    plate: str
    path: str
    brightfield: int
    structure: int


HIPSC_DATASETS: dict[str, HipscDataset] = {
    dataset.name: dataset
    for dataset in (HipscDataset(line, stacks) for line in LINES for stacks in (False, True))
}


def fetch(
    dataset: HipscDataset,
    folder: Path,
    *,
    base: str | None,
    limit: int | None,
    progress: Progress,
) -> None:
    """Fetch fields of view into ``folder`` and write the dataset form.

    A field that an earlier call fetched is not fetched again. The bucket has no checksums: a file
    that is incomplete or cannot be read is an error.

    Raises
    ------
    UsageError
        ``limit`` is not from 1 to 500.
    DatasetError
        The bucket cannot be reached, or does not have the form described above.
    """
    limit = MOST_FIELDS if limit is None else limit
    if not 1 <= limit <= MOST_FIELDS:
        raise UsageError(f"--limit must be 1 to {MOST_FIELDS} fields, not {limit}.")
    base = base or BUCKET
    (folder / "images").mkdir(exist_ok=True)
    table = folder / ".metadata.csv"
    progress(0, limit, "metadata.csv")
    download(join_url(base, "metadata.csv"), table)
    try:
        fields = choose(read_fields(table, dataset.line), limit)
    except DatasetError:
        # So that the next call downloads it again.
        table.unlink()
        raise
    for done, field in enumerate(fields):
        progress(done, len(fields), field.path)
        _fetch_field(dataset, field, folder, base)
    write_form(folder, _metadata(dataset), [_row(field) for field in fields])
    progress(len(fields), len(fields), "")


def read_fields(table: Path, line: str) -> list[FieldOfView]:
    """Return the fields of view of a cell line: one for each ``FOVId``; each cell has a row.

    Raises
    ------
    DatasetError
        The table lacks a column or the cell line, or a number is invalid.
    """
    with table.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise DatasetError(
                f"metadata.csv of the bucket has no column {', '.join(missing)}: it has changed."
            )
        fields = list(_unique(row for row in reader if row["structure_name"] == line))
    if not fields:
        raise DatasetError(f"metadata.csv of the bucket has no field of {line}.")
    return fields


def _unique(rows: Iterable[Mapping[str, str]]) -> Iterable[FieldOfView]:
    seen: set[int] = set()
    for row in rows:
        number = _integer(row, "FOVId")
        if number in seen:
            continue
        seen.add(number)
        yield FieldOfView(
            number,
            row["PlateId"].removesuffix(".0") or f"field-{number}",
            row["fov_path"],
            _integer(row, "ChannelNumberBrightfield"),
            _integer(row, "ChannelNumberStruct"),
        )


def _integer(row: Mapping[str, str], column: str) -> int:
    # pandas writes the integer 6 as 6.0 in a column with gaps.
    text = row[column].removesuffix(".0")
    if not text.isdecimal():
        raise DatasetError(
            f"metadata.csv of the bucket: {column} {row[column]!r} is not an integer."
        )
    return int(text)


def choose(fields: Iterable[FieldOfView], limit: int) -> list[FieldOfView]:
    """Return at most ``limit`` fields, always the same ones, in the order of their numbers."""
    shuffled = sorted(fields, key=lambda f: digest_text(str(f.number)))
    return sorted(shuffled[:limit], key=lambda f: f.number)


def _fetch_field(dataset: HipscDataset, field: FieldOfView, folder: Path, base: str) -> None:
    channels = {"input": field.brightfield, "target": field.structure}
    paths = {column: folder / _path(field, column) for column in channels}
    if all(path.exists() for path in paths.values()):
        return
    original = folder / f".original-{field.number}.ome.tiff"
    download(join_url(base, field.path), original)
    try:
        images = {
            column: _read_channel(dataset, original, channel)
            for column, channel in channels.items()
        }
    except (ImageError, UsageError) as error:
        original.unlink()
        raise DatasetError(f"{base}/{field.path}: {error} It was deleted.") from error
    for column, image in images.items():
        write(paths[column], [image])
    original.unlink()


def _read_channel(dataset: HipscDataset, original: Path, channel: int) -> Image:
    select: dict[str, int | str] = {"C": channel}
    planes = (1, *read_shape(original, select=select))[-3]
    if not dataset.stacks:
        select["Z"] = planes // 2
    pixels = read_one(original, select=select, of_dataset=True).pixels
    if dataset.stacks and planes == 1:
        pixels = pixels[None]
    return Image(pixels, spacing_um=SPACING_UM[-pixels.ndim :])


def _path(field: FieldOfView, column: str) -> str:
    return f"images/{field.number}_{column}.tif"


def _row(field: FieldOfView) -> dict[str, str]:
    return {
        "field": str(field.number),
        "group": field.plate,
        "input": _path(field, "input"),
        "target": _path(field, "target"),
    }


def _metadata(dataset: HipscDataset) -> dict[str, str | int | float]:
    return {
        "name": dataset.name,
        "title": dataset.title,
        "input": "bright-field",
        "target": LINES[dataset.line],
        "axes": "ZYX" if dataset.stacks else "YX",
        "bits": 16,
        "pixel_size_um": SPACING_UM[-1],
        "licence": "Allen Institute for Cell Science terms of use",
        "attribution": "Viana, Chen, Knijnenburg et al., Nature 613, 345-354 (2023),"
        " doi 10.1038/s41586-022-05563-7: aics/hipsc_single_cell_image_dataset",
        "notes": "group = plate: split by group. Planes are 0.29 um apart."
        + ("" if dataset.stacks else " The middle slice of each stack (plane number Z // 2)."),
    }
