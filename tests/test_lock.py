"""A folder is written by one process at a time, and nothing is left where nothing was written."""

from pathlib import Path

import pytest

from cytopress.errors import StoreError
from cytopress.lock import locked


def test_only_one_at_a_time(tmp_path: Path) -> None:
    with (
        locked(tmp_path, ".lock", "training a model"),
        pytest.raises(StoreError, match="another process is training a model here; wait for it"),
        locked(tmp_path, ".lock", "training a model"),
    ):
        pass
    with locked(tmp_path, ".lock", "training a model"):
        pass


def test_the_lock_leaves_no_folder_where_nothing_was_written(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with locked(out, ".lock", "at work"):
        assert out.is_dir()
    assert list(tmp_path.iterdir()) == []
    with locked(out, ".lock", "at work"):
        (out / "models").mkdir()
    with locked(out, ".lock", "at work"):
        pass
    assert (out / "models").is_dir()


def test_a_folder_that_cannot_be_locked_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(StoreError, match="cannot be locked"), locked(tmp_path, ".lock", "at work"):
        pass
    (tmp_path / "file").touch()
    with (
        pytest.raises(StoreError, match="cannot be made"),
        locked(tmp_path / "file", ".lock", "at work"),
    ):
        pass
