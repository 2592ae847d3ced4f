"""Stacks of sources: parts of large ones are read alone, and are those of the whole."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.archive import sampling, stacks
from cytopress.archive.costs import costs_of
from cytopress.archive.plan import PLAN
from cytopress.archive.planning import make_plan
from cytopress.archive.wanted import Wanted

pytest.importorskip("yaozarrs")
FORMS = {
    "tiles": {"tile": (64, 64), "compression": "zlib"},
    "strips": {"rowsperstrip": 16, "compression": "zlib"},
    "flat": {},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_large_source_is_planned_by_its_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: dict[str, object]
) -> None:
    y, x = np.mgrid[:1000, :1500]
    light = 900 + 400 * np.sin(x / 9) * np.cos(y / 7)
    pixels = np.random.default_rng(0).normal(light, 9).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, **form)
    # So that this plane is a large one, of which four parts tell limits.
    monkeypatch.setattr(sampling, "PARTS", 4)
    monkeypatch.setattr(sampling, "PART", 100)
    wanted = Wanted(codec="jpegls:psnr=50", chunk=128, memory=302_200_000)
    at_once, _ = make_plan([tmp_path / "a.tif"], tmp_path / "out", wanted)
    monkeypatch.setattr(stacks, "WHOLE", 0)
    sizes: list[int] = []
    load = stacks.load

    def noted(scene, t, c, planes, rows, columns):  # type: ignore[no-untyped-def]
        found = load(scene, t, c, planes, rows, columns)
        sizes.append(math.prod(found.shape))
        return found

    monkeypatch.setattr(stacks, "load", noted)
    by_parts, _ = make_plan([tmp_path / "a.tif"], tmp_path / "other", wanted)
    costs_of(by_parts)
    assert by_parts == at_once
    assert (tmp_path / "out" / PLAN).read_bytes() == (tmp_path / "other" / PLAN).read_bytes()
    shard = math.prod(at_once.images[0].level_shard(0))
    assert len(sizes) > 4
    assert max(sizes) <= max(shard, 128 * 128) < pixels.size
