"""Fixtures of the io tests: settings that point into a temporary folder, and a tiny dataset."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cytopress.datasets.folder_form import write_form
from cytopress.formats.images import write
from cytopress.image import Image

FACTS = {
    "name": "tiny",
    "title": "Random pixels",
    "input": "left",
    "target": "right",
    "axes": "YX",
    "bits": 12,
    "pixel_size_um": 0.5,
    "licence": "CC0-1.0",
    "attribution": "made by a test",
}


MakeDataset = Callable[..., Path]


@pytest.fixture
def make_dataset(tmp_path: Path) -> MakeDataset:
    """Write a dataset of two fields in two groups; keywords change its facts, None leaves out."""

    def make(folder: Path | None = None, **changes: object) -> Path:
        folder = folder or tmp_path / "tiny"
        (folder / "images").mkdir(parents=True)
        random = np.random.default_rng(0)
        rows = []
        for name, group in (("a", "one"), ("b", "two")):
            row = {"field": name, "group": group}
            for column in ("input", "target"):
                row[column] = f"images/{name}_{column}.tif"
                pixels = random.integers(0, 4096, (5, 7), dtype=np.uint16)
                write(folder / row[column], [Image(pixels)])
            rows.append(row)
        facts = {key: fact for key, fact in {**FACTS, **changes}.items() if fact is not None}
        write_form(folder, facts, rows)  # type: ignore[arg-type]
        return folder

    return make
