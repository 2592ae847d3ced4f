import errno
import os
from pathlib import Path

import pytest

from cytopress.atomic import atomic_file


def write_on_a_full_disk(path: Path) -> None:
    path.write_text("half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("before")
    with pytest.raises(OSError, match="No space left") as caught, atomic_file(path) as temporary:
        write_on_a_full_disk(temporary)
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "before"


def test_an_error_never_names_the_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "table.csv"
    with pytest.raises(FileNotFoundError) as caught, atomic_file(path):
        pass
    assert caught.value.filename == str(path)


def test_an_error_about_another_file_stays_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "source.txt"
    with pytest.raises(FileNotFoundError) as caught, atomic_file(tmp_path / "a.txt"):
        other.read_text()
    assert caught.value.filename == str(other)
    assert list(tmp_path.iterdir()) == []
