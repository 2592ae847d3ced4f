import errno
import hashlib
from pathlib import Path
from typing import Any

import pytest

from cytopress.datasets import download as module
from cytopress.datasets.download import BLOCK, download, join_url
from cytopress.errors import DatasetError, UsageError

pytestmark = pytest.mark.network
DATA = bytes(range(256)) * 4000
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.0)


@pytest.fixture
def target(server: Any, tmp_path: Path) -> Path:
    (server.folder / "a file.bin").write_bytes(DATA)
    folder = tmp_path / "here"
    folder.mkdir()
    return folder / "a.bin"


def test_a_file_comes_whole_and_is_not_asked_for_again(server: Any, target: Path) -> None:
    url = join_url(server.url, "a file.bin")
    download(url, target, sha256=SHA)
    assert target.read_bytes() == DATA
    download(url, target, sha256=SHA)
    assert len(server.requests) == 1
    assert [path.name for path in target.parent.iterdir()] == ["a.bin"]


def test_a_broken_connection_goes_on_where_it_stopped(server: Any, target: Path) -> None:
    # Half a block that came before a break is asked for again.
    server.breaks = [BLOCK, 3 * BLOCK + BLOCK // 2]
    download(join_url(server.url, "a file.bin"), target, sha256=SHA)
    assert target.read_bytes() == DATA
    ranges = [asked for _, asked in server.requests]
    assert ranges == [None, f"bytes={BLOCK}-", f"bytes={4 * BLOCK}-"]


def test_what_came_is_kept_for_the_next_call(server: Any, target: Path) -> None:
    url = join_url(server.url, "a file.bin")
    server.breaks = [BLOCK, BLOCK, BLOCK]
    with pytest.raises(DatasetError, match=r"connection failed \(IncompleteRead.*to resume"):
        download(url, target, sha256=SHA)
    assert not target.exists()
    assert target.with_name("a.bin.part").read_bytes() == DATA[: 3 * BLOCK]
    server.requests.clear()
    download(url, target, sha256=SHA)
    assert server.requests[0][1] == f"bytes={3 * BLOCK}-"
    assert target.read_bytes() == DATA


def test_a_server_without_ranges_begins_again(server: Any, target: Path) -> None:
    server.ranges = False
    target.with_name("a.bin.part").write_bytes(DATA[:777])
    download(join_url(server.url, "a file.bin"), target, sha256=SHA)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("part", [DATA, DATA + b"more"])
def test_a_part_that_is_whole_or_too_long(server: Any, target: Path, part: bytes) -> None:
    target.with_name("a.bin.part").write_bytes(part)
    download(join_url(server.url, "a file.bin"), target, sha256=SHA)
    assert target.read_bytes() == DATA


def test_a_wrong_digest_deletes_and_says_so(server: Any, target: Path) -> None:
    with pytest.raises(DatasetError, match=r"another file than expected.*it was deleted"):
        download(join_url(server.url, "a file.bin"), target, sha256="0" * 64)
    assert list(target.parent.iterdir()) == []


def test_a_part_of_another_file_is_found_out(server: Any, target: Path) -> None:
    target.with_name("a.bin.part").write_bytes(b"x" * 100)
    with pytest.raises(DatasetError, match="it was deleted"):
        download(join_url(server.url, "a file.bin"), target, sha256=SHA)
    download(join_url(server.url, "a file.bin"), target, sha256=SHA)
    assert target.read_bytes() == DATA


def test_a_missing_file_is_asked_for_once(server: Any, target: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere\.bin: the server answers 404 Not Found"):
        download(join_url(server.url, "nowhere.bin"), target)
    assert len(server.requests) == 1


def test_a_server_in_trouble_is_asked_again(server: Any, target: Path) -> None:
    server.codes = [503, 500]
    download(join_url(server.url, "a file.bin"), target, sha256=SHA)
    server.codes = [503, 503, 503]
    with pytest.raises(DatasetError, match="503"):
        download(join_url(server.url, "a file.bin"), target.with_name("b.bin"))


def test_no_server_at_all(target: Path) -> None:
    # Port 9 (discard) of this machine: nothing listens there.
    with pytest.raises(DatasetError, match=r":9/a: the connection failed \(.*refused\)"):
        download("http://127.0.0.1:9/a", target)


def test_a_full_disk(server: Any, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_resume", full)
    with pytest.raises(DatasetError, match=r"cannot be written .No space left on device"):
        download(join_url(server.url, "a file.bin"), target)
    assert not target.exists()


@pytest.mark.parametrize("base", ["ftp://x", "file:///etc", "here", ""])
def test_only_http_addresses(base: str) -> None:
    with pytest.raises(UsageError, match="begins with http"):
        join_url(base, "a")
