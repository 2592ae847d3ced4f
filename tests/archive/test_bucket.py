"""Archives in a bucket, of a local S3: written, resumed, locked and verified as in a folder."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cytopress.archive import bucket as buckets
from cytopress.archive import bucket_client, bucket_lock, certificate
from cytopress.archive.bucket import Bucket
from cytopress.archive.planning import make_plan
from cytopress.archive.run import Part, run
from cytopress.archive.stores import store_of
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.errors import ImageError, StoreError, UsageError
from cytopress.formats import remote
from fakes.archive_sources import disks, write_v04
from fakes.archives import field, in_this_process, tree, write_fields
from fakes.s3_server import make_bucket, s3_server

pytest.importorskip("yaozarrs")
obstore = pytest.importorskip("obstore")
pytest.importorskip("moto.server")
pytestmark = [
    pytest.mark.network,
    # botocore and moto, not us.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
JPEGLS = Wanted(codec="jpegls:max_error=3", chunk=64)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def url(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a folder of a bucket of its own."""
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)
    name = tmp_path.name.replace("_", "-").lower()
    make_bucket(endpoint, name, monkeypatch)
    return f"s3://{name}/my plates/µ"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_fields(tmp_path / "in", 2)


def test_a_bucket_holds_the_archive_that_a_folder_would(source: Path, tmp_path, url: str) -> None:
    make_plan([source], tmp_path / "out", JPEGLS)
    assert run(tmp_path / "out").complete
    make_plan([source], url, JPEGLS)
    assert not run(url, part=Part(2, 2)).complete
    store = store_of(url)
    # As a path of the command line, which has lost a slash.
    assert run(Path(url), part=Part(1, 2)).complete
    assert tree(url) == tree(tmp_path / "out")
    # A lost shard, and rows of it in the ledger.
    key = next(key for key in tree(url) if "/0/c/0/1/" in key)
    store.delete(key)
    assert "is missing" in verify(url, depth="quick").failures[key]
    assert run(url, part=Part(1, 2)).complete
    assert run(url, part=Part(2, 2)).complete
    assert tree(url) == tree(tmp_path / "out")
    assert verify(url, depth="full", against=source).passed
    assert certificate.read(url)["lossy"]
    # Any reader, through fsspec.
    pytest.importorskip("s3fs")
    pixels = zarr.open_group(f"{url}/field 0 µ.ome.zarr", mode="r")["0"][0, :, 0]
    assert 0 < np.abs(pixels.astype(int) - field(0)).max() <= 3


def test_a_ledger_has_objects_of_so_many_rows(url: str, monkeypatch) -> None:
    monkeypatch.setattr(buckets, "ROWS", 3)
    store = store_of(url)
    for start in (0, 4):
        with store.ledger("part-1-of-1", {"plan": "x"}) as book:
            assert len(book.rows) == start
            for number in range(start, start + 4):
                book.add({"key": str(number), "error": "ä"})
    assert [key for key, _ in store.list("cytopress/ledger")] == [
        f"cytopress/ledger/part-1-of-1.000{number}.jsonl" for number in range(3)
    ]
    assert sorted(certificate.rows_of(url)) == [str(number) for number in range(8)]


def test_a_lock_is_held_given_back_and_taken_from_the_dead(url: str, monkeypatch) -> None:
    store = store_of(url)
    key = "cytopress/a.lock"
    with (
        store.locked("a.lock", "writing"),
        pytest.raises(StoreError, match=rf"another process \({os.getpid()} on .* is writing here"),
        store.locked("a.lock", "writing"),
    ):
        pass
    assert store.size(key) is None
    # Of a process of this machine that has ended.
    store.write(key, json.dumps({"host": socket.gethostname(), "pid": 2**22 + 1}).encode())
    with store.locked("a.lock", "writing"):
        pass
    # Of another machine: one that lives writes it again, one that does not is waited for.
    monkeypatch.setattr(bucket_lock, "PATIENCE", 0.2)
    monkeypatch.setattr(bucket_lock, "POLL", 0.1)
    store.write(key, json.dumps({"host": "elsewhere", "pid": 1}).encode())
    with store.locked("a.lock", "writing"):
        assert b"elsewhere" not in store.read(key)


def test_a_lock_that_changes_is_of_one_who_lives(url: str, monkeypatch) -> None:
    store = store_of(url)
    monkeypatch.setattr(bucket_lock, "BEAT", 0.05)
    monkeypatch.setattr(bucket_lock, "POLL", 0.3)
    with store.locked("a.lock", "writing"):
        monkeypatch.setattr(bucket_lock.socket, "gethostname", lambda: "elsewhere")
        with (
            pytest.raises(StoreError, match="is writing here"),
            store.locked("a.lock", "writing"),
        ):
            pass


def test_what_cannot_be_reached_is_one_sentence(source: Path, url: str, monkeypatch) -> None:
    with pytest.raises(StoreError, match="is no archive"):
        run(url)
    with pytest.raises(StoreError, match=r"bucket does not exist \(NoSuchBucket\)\.$"):
        make_plan([source], "s3://nowhere-at-all/x", JPEGLS)
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        patch.setattr(bucket_client, "RETRY", {"max_retries": 0})
        with pytest.raises(StoreError, match=r"^s3://unreached: cannot be reached \(.*\)\.$"):
            run("s3://unreached")
    store = store_of(url)
    store.write("of others.txt", b"x")
    with pytest.raises(UsageError, match="not empty"):
        make_plan([source], url, JPEGLS)


