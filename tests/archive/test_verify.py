"""Verification: every kind of damage is found by the depth that promises it, and fitness told."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.archive import chunk_decoding, inspecting
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.verify import Depth, verify
from cytopress.archive.wanted import Wanted
from cytopress.errors import StoreError
from fakes.archives import in_this_process

pytest.importorskip("yaozarrs")
CODEC = "jpegls:max_error=3"


def pixels(seed: int) -> np.ndarray:
    """Return counts (C, Y, X): smooth, with noise."""
    y, x = np.mgrid[:96, :80]
    light = 700 + 300 * np.sin(x / 9 + seed) * np.cos(y / 7)
    random = np.random.default_rng(seed)
    return random.normal([light, light / 2], 9).clip(1, 4095).astype(np.uint16)


def write_source(folder: Path, count: int = 2, first: int = 0) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        write_field(folder / f"field {number} µ.ome.tif", pixels(first + number))
    return folder


def write_field(path: Path, counts: np.ndarray, names: tuple[str, ...] = ("DNA", "ER")) -> None:
    metadata = {
        "axes": "CYX", "Channel": {"Name": list(names)}, "SignificantBits": 12,
        "PhysicalSizeX": 0.3, "PhysicalSizeY": 0.3,
    }  # fmt: skip
    tifffile.imwrite(path, counts, metadata=metadata)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    _here(monkeypatch)


def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on shards in this process: a new one takes seconds to start."""
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)
    monkeypatch.setattr(inspecting, "SMALL", 60)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return sources, an archive of them, and an archive of other sources with the same names."""
    root = tmp_path_factory.mktemp("verify")
    with pytest.MonkeyPatch.context() as monkeypatch:
        _here(monkeypatch)
        source, other = write_source(root / "in"), write_source(root / "other", first=5)
        for folder, out in ((source, root / "out"), (other, root / "foreign")):
            make_plan([folder], out, Wanted(codec=CODEC, chunk=48))
            assert run(out).complete
    return {"in": source, "out": root / "out", "foreign": root / "foreign"}


@pytest.fixture
def out(made: dict[str, Path], tmp_path: Path) -> Path:
    """Return a copy of the archive that may be damaged."""
    return Path(shutil.copytree(made["out"], tmp_path / "out"))


def shards(out: Path) -> list[Path]:
    return sorted(path for path in out.rglob("0/c/**/*") if path.is_file())


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flip_shard(out: Path, foreign: Path) -> None:
    flip(shards(out)[0])


def swap(out: Path, foreign: Path) -> None:
    one, other = shards(out)[:2]
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def take_of_another_archive(out: Path, foreign: Path) -> None:
    mine = shards(out)[0]
    data = (foreign / mine.relative_to(out)).read_bytes()
    size = mine.stat().st_size
    # As long, so that its size says nothing.
    mine.write_bytes((data + bytes(size))[:size])


def truncate(out: Path, foreign: Path) -> None:
    path = shards(out)[0]
    path.write_bytes(path.read_bytes()[:-3])


def add(out: Path, foreign: Path) -> None:
    path = shards(out)[0]
    shutil.copy(path, path.with_name("9"))


def change_a_number(path: Path) -> None:
    """Damage a file so that it is JSON still: the last digit of its first long number."""
    text = path.read_text()
    found = re.search(r"\d{3,}", text)
    assert found is not None
    digit = str((int(text[found.end() - 1]) + 1) % 10)
    path.write_text(text[: found.end() - 1] + digit + text[found.end() :])


QUICK = [
    (lambda out, _: shards(out)[0].unlink(), "is missing"),
    (truncate, "bytes, and"),
    (add, "belongs to no shard of the plan"),
    (lambda out, _: flip(next(out.rglob("0/zarr.json"))), "has changed since it was written"),
    (lambda out, _: flip(next(out.rglob("*.ome.zarr/zarr.json"))), "has changed"),
    (lambda out, _: flip(out / "cytopress/plan.json"), "has changed"),
    (lambda out, _: change_a_number(out / "cytopress/plan.json"), "has changed"),
    (lambda out, _: flip(out / "cytopress/ledger/part-1-of-1.jsonl"), "has changed"),
    (lambda out, _: change_a_number(out / "cytopress/ledger/part-1-of-1.jsonl"), "has changed"),
    (lambda out, _: flip(out / "cytopress/certificate.json"), "has changed"),
    (lambda out, _: (out / "SHA256SUMS").unlink(), "the archive is not complete"),
    (lambda out, _: change_a_number(out / "SHA256SUMS"), ""),
]
DEFAULT = [(flip_shard, "its bytes have changed"), (swap, ""), (take_of_another_archive, "bytes")]


@pytest.mark.parametrize(
    ("depth", "damage", "why"),
    [("quick", *one) for one in QUICK] + [("default", *one) for one in DEFAULT],
)
def test_damage_is_found(
    made, out: Path, depth: Depth, damage: Callable[[Path, Path], object], why: str
) -> None:
    damage(out, made["foreign"])
    found = verify(out, depth=depth)
    assert not found.passed
    assert any(why in sentence for sentence in found.failures.values())


def test_damage_is_found_by_sha256sum_after_a_run_too(made, out: Path) -> None:
    """A run that resumes does not take damaged bytes for those that were written."""
    flip_shard(out, made["foreign"])
    shards(out)[1].unlink()
    assert run(out).complete
    assert list(verify(out).failures.values()) == ["its bytes have changed since it was written"]
    lines = (out / "SHA256SUMS").read_text().splitlines()
    digests = {line[66:]: line[:64] for line in lines}
    name = shards(out)[0].relative_to(out).as_posix()
    assert digests[name] != hashlib.sha256(shards(out)[0].read_bytes()).hexdigest()


def test_a_damaged_ledger_is_one_sentence_before_there_are_checksums(out: Path) -> None:
    (out / "SHA256SUMS").unlink()
    ledger = out / "cytopress/ledger/part-1-of-1.jsonl"
    whole = ledger.read_text()
    for damaged in (whole.replace('"crc32c"', '"crc32b"', 1), whole.replace("{", "[", 3)):
        ledger.write_text(damaged)
        assert "damaged" in " ".join(verify(out).failures.values())
    with pytest.raises(StoreError, match="is no archive"):
        verify(out / "cytopress")


def test_pixels_that_a_codec_decodes_otherwise_are_found(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another version of a codec's library may; bytes say nothing."""
    decode = chunk_decoding.decode_chunk
    monkeypatch.setattr(
        chunk_decoding, "decode_chunk", lambda *given: decode(*given) + np.uint16(1)
    )
    assert verify(out).passed
    found = verify(out, depth="full")
    assert "decodes to other pixels" in " ".join(found.failures.values())


