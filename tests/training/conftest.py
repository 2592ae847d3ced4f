"""A small dataset whose target is a blurred edge of its input: learnable in a few steps."""

from __future__ import annotations

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


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose data folder holds the dataset ``cells``."""
    folder = tmp_path / "data" / "cells"
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text(FACTS)
    rows = ["field,group,input,target"]
    for number, group in enumerate("aaabcc"):
        random = np.random.default_rng(number)
        source = ndimage.gaussian_filter(random.normal(size=(44, 52)), 2)
        target = ndimage.gaussian_laplace(source, 1.5)
        for kind, values, scale in (("input", source, 3000), ("target", target, 20000)):
            counts = np.clip(1000 + scale * values, 0, 60000).astype(np.uint16)
            tifffile.imwrite(folder / f"{number}_{kind}.tif", counts)
        rows.append(f"f{number},{group},{number}_input.tif,{number}_target.tif")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return Settings(tmp_path / "data", (), tmp_path / "cache", tmp_path / "user")
