"""Packages are found by the name inside, in the order of the folders."""

from pathlib import Path

import pytest

from cytopress.errors import UnknownNameError
from cytopress.models.model_package import write_package
from cytopress.models.search import find_package, find_packages

MANIFEST = {"kind": "task", "name": "labelfree/test", "architecture": "none", "axes": "YX"}


def test_found_by_the_name_inside_and_the_first_folder_wins(tmp_path: Path) -> None:
    for folder, graph in (("one", b"1"), ("two", b"2")):
        write_package(tmp_path / folder / "x.cytomodel", MANIFEST, graphs={"g": graph})
    folders = [tmp_path / "none", tmp_path / "two", tmp_path / "one"]
    assert find_package(folders, "task", "labelfree/test").path == tmp_path / "two/x.cytomodel"
    assert len(list(find_packages(folders, "task"))) == 1
    assert list(find_packages(folders, "codec")) == []
    path = tmp_path / "one/x.cytomodel"
    assert find_package([], "task", str(path)).path == path
    with pytest.raises(UnknownNameError, match=r"labelfree/tset.*labelfree/test"):
        find_package(folders, "task", "labelfree/tset")
