"""Models that an array needs: by name, inside its metadata, in files beside it, or not at hand."""

import base64
import json
import time
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore, MemoryStore

import cytopress
from archive.conftest import LEARNED, made_elsewhere, written
from cytopress.archive.zarr_codec import CytopressCodec
from cytopress.digests import digest_bytes
from cytopress.errors import PackageError


def configuration(store: MemoryStore) -> dict:
    document = json.loads(store._store_dict["zarr.json"].to_bytes())
    return document["codecs"][0]["configuration"]


def sha256_of(folder: Path) -> str:
    (file,) = folder.glob("*.cytomodel")
    return digest_bytes(file.read_bytes())


def decoded(cells: np.ndarray, folder: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Return the cells as the codec by itself decodes them, in chunks of 64 pixels."""
    with monkeypatch.context() as here:
        here.setenv("CYTOPRESS_MODELS", str(folder))
        whole = np.empty_like(cells)
        for y in (0, 64):
            for x in (0, 64):
                place = (0, 0, 0, slice(y, y + 64), slice(x, x + 64))
                image = cytopress.Image(cells[place], bits=12)
                data = cytopress.encode(image, LEARNED, limits=(300, 1500))
                whole[place] = cytopress.decode(data).pixels
        return whole


def test_the_metadata_name_the_model_by_its_sha256(
    cells: np.ndarray, elsewhere: Path, with_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = made_elsewhere(cells, elsewhere)
    (file,) = elsewhere.glob("*.cytomodel")
    assert configuration(store)["models"] == [
        {
            "name": "learned/elsewhere",
            "sha256": sha256_of(elsewhere),
            "bytes": file.stat().st_size,
        }
    ]
    monkeypatch.setenv("CYTOPRESS_MODELS", str(elsewhere))
    found = zarr.open_array(store, mode="r")[:]
    np.testing.assert_array_equal(found, decoded(cells, elsewhere, monkeypatch))


@pytest.mark.parametrize(
    ("travel", "advice"),
    [
        (
            "named",
            "run `cytopress models add FILE` with its .cytomodel file, or name its folder in .*",
        ),
        ("carried", "run `cytopress models add ARCHIVE` with .* this data set, which carries it"),
    ],
)
def test_a_missing_model_is_one_sentence_with_the_command_that_helps(
    cells: np.ndarray, elsewhere: Path, without_models: Path, travel: str, advice: str
) -> None:
    array = zarr.open_array(made_elsewhere(cells, elsewhere, models=travel))
    assert array.shape == cells.shape
    named = f"The model of learned/elsewhere with sha256 {sha256_of(elsewhere)}, which coded this"
    with pytest.raises(PackageError, match=f"^{named} array, is not on this machine; {advice}.$"):
        array[:]
    with pytest.raises(PackageError, match=named):
        array[:] = 5


def test_a_model_that_comes_later_is_found(
    cells: np.ndarray, elsewhere: Path, without_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = zarr.open_array(made_elsewhere(cells, elsewhere), mode="r")
    with pytest.raises(PackageError):
        array[:]
    monkeypatch.setenv("CYTOPRESS_MODELS", str(elsewhere))
    assert array[:].max() > 0


def test_a_model_inside_the_metadata_needs_no_folder(
    cells: np.ndarray, elsewhere: Path, without_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = made_elsewhere(cells, elsewhere, models="inline")
    (file,) = elsewhere.glob("*.cytomodel")
    data = configuration(store)["models"][0]["data"]
    assert base64.b64decode(data) == file.read_bytes()
    for _ in range(2):  # the second time from the cache
        found = zarr.open_array(store, mode="r")[:]
        np.testing.assert_array_equal(found, decoded(cells, elsewhere, monkeypatch))
    (kept,) = (without_models / "models").iterdir()
    assert kept.name == f"{sha256_of(elsewhere)}.cytomodel"
    # Also written to: the model that coded is the one that goes on coding.
    zarr.open_array(store)[0, 0, 0, :64, :64] = cells[0, 0, 0, :64, :64]
    np.testing.assert_array_equal(zarr.open_array(store, mode="r")[:], found)


def test_a_model_that_is_being_unpacked_is_not_found_yet(
    cells: np.ndarray, elsewhere: Path, without_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = zarr.open_array(made_elsewhere(cells, elsewhere, models="inline"), mode="r")
    folder, write = without_models / "models", Path.write_bytes

    def watched(path: Path, data: bytes) -> int:
        size = write(path, data)
        seen.append(list(folder.glob("*.cytomodel")))
        time.sleep(0.05)
        return size

    seen: list[list[Path]] = []
    monkeypatch.setattr(Path, "write_bytes", watched)
    array[:]
    assert seen[0] == []
    assert [path.name for path in folder.iterdir()] == [f"{sha256_of(elsewhere)}.cytomodel"]


def test_a_model_inside_the_metadata_can_be_refused(
    cells: np.ndarray, elsewhere: Path, without_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYTOPRESS_INLINE_MODELS", "0")
    array = zarr.open_array(made_elsewhere(cells, elsewhere, models="inline"), mode="r")
    with pytest.raises(PackageError, match="is not on this machine"):
        array[:]
    assert not without_models.exists()


@pytest.mark.parametrize("damage", ["other", "text", "number"])
def test_a_damaged_model_inside_the_metadata_is_refused(
    cells: np.ndarray, elsewhere: Path, without_models: Path, damage: str
) -> None:
    store = made_elsewhere(cells, elsewhere, models="inline")
    document = json.loads(store._store_dict["zarr.json"].to_bytes())
    reference = document["codecs"][0]["configuration"]["models"][0]
    other = base64.b64encode(base64.b64decode(reference["data"])[:-1] + b"?").decode()
    reference["data"] = {"other": other, "text": "%%%", "number": 7}[damage]
    buffer = zarr.core.buffer.default_buffer_prototype().buffer
    store._store_dict["zarr.json"] = buffer.from_bytes(json.dumps(document).encode())
    with pytest.raises(PackageError, match="inside this array's metadata is damaged"):
        zarr.open_array(store, mode="r")[:]
    assert not list(without_models.rglob("*.cytomodel"))


def test_dask_reads_chunks_and_passes_the_sentence_on(
    cells: np.ndarray, elsewhere: Path, without_models: Path, tmp_path: Path
) -> None:
    da = pytest.importorskip("dask.array")
    lossless = CytopressCodec.from_spec("jpegls", bits=12)
    store = written(cells, lossless, store=LocalStore(tmp_path / "lossless"), shard=64)
    lazy = da.from_zarr(zarr.open_array(store, mode="r"))
    np.testing.assert_array_equal(lazy.compute(scheduler="threads", num_workers=2), cells)
    store = made_elsewhere(cells, elsewhere, models="carried")
    with pytest.raises(PackageError, match="run `cytopress models add ARCHIVE`"):
        da.from_zarr(zarr.open_array(store, mode="r")).compute()


def image_group(folder: Path, cells: np.ndarray, elsewhere: Path) -> Path:
    """Write an OME-Zarr 0.5 image whose level is coded by a model that is not at hand."""
    axes = [{"name": name, "type": kind} for name, kind in (("t", "time"), ("c", "channel"))]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0, 0.5, 0.5]}]
    level = {"path": "0", "coordinateTransformations": scale}
    path = folder / "field.ome.zarr"
    multiscales = [{"axes": axes, "datasets": [level], "name": "field"}]
    channel = {"label": "BF", "color": "FFFFFF", "window": {"start": 0, "end": 1}}
    ome = {"version": "0.5", "multiscales": multiscales, "omero": {"channels": [channel]}}
    zarr.create_group(path, attributes={"ome": ome})
    made_elsewhere(cells, elsewhere, LocalStore(path / "0"), models="carried")
    return path


def test_readers_open_the_image_and_pass_the_sentence_on(
    cells: np.ndarray,
    elsewhere: Path,
    without_models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = image_group(tmp_path, cells, elsewhere)
    readers = [_by_bioio, _by_ome_zarr, _by_napari]
    opened = [found for found in (reader(path) for reader in readers) if found is not None]
    if not opened:
        pytest.skip("needs bioio, ome-zarr or napari-ome-zarr")
    for lazy in opened:
        assert lazy.shape == cells.shape
        with pytest.raises(PackageError, match="run `cytopress models add ARCHIVE`"):
            lazy.compute()
    monkeypatch.setenv("CYTOPRESS_MODELS", str(elsewhere))
    for lazy in opened:
        found = lazy.compute()
        np.testing.assert_array_equal(found, decoded(cells, elsewhere, monkeypatch))


def _by_bioio(path: Path) -> object:
    try:
        from bioio import BioImage
        from bioio_ome_zarr import Reader
    except ImportError:
        return None
    return BioImage(path, reader=Reader).dask_data


def _by_ome_zarr(path: Path) -> object:
    try:
        from ome_zarr.io import parse_url
        from ome_zarr.reader import Reader
    except ImportError:
        return None
    return next(iter(Reader(parse_url(path))())).data[0]


def _by_napari(path: Path) -> object:
    try:
        from napari_ome_zarr import napari_get_reader
    except ImportError:
        return None
    (layer, *_) = napari_get_reader(str(path))(str(path))
    data = layer[0][0] if isinstance(layer[0], list) else layer[0]
    # It splits channels off into layers.
    return data if data.ndim == 5 else data[:, None]
