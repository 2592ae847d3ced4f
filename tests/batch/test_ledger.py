"""A ledger keeps what was done, whenever the process that wrote it was killed."""

from pathlib import Path

import pytest

from cytopress.batch.ledger import opened
from cytopress.errors import StoreError

PLAN = {"command": "encode", "options": {"--codec": "zstd"}}


def test_rows_of_a_task_are_merged_and_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with opened(path, PLAN) as ledger:
        assert (ledger.plan, ledger.rows) == (PLAN, {})
        ledger.add({"key": "ä/b c", "output": "x"}, {"key": "d", "output": "y"})
        ledger.add({"key": "ä/b c", "bytes": 3, "error": ""})
    with opened(path, {"command": "another"}) as ledger:
        assert ledger.plan == PLAN
        assert ledger.rows["ä/b c"] == {"key": "ä/b c", "output": "x", "bytes": 3, "error": ""}
        assert list(ledger.rows) == ["ä/b c", "d"]


def test_every_row_is_on_the_disk_before_the_next_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with opened(path, PLAN) as ledger:
        assert path.read_text().count("\n") == 1
        ledger.add({"key": "a"})
        assert path.read_text().count("\n") == 2


def test_a_file_cut_anywhere_gives_the_rows_that_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with opened(path, PLAN) as ledger:
        for number in range(3):
            ledger.add({"key": str(number), "text": "line\nbreak \u2028"})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with opened(path, PLAN) as ledger:
            assert len(ledger.rows) == max(whole[:length].count(b"\n") - 1, 0)
            ledger.add({"key": "new"})
        with opened(path, PLAN) as ledger:
            assert "new" in ledger.rows
            assert ledger.plan == PLAN


@pytest.mark.parametrize("damage", [b"{]\n", b"[1]\n", b'{"no": "key"}\n', b"\xff\n"])
def test_a_damaged_line_is_an_error_that_names_it(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "run.jsonl"
    with opened(path, PLAN) as ledger:
        ledger.add({"key": "a"})
    path.write_bytes(path.read_bytes() + damage + b'{"key": "b"}\n')
    with pytest.raises(StoreError, match=r"run\.jsonl: line 3 is damaged"), opened(path, PLAN):
        pass


def test_a_full_disk_is_an_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "run.jsonl"
    with opened(path, PLAN) as ledger:
        monkeypatch.setattr("cytopress.batch.ledger.os.fsync", full)
        with pytest.raises(StoreError, match=r"run\.jsonl: cannot be written \(No space left"):
            ledger.add({"key": "a"})
    with pytest.raises(StoreError, match="cannot be written"), opened(tmp_path, PLAN):
        pass
