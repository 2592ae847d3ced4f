"""Packages are found by the name inside, in the order of the folders."""

from pathlib import Path

import pytest

from cytopress.errors import CytopressWarning, PackageError, UnknownNameError, UsageError
from cytopress.models.model_package import write_package
from cytopress.models.search import all_packages, find_package, find_packages

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


def test_a_damaged_package_is_skipped_with_a_warning_unless_it_is_asked_for(tmp_path: Path) -> None:
    write_package(tmp_path / "later/labelfree-test.cytomodel", MANIFEST, graphs={})
    other = {**MANIFEST, "name": "labelfree/other"}
    write_package(tmp_path / "one/z.cytomodel", other, graphs={})
    damaged = tmp_path / "one" / "labelfree-test.cytomodel"
    damaged.write_bytes(b"cut short")
    folders = [tmp_path / "one", tmp_path / "later"]
    skipped = r"one/labelfree-test\.cytomodel: this is not a whole.* The package is skipped\."
    with pytest.warns(CytopressWarning, match=skipped):
        found = [package.name for package in find_packages(folders, "task")]
    assert found == ["labelfree/other", "labelfree/test"]
    with pytest.warns(CytopressWarning, match=skipped):
        assert find_package(folders, "task", "labelfree/other").name == "labelfree/other"
    # The one of a later folder is another model, and does not take its place.
    with pytest.raises(PackageError, match="not a whole model package"):
        find_package(folders, "task", "labelfree/test")
    with pytest.raises(PackageError, match="not a whole model package"):
        find_package(folders, "task", str(damaged))
    with (
        pytest.warns(CytopressWarning, match=skipped),
        pytest.raises(UnknownNameError, match="'labelfree/none'"),
    ):
        find_package(folders, "task", "labelfree/none")


def test_all_packages_are_found_by_their_digest_also_those_with_one_name(tmp_path: Path) -> None:
    made = [
        write_package(tmp_path / folder / "x.cytomodel", MANIFEST, graphs={"g": folder.encode()})
        for folder in ("one", "two")
    ]
    found = all_packages([tmp_path / "one", tmp_path / "two"])
    assert [package.sha256 for package in found] == [package.sha256 for package in made]


def test_a_digest_selects_one_of_several_with_one_name(tmp_path: Path) -> None:
    made = [
        write_package(tmp_path / folder / "x.cytomodel", MANIFEST, graphs={"g": folder.encode()})
        for folder in ("one", "two")
    ]
    folders = [tmp_path / "one", tmp_path / "two"]
    for package in made:
        for digits in (4, 8, 64):
            found = find_package(folders, "task", f"labelfree/test@{package.sha256[:digits]}")
            assert found.path == package.path
    other = "0" * 8
    with pytest.raises(UnknownNameError, match=f"labelfree/test@{made[0].sha256[:8]}"):
        find_package(folders, "task", f"labelfree/test@{other}")
    for wrong in ("labelfree/test@", "labelfree/test@xyzw", "labelfree/test@12"):
        with pytest.raises(UsageError, match="hexadecimal digits of a sha256"):
            find_package(folders, "task", wrong)