def test_a_sample_is_read(out: Path) -> None:
    for path in shards(out):
        flip(path)
    found = verify(out, share=0.4)
    assert 0 < found.checked < len(list(out.rglob("c/**/*"))) / 2
    assert not found.passed
    assert verify(out, depth="quick").passed


def test_fit_for_deleting_the_sources(made, out: Path) -> None:
    assert certificate(out)["verified"] is None
    found = verify(out, depth="full", against=made["in"])
    assert (found.passed, found.fit, found.reasons) == (True, True, [])
    written = certificate(out)["verified"]
    assert written["fit_to_delete_sources"]
    assert "Yes, as far as this archive" in (out / "cytopress/certificate.html").read_text()
    # It is part of what is verified.
    assert verify(out).passed
    assert verify(out, depth="full", against=made["in"], share=0.5).fit is None
    flip(shards(out)[0])
    again = verify(out, depth="full", against=made["in"])
    assert (again.passed, again.fit) == (False, False)
    assert not certificate(out)["verified"]["passed"]
    assert not verify(out).passed


def certificate(out: Path) -> dict:
    return json.loads((out / "cytopress/certificate.json").read_text())


def test_what_stands_against_deleting(made, out: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(made["in"], tmp_path / "moved"))
    write_field(moved / "another.ome.tif", pixels(9))
    found = verify(out, depth="full", against=moved)
    assert (found.passed, found.fit) == (True, False)
    assert "not in the archive" in found.reasons[0]
    (moved / "another.ome.tif").unlink()
    write_field(moved / "field 0 µ.ome.tif", pixels(0), names=("DNA", "RNA"))
    found = verify(out, depth="full", against=moved)
    assert (found.passed, found.fit) == (True, False)
    assert "['DNA', 'RNA']" in found.reasons[0]
    changed = pixels(0)
    changed[1, 5, 6] += 1
    write_field(moved / "field 0 µ.ome.tif", changed)
    found = verify(out, depth="full", against=moved)
    assert list(found.failures.values()) == ["its source's pixels are not those that were archived"]
    (moved / "field 0 µ.ome.tif").unlink()
    found = verify(out, depth="full", against=moved)
    assert "has no source" in " ".join(found.failures.values())


def test_an_inexact_codec_is_fit_where_that_is_accepted(made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_plan([made["in"]], out, Wanted(codec="jpegxl:distance=1", chunk=48))
    run(out)
    found = verify(out, depth="full", against=made["in"])
    assert (found.passed, found.fit) == (True, False)
    assert "--accept-inexact" in found.reasons[0]
    found = verify(out, depth="full", against=made["in"], accept_inexact=True)
    assert (found.passed, found.fit) == (True, True)
    assert "others may differ by a count" in certificate(out)["verified"]["statement"]


def test_lossless_is_proven_without_the_source(made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_plan([made["in"]], out, Wanted(chunk=48))
    run(out)
    assert verify(out, depth="full").passed
    # The same bytes and rows, of other pixels: only the source's digest can tell.
    ledger = out / "cytopress/ledger/part-1-of-1.jsonl"
    ledger.write_text(re.sub(r'("raw_sha256":")....', r"\g<1>0000", ledger.read_text()))
    (out / "SHA256SUMS").unlink()
    found = verify(out, depth="full").failures
    assert "its pixels are not its source's" in " ".join(found.values())


def test_a_promise_that_is_not_kept_is_found(made, out: Path) -> None:
    """The plan promises less error than there is: its chunks are measured again."""
    plan = out / "cytopress/plan.json"
    plan.write_text(plan.read_text().replace('"chunk": 3.0', '"chunk": 2.0'))
    (out / "SHA256SUMS").unlink()
    found = verify(out, depth="full", against=made["in"])
    assert "larger errors than the plan promises" in " ".join(found.failures.values())


def test_a_missing_model_is_found(made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_plan([made["in"]], out, Wanted(codec="learned/cytopress-2d:quality=0.5", chunk=96))
    run(out)
    assert verify(out).passed
    (model,) = (out / "cytopress/models").iterdir()
    flip(model)
    assert "damaged" in verify(out, depth="quick").failures[model.relative_to(out).as_posix()]
    model.unlink()
    failures = verify(out, depth="quick").failures
    assert "does not travel with the archive" in failures[model.relative_to(out).as_posix()]


@pytest.mark.processes
@pytest.mark.long
def test_processes_find_the_same(made, out: Path) -> None:
    flip(shards(out)[1])
    seen: list[int] = []
    found = verify(
        out, depth="full", against=made["in"], workers=2, progress=lambda n, *_: seen.append(n)
    )
    assert list(found.failures) == [shards(out)[1].relative_to(out).as_posix()]
    assert seen == list(range(1, found.checked + 1))
