"""A small dataset of blobs on a background: a codec learns something of it in a few steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from cytopress.settings import Settings

FACTS = """name = "cells"
title = "Made cells"
input = "made light"
target = "made fluorescence"
axes = "YX"
bits = 16
licence = "CC0-1.0"
attribution = "made in a test"
[split]
test = ["c"]
validation = ["b"]
"""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small arrays are computed sooner by one thread, above all beside other work."""
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:
        yield
    else:
        with threadpool_limits(1):
            yield


@pytest.fixture
def cells(tmp_path: Path) -> Settings:
    """Settings whose data folder holds the dataset ``cells``, 80 x 96 pixels a field."""
    folder = tmp_path / "data" / "cells"
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text(FACTS)
    rows = ["field,group,input,target"]
    for number, group in enumerate("aabc"):
        random = np.random.default_rng(number)
        light = ndimage.gaussian_filter(random.normal(size=(80, 96)), 3)
        counts = np.clip(1000 + 4000 * light + random.normal(0, 9, light.shape), 0, 60000)
        for kind in ("input", "target"):
            tifffile.imwrite(folder / f"{number}_{kind}.tif", counts.astype(np.uint16))
        rows.append(f"f{number},{group},{number}_input.tif,{number}_target.tif")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return Settings(tmp_path / "data", (), tmp_path / "cache", tmp_path / "user")
