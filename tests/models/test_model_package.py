import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cytopress.errors import PackageError
from cytopress.models.model_package import open_package, write_package

MANIFEST = {"kind": "task", "name": "labelfree/test", "architecture": "none", "axes": "YX"}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    package = write_package(
        tmp_path / "a.cytomodel", MANIFEST, graphs={"g": b"graph"}, arrays={"table": array}
    )
    again = open_package(tmp_path / "a.cytomodel")
    assert again == package
    assert again.manifest == {"format": 1, **MANIFEST}
    np.testing.assert_array_equal(again.array("table"), array)
    assert [path.name for path in tmp_path.iterdir()] == ["a.cytomodel"]


def test_equal_contents_have_one_digest_and_others_another(tmp_path: Path) -> None:
    first = write_package(tmp_path / "a.cytomodel", MANIFEST, graphs={"g": b"graph"})
    second = write_package(tmp_path / "b.cytomodel", MANIFEST, graphs={"g": b"graph"})
    third = write_package(tmp_path / "c.cytomodel", MANIFEST, graphs={"g": b"other"})
    assert first.sha256 == second.sha256 != third.sha256


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"format": 3}, "format 3"),
        ({"name": None}, "'name'"),
        ({"kind": "game"}, "'game'"),
        ({"axes": 3}, "'axes'"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, change: dict, word: str) -> None:
    path = tmp_path / "a.cytomodel"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"format": 1, **MANIFEST, **change}))
    with pytest.raises(PackageError, match=word):
        open_package(path)


def test_damage_anywhere_is_found(tmp_path: Path) -> None:
    whole = write_package(tmp_path / "a.cytomodel", MANIFEST, graphs={"g": bytes(range(200))})
    data = bytearray(whole.path.read_bytes())
    start = data.index(bytes(range(200)))
    data[start + 100] ^= 1
    whole.path.write_bytes(data)
    with pytest.raises(PackageError, match="damaged"):
        open_package(whole.path)
    whole.path.write_bytes(data[: len(data) // 2])
    with pytest.raises(PackageError, match="not a whole model package"):
        open_package(whole.path)
    with pytest.raises(PackageError, match="cannot read"):
        open_package(tmp_path / "absent.cytomodel")


@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_not_stored_as_it_is_is_refused(tmp_path: Path, encrypted: bool) -> None:
    path = tmp_path / "a.cytomodel"
    how = zipfile.ZIP_STORED if encrypted else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("manifest.json", json.dumps({"format": 1, **MANIFEST}))
    if encrypted:
        data = bytearray(path.read_bytes())
        # The flag stands 6 bytes into a local header, 8 into a central one.
        data[data.index(b"PK\3\4") + 6] |= 1
        data[data.index(b"PK\1\2") + 8] |= 1
        path.write_bytes(data)
    with pytest.raises(PackageError, match=r"manifest\.json in the package is compressed or enc"):
        open_package(path)


def test_a_package_that_changed_after_it_was_opened_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "a.cytomodel"
    table = np.arange(3)
    package = write_package(path, MANIFEST, graphs={"g": b"one"}, arrays={"table": table})
    write_package(path, MANIFEST, graphs={"g": b"other"}, arrays={"table": table + 1})
    for use in (lambda: package.array("table"), lambda: package.run("g", table)):
        with pytest.raises(PackageError, match="changed since it was opened"):
            use()


def test_parts_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.cytomodel"
    package = write_package(path, MANIFEST, graphs={"g": b"no graph"})
    with pytest.raises(PackageError, match=r"onnxruntime cannot load g\.onnx"):
        package.run("g")
    with pytest.raises(PackageError, match=r"there is no other\.onnx"):
        package.run("other")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("table.npy", b"no array")
    with pytest.raises(PackageError, match=r"table\.npy in the package is no plain array"):
        open_package(path).array("table")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        write_package(
            tmp_path / "a.cytomodel",
            MANIFEST,
            graphs={},
            arrays={"x": np.array([object()], dtype=object)},
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.learn
def test_a_graph_runs_whatever_the_threads(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    value = lambda name: onnx.helper.make_tensor_value_info(name, 1, ["n"])  # noqa: E731
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Mul", ["x", "y"], ["z"])],
        "g",
        [value("x"), value("y")],
        [value("z")],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    package = write_package(
        tmp_path / "a.cytomodel", MANIFEST, graphs={"g": model.SerializeToString()}
    )
    x, y = np.arange(4, dtype=np.float32), np.full(4, 3, np.float32)
    for threads in (0, 1, 2):
        (z,) = package.run("g", x, y, threads=threads)
        np.testing.assert_array_equal(z, x * y)
