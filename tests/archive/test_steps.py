"""The steps of an archive, called as in a notebook."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from fakes.archives import in_this_process


def test_the_package_stays_light() -> None:
    heavy = ("zarr", "yaozarrs", "imagecodecs", "pydantic")
    code = (
        "import sys, cytopress.archive; from cytopress.archive import __all__ as names;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_name_is_there() -> None:
    pytest.importorskip("yaozarrs")
    import cytopress.archive

    for name in cytopress.archive.__all__:
        assert getattr(cytopress.archive, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = cytopress.archive.nothing


def test_an_archive_is_made_checked_and_brought_back(
    tmp_path: Path, cells: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("yaozarrs")
    from cytopress import archive

    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)
    tifffile.imwrite(tmp_path / "field.tif", cells[0, 0, 0])
    out = str(tmp_path / "store")
    plan, notes = archive.plan_archive(
        [str(tmp_path / "field.tif")], out, archive.Wanted(codec="jpegls:max_error=3", chunk=64)
    )
    assert (len(plan.images), notes) == (1, [])
    before = archive.archive_status(out)
    assert (before.shards, before.written, before.coded_bytes) == (1, 0, 0)
    seen: list[int] = []
    assert archive.run_archive(out, progress=lambda done, whole, name: seen.append(done)).complete
    assert seen[-1] == cells.nbytes
    after = archive.archive_status(out)
    assert (after.shards, after.written, after.failures) == (1, 1, {})
    shard = tmp_path / "store/field.ome.zarr/0/c/0/0/0/0/0"
    assert after.coded_bytes == shard.stat().st_size
    assert archive.verify_archive(out, depth="full", against=tmp_path / "field.tif").passed
    decoded = zarr.open_array(tmp_path / "store/field.ome.zarr/0", mode="r")[:]
    error = np.abs(decoded.astype(int) - cells).max()
    certificate = archive.archive_certificate(out)
    (channel,) = certificate["images"]["field.ome.zarr"]["channels"]
    assert channel["error"]["max"] == error > 0
    assert archive.export_archive(out, tmp_path / "back") == 1
    np.testing.assert_array_equal(
        tifffile.imread(tmp_path / "back/field.ome.tif"), decoded[0, 0, 0]
    )
