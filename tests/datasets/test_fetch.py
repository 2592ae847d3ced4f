import csv
import hashlib
import multiprocessing
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from cytopress.datasets import download, published
from cytopress.datasets.catalogue import ALIASES, KNOWN_DATASETS, dataset
from cytopress.datasets.fetch import fetch
from cytopress.datasets.hipsc import HIPSC_DATASETS
from cytopress.datasets.published import PUBLISHED, PublishedDataset
from cytopress.errors import DatasetError, UnknownNameError, UsageError
from cytopress.settings import Settings, from_environment

pytestmark = pytest.mark.network


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WAIT_S", 0.0)


@pytest.fixture
def originals(
    tmp_path: Path, server: Any, make_dataset: Any, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Publish larger originals of a dataset, and a mirror of the dataset; return the dataset.

    One original is grey, the other has the same grey three times, as RGB.
    """
    folder: Path = make_dataset(server.folder / "ecoli-phase", name="ecoli-phase")
    table = tmp_path / "published" / "ecoli-phase"
    table.mkdir(parents=True)
    for form in ("dataset.toml", "pairs.csv"):
        (table / form).write_bytes((folder / form).read_bytes())
    rows = []
    random = np.random.default_rng(9)
    for number, path in enumerate(sorted((folder / "images").iterdir())):
        pixels = tifffile.imread(path)
        original = random.integers(0, 255, (20, 30), dtype=np.uint16)
        original[3:8, 11:18] = pixels
        # The landmark stands elsewhere too: only the digest tells which is right.
        original[15, 1:5] = pixels[2, 1:5]
        source = f"figure 1/{path.stem}.{'tif' if number else 'png'}"
        (server.folder / "figure 1").mkdir(exist_ok=True)
        if number:
            both = np.stack([original] * 3, -1) if number == 1 else original
            tifffile.imwrite(server.folder / source, both, photometric=["rgb", None][number > 1])
        else:
            imageio.imwrite(server.folder / source, original)
        rows.append(
            {
                "path": f"images/{path.name}",
                "size": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "pixels": hashlib.sha256(pixels.tobytes()).hexdigest(),
                "source": source,
                "y": 2,
                "x": 1,
                "landmark": pixels[2, 1:5].tobytes().hex(),
            }
        )
    with (table / "files.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    monkeypatch.setattr(published, "FOLDER", table.parent)
    known = PublishedDataset("ecoli-phase", server.url, (5, 7), "uint16")
    monkeypatch.setitem(PUBLISHED, "ecoli-phase", known)
    return folder


def assert_fetched(folder: Path, original: Path) -> None:
    assert {p.name for p in folder.iterdir()} == {"dataset.toml", "pairs.csv", "images"}
    for path in (original / "images").iterdir():
        np.testing.assert_array_equal(tifffile.imread(folder / "images" / path.name),
                                      tifffile.imread(path))  # fmt: skip


def test_originals_are_cut_and_checked(originals: Path, server: Any, settings: Settings) -> None:
    reports: list[tuple[int, int, str]] = []
    folder = fetch("ecoli-phase", settings=settings, progress=lambda *now: reports.append(now))
    assert_fetched(folder, originals)
    assert reports[0] == (0, 4, "images/a_input.tif")
    assert reports[-1] == (4, 4, "")
    assert dataset("ecoli-phase", settings).folder == folder
    server.requests.clear()
    assert fetch("ecoli-phase", settings=settings) == folder
    assert server.requests == []


def test_a_mirror_gives_the_files_as_they_are(
    originals: Path, server: Any, settings: Settings
) -> None:
    folder = fetch("ecoli-phase", settings=settings, mirror=f"{server.url}/")
    for path in (originals / "images").iterdir():
        assert (folder / "images" / path.name).read_bytes() == path.read_bytes()
    assert (folder / "pairs.csv").read_bytes() == (originals / "pairs.csv").read_bytes()


def test_what_was_fetched_before_a_failure_is_kept(
    originals: Path, server: Any, settings: Settings
) -> None:
    missing = server.folder / "figure 1/b_input.tif"
    data = missing.read_bytes()
    missing.unlink()
    with pytest.raises(DatasetError, match=r"404 Not Found.*--mirror URL.*CYTOPRESS_DATA"):
        fetch("ecoli-phase", settings=settings)
    with pytest.raises(DatasetError, match="datasets fetch ecoli-phase"):
        dataset("ecoli-phase", settings)
    missing.write_bytes(data)
    server.requests.clear()
    assert_fetched(fetch("ecoli-phase", settings=settings), originals)
    assert [path for path, _ in server.requests] == [
        "/figure 1/b_input.tif",
        "/figure 1/b_target.tif",
    ]


def test_an_original_that_changed_is_refused(
    originals: Path, server: Any, settings: Settings
) -> None:
    path = server.folder / "figure 1/b_input.tif"
    pixels = tifffile.imread(path)
    pixels[7, 17] += 1
    tifffile.imwrite(path, pixels)
    with pytest.raises(DatasetError, match=r"does not hold the image images/b_input\.tif any more"):
        fetch("ecoli-phase", settings=settings)
    path.write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(DatasetError, match="no image"):
        fetch("ecoli-phase", settings=settings)


def test_a_mirror_that_changed_is_refused(originals: Path, server: Any, settings: Settings) -> None:
    path = originals / "images/a_input.tif"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DatasetError, match="sha256"):
        fetch("ecoli-phase", settings=settings, mirror=server.url)


def _fetch(settings: Settings, url: str, results: "multiprocessing.Queue[str]") -> None:
    results.put(str(fetch("nuclei-brightfield", settings=settings, mirror=url)))


@pytest.mark.data
def test_two_processes_fetch_the_real_files_once(
    server: Any, settings: Settings, tmp_path: Path
) -> None:
    data = from_environment().data
    if data is None or not (data / "nuclei-brightfield").is_dir():
        pytest.skip("needs nuclei-brightfield in CYTOPRESS_DATA")
    (server.folder / "nuclei-brightfield").symlink_to(data / "nuclei-brightfield")
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_fetch, args=(settings, server.url, results)) for _ in "ab"]
    for worker in workers:
        worker.start()
    folders = {results.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join(10)
    assert len(folders) == 1
    assert len(server.requests) == 68
    found = dataset("nuclei-brightfield", settings)
    assert len(found.fields) == 34


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_tables_describe_the_real_files(name: str, tmp_path: Path) -> None:
    data = from_environment().data
    if data is None or not (data / name).is_dir():
        pytest.skip(f"needs {name} in CYTOPRESS_DATA")
    known = PUBLISHED[name]
    files = known.files()
    for form in ("dataset.toml", "pairs.csv"):
        assert (known.folder / form).read_bytes() == (data / name / form).read_bytes()
    with (data / name / "pairs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {file.path for file in files} == {row[c] for row in rows for c in ("input", "target")}
    assert len({file.source for file in files}) == len(files)
    for file in files[::7]:
        path = data / name / file.path
        assert path.stat().st_size == file.size
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
        assert known.image(path, file).shape == known.shape


def test_what_cannot_be_fetched(settings: Settings) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ecoli-phase'"):
        fetch("ecoli-phas", settings=settings)
    with pytest.raises(UsageError, match="begins with http"):
        fetch("ecoli-phase", settings=settings, mirror="/some/folder")
    with pytest.raises(UsageError, match="hipsc only"):
        fetch("ecoli-phase", settings=settings, limit=3)


def test_every_known_dataset_can_be_had() -> None:
    here = {name for name, known in KNOWN_DATASETS.items() if known.cut or known.simulate}
    assert here | set(PUBLISHED) | set(HIPSC_DATASETS) | set(ALIASES) == set(KNOWN_DATASETS)
    assert set(ALIASES.values()) <= set(KNOWN_DATASETS)