def test_credentials_are_not_part_of_a_store(url: str) -> None:
    import pickle

    store = store_of(url)
    assert isinstance(store, Bucket)
    assert pickle.loads(pickle.dumps(store)) == store
    assert str(store) == url


def upload(folder: Path, url: str) -> str:
    """Put a folder's files into the bucket; return the URL of the folder."""
    store = store_of(f"{url}/{folder.name}")
    for path in folder.rglob("*"):
        if path.is_file():
            store.write(path.relative_to(folder).as_posix(), path.read_bytes())
    return str(store)


@pytest.mark.parametrize("kind", ["tiff", "zarr"])
def test_sources_in_a_bucket(kind: str, source: Path, tmp_path: Path, url: str) -> None:
    """Files are copied to the disk and OME-Zarr is read in place; the archive is the same."""
    pytest.importorskip("upath")
    folder = source
    if kind == "zarr":
        folder = tmp_path / "zarrs"
        write_v04(folder / "a µ.zarr", labels=disks())
    make_plan([folder], tmp_path / "local", JPEGLS)
    assert run(tmp_path / "local").complete
    remote = upload(folder, url)
    # As a path of the command line, which has lost a slash.
    plan, _ = make_plan([Path(remote)], tmp_path / "out", JPEGLS)
    assert all(image.source.startswith("s3://") for image in plan.images)
    assert make_plan([Path(remote)], tmp_path / "out", JPEGLS)[0] == plan
    assert run(tmp_path / "out").complete
    here, there = tree(tmp_path / "local"), tree(tmp_path / "out")
    # Attributes of images, and of labels, say when their sources were changed.
    dated = {key for key in here if key.endswith("zarr.json") and not re.search(r"/\d/", key)}
    assert here.keys() == there.keys()
    assert {key for key in here if here[key] != there[key]} <= dated
    found = verify(tmp_path / "out", depth="full", against=Path(remote), accept_lost=True)
    assert (found.failures, found.reasons, found.fit) == ({}, [], True)
    key = next(key for key, _ in store_of(remote).list() if "zattrs" not in key)
    store_of(remote).write(key, store_of(remote).read(key))
    with pytest.raises(UsageError, match="has changed since the plan was made"):
        run(tmp_path / "out")


def write_set(folder: Path) -> None:
    """Write an image of two channels in two files."""
    folder.mkdir()
    names = ("a.ome.tif", "b.ome.tif")
    uuids = [f"urn:uuid:00000000-0000-0000-0000-00000000000{number}" for number in range(2)]
    planes = "".join(
        f'<TiffData FirstC="{number}" IFD="0" PlaneCount="1"><UUID FileName="{name}">{uuid}</UUID>'
        "</TiffData>"
        for number, (name, uuid) in enumerate(zip(names, uuids, strict=True))
    )
    for name, uuid, pixels in zip(names, uuids, field(0), strict=True):
        text = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{uuid}"><Image'
            ' ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="130"'
            ' SizeY="150" SizeZ="1" SizeC="2" SizeT="1"><Channel ID="Channel:0:0"/><Channel'
            f' ID="Channel:0:1"/>{planes}</Pixels></Image></OME>'
        )
        tifffile.imwrite(folder / name, pixels, description=text.encode(), metadata=None)


def test_an_image_set_in_a_bucket_is_brought_whole(tmp_path: Path, url: str) -> None:
    pytest.importorskip("upath")
    folder = tmp_path / "set"
    write_set(folder)
    plan, _ = make_plan([upload(folder, url)], tmp_path / "out", JPEGLS)
    assert [image.shape for image in plan.images] == [(1, 2, 1, 150, 130)]
    assert run(tmp_path / "out").complete
    pixels = zarr.open_group(str(tmp_path / "out/a.ome.zarr"), mode="r")["0"][0, :, 0]
    assert 0 < np.abs(pixels.astype(int) - field(0)).max() <= 3


def test_a_file_that_changed_is_copied_again_and_few_copies_stay(
    source: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("upath")
    store, names = store_of(upload(source, url)), [f"field {number} µ.ome.tif" for number in (0, 1)]
    paths = [remote.path_of(f"{store}/{name}") for name in names]
    with remote.local_file(paths[0]) as copy:
        assert copy.read_bytes() == store.read(names[0])
    store.write(names[0], b"other")
    with remote.local_file(paths[0]) as copy:
        assert copy.read_bytes() == b"other"
    monkeypatch.setattr(remote, "KEPT", 1)
    with remote.local_file(paths[1]) as other:
        assert other.read_bytes() == store.read(names[1])
        assert not copy.exists()


def test_damaged_and_missing_sources_are_named_by_their_url(
    source: Path, tmp_path: Path, url: str
) -> None:
    pytest.importorskip("upath")
    (source / "broken.tif").write_bytes(b"II*\0nothing")
    remote = upload(source, url)
    with pytest.raises(ImageError, match=rf"^{remote}/broken\.tif: "):
        make_plan([remote], tmp_path / "out", JPEGLS)
    with pytest.raises(UsageError, match="there is no such file"):
        make_plan([f"{url}/nothing"], tmp_path / "out", JPEGLS)
    assert not (tmp_path / "out").exists()
