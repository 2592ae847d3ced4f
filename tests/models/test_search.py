"""Packages are found by the name inside, in the order of the folders."""

from pathlib import Path

import pytest

from cytopress.errors import CytopressWarning, PackageError, UnknownNameError, UsageError
from cytopress.models.model_package import write_package
from cytopress.models.search import (
    all_packages,
    find_by_name,
    find_package,
    find_packages,
    others_of_name,
    version_of,
)

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


def test_a_replaced_package_bears_its_name_nowhere_and_is_found_by_its_digest(
    tmp_path: Path,
) -> None:
    old, new, shipped = tmp_path / "earlier" / "0.1.0", tmp_path / "own", tmp_path / "shipped"
    replaced = write_package(old / "x.cytomodel", MANIFEST, graphs={"g": b"old"})
    current = write_package(shipped / "x.cytomodel", MANIFEST, graphs={"g": b"new"})
    new.mkdir()
    (new / "copy.cytomodel").write_bytes(replaced.path.read_bytes())
    folders = [new, shipped, old]
    name = replaced.name
    assert find_package(folders, "task", name).sha256 == current.sha256
    assert [one.sha256 for one in find_packages(folders, "task")] == [current.sha256]
    assert find_package(folders, "task", f"{name}@{replaced.sha256[:8]}").sha256 == replaced.sha256
    listed = [(one.sha256, bears) for one, bears in find_by_name(folders, "task")]
    assert listed == [(current.sha256, True), (replaced.sha256, False)]
    assert version_of(replaced) == "0.1.0"
    assert version_of(current) == ""
    # Nothing to be confused with: the other is known as an earlier one.
    assert others_of_name(folders, current) == []
    # Where nothing newer is, it is what it always was.
    assert find_package([new, old], "task", name).sha256 == replaced.sha256
    assert [bears for _, bears in find_by_name([new, old], "task")] == [True]


def test_others_of_a_name_are_those_with_another_digest(tmp_path: Path) -> None:
    one, two = (
        write_package(tmp_path / folder / "x.cytomodel", MANIFEST, graphs={"g": folder.encode()})
        for folder in ("one", "two")
    )
    folders = [tmp_path / "one", tmp_path / "two"]
    assert [other.sha256 for other in others_of_name(folders, one)] == [two.sha256]
    assert others_of_name(folders[:1], one) == []
