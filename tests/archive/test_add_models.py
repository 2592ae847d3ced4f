"""Models that travel with an archive, on a machine that lacks them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from archive.conftest import LEARNED
from cytopress.archive import codec_configuration, inspecting
from cytopress.cli import main
from cytopress.digests import digest_bytes
from cytopress.errors import PackageError
from fakes.archives import in_this_process


@pytest.fixture
def store(
    tmp_path: Path, cells: np.ndarray, with_model: None, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return an archive of one image, coded by a learned codec of this machine."""
    pytest.importorskip("yaozarrs")
    from cytopress.archive.planning import make_plan
    from cytopress.archive.run import run
    from cytopress.archive.wanted import Wanted

    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)
    monkeypatch.setattr(inspecting, "SMALL", 100)
    tifffile.imwrite(tmp_path / "field.tif", cells[0, 0, 0])
    out = tmp_path / "my store"
    make_plan([tmp_path / "field.tif"], out, Wanted(codec=LEARNED, chunk=64))
    assert run(out).complete
    # As on another machine.
    monkeypatch.delenv("CYTOPRESS_MODELS")
    monkeypatch.setenv("CYTOPRESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    codec_configuration.chunk_coding.cache_clear()
    return out


def run_command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as leave:
        main([str(argument) for argument in arguments])
    return int(leave.value.code or 0)


@pytest.mark.parametrize("given", ["archive", "image", "folder", "file"])
def test_an_archive_reads_where_its_models_are_added(
    store: Path, cells: np.ndarray, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    array = zarr.open_array(store / "field.ome.zarr" / "0", mode="r")
    with pytest.raises(PackageError, match="run `cytopress models add ARCHIVE` with the folder"):
        array[:]
    folder = store / "cytopress" / "models"
    (file,) = folder.iterdir()
    source = {
        "archive": store,
        "image": store / "field.ome.zarr",
        "folder": shutil.copytree(folder, store.parent / "kept"),
        "file": file,
    }[given]
    assert run_command("models", "add", source) == 0
    assert capsys.readouterr().out == "added learned/elsewhere\n"
    error = array[:].astype(float) - cells
    assert 0 < np.sqrt(np.mean(error**2)) < 30
    assert run_command("models") == 0
    assert "learned/elsewhere" in capsys.readouterr().out


@pytest.mark.parametrize("bad", ["damaged", "another", "none", "nowhere", "no package"])
def test_what_is_no_model_of_the_archive_is_refused_in_one_sentence(
    store: Path, bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (file,) = (store / "cytopress" / "models").iterdir()
    source, sentence = store, "is damaged"
    if bad == "damaged":
        file.write_bytes(file.read_bytes()[:-100])
        sentence = "is not a whole model package"
    elif bad == "another":
        file.rename(file.with_stem("0" * 64))
    elif bad == "none":
        file.unlink()
        sentence = "holds no model package"
    elif bad == "nowhere":
        source, sentence = store / "there", "there is no such file or folder"
    else:
        source = store / "SHA256SUMS"
        sentence = "is not a whole model package"
    assert run_command("models", "add", source) != 0
    error = capsys.readouterr().err
    assert error.startswith("cytopress: ")
    assert sentence in error
    assert error.count("\n") == 1
    assert not list((store.parent / "data").rglob("*.cytomodel"))


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_a_second_model_of_a_name_is_told(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cytopress.codecs.registry import find_family
    from fakes.learned_packages import remade

    package = remade(find_family("learned/cytopress-2d").package, tmp_path, manifest={"note": "x"})
    assert run_command("models", "add", package.path) == 0
    assert "There is another model of the name learned/cytopress-2d" in capsys.readouterr().err
    (added,) = (tmp_path / "data").rglob("*.cytomodel")
    assert added.stem == digest_bytes(package.path.read_bytes())
