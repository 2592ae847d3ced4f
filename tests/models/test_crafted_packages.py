"""Packages that somebody made to do harm are refused in one sentence."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cytopress.errors import PackageError
from cytopress.models.model_package import open_package, write_package
from cytopress.tasks.registry import from_package
from fakes.onnx_graphs import FLOAT, blur, model

MANIFEST = {"kind": "task", "name": "labelfree/test", "architecture": "none", "axes": "YX"}
WHOLE = {**MANIFEST, "format": 1, "stride": 1, "reach": 1}
TARGET = {"mean": 1.0, "std": 1.0, "data_range": 9.0}


def packed(manifest: str | bytes, **members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("manifest.json", manifest)
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return data.getvalue()


def flagged(bit: int) -> bytes:
    data = bytearray(packed(json.dumps(WHOLE)))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.index(mark) + offset
        data[at : at + 2] = struct.pack("<H", bit)
    return bytes(data)


def of_version(version: int) -> bytes:
    data = bytearray(packed(json.dumps(WHOLE)))
    data[data.index(b"PK\1\2") + 6] = version
    return bytes(data)


def overlapping() -> bytes:
    """Many entries that are all the same bytes: to check each of them takes for ever."""
    member = b"x" * 10_000
    data = packed(json.dumps(WHOLE), a_onnx=member)
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry = data[data.rindex(b"PK\1\2") : end]
    entries = data[start:end] + entry * 999
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1001, 1001, len(entries), start, 0)
    return data[:start] + entries + tail


@pytest.mark.parametrize(
    "data",
    [
        packed("[" * 100_000 + "]" * 100_000),
        packed('{"format":' * 50_000 + "1" + "}" * 50_000),
        packed(b"\xff\xfe\x00"),
        packed('{"format": ' + "9" * 10_000 + "}"),
        flagged(0x01),
        flagged(0x20),
        flagged(0x40),
        of_version(99),
        overlapping(),
        b"PK\5\6" + bytes(18),
        b"",
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_a_crafted_file_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.cytomodel"
    path.write_bytes(data)
    with pytest.raises(PackageError) as caught:
        open_package(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def npy(shape: str, descr: str = "'<f8'", data: bytes = b"", version: int = 1) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


@pytest.mark.parametrize(
    "array",
    [
        npy(f"({2**46},)"),
        npy(f"({2**62}, {2**62})"),
        npy("(-1, -8)", data=bytes(64)),
        npy("(2,)", data=bytes(8)),
        npy("(2,)", data=bytes(24)),
        npy("(1,)", "'|O'", b"\x80\x04N."),
        npy("(99999999999,)", "'|V0'"),
        npy("(2,)", "[('a', '<f8')]", bytes(16)),
        npy("(" * 3000, data=b"x"),
        npy("(2,)", data=bytes(16), version=3),
        packed("no array"),
        b"",
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_a_crafted_array_is_one_sentence_and_takes_no_memory(tmp_path: Path, array: bytes) -> None:
    path = tmp_path / "a.cytomodel"
    path.write_bytes(packed(json.dumps(WHOLE), table_npy=array))
    with pytest.raises(
        PackageError, match=r"table\.npy in the package is no plain array"
    ) as caught:
        open_package(path).array("table")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "made",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
        np.zeros((3, 0, 2), np.float32),
        np.array(3, np.uint8),
        np.arange(3, dtype=">i2"),
        np.ones(3, bool),
    ],
)
def test_plain_arrays_are_read_as_numpy_reads_them(tmp_path: Path, made: np.ndarray) -> None:
    path = tmp_path / "a.cytomodel"
    found = write_package(path, MANIFEST, graphs={}, arrays={"table": made}).array("table")
    data = io.BytesIO()
    np.save(data, made)
    expected = np.load(io.BytesIO(data.getvalue()))
    np.testing.assert_array_equal(found, expected)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.flags.c_contiguous == expected.flags.c_contiguous


def test_a_name_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a.cytomodel"
    path.write_bytes(packed(json.dumps({**WHOLE, "name": "labelfree/\x1b[2Jgone"})))
    with pytest.raises(PackageError, match="no 'name' in plain text"):
        open_package(path)


def two_outputs() -> bytes:
    value = ("x", FLOAT, (None, 1, None, None))
    nodes = [("Relu", ["x"], ["y"], {}), ("Relu", ["x"], ["z"], {})]
    return model(nodes, [value], [("y", *value[1:]), ("z", *value[1:])])


@pytest.mark.parametrize(
    ("change", "graph", "words"),
    [
        ({}, lambda: blur(8), "network.onnx of the package failed"),
        ({}, two_outputs, "gives one array of the input's shape"),
        ({"target": {**TARGET, "mean": "dark"}}, blur, "target.mean in the manifest must be"),
        ({"target": {**TARGET, "std": 10**400}}, blur, "target.std in the manifest must be"),
        ({"target": []}, blur, "needs target.mean"),
        ({"reach": 10**9}, blur, "reach in the manifest must be"),
    ],
)
def test_a_crafted_model_is_one_sentence(
    tmp_path: Path, change: dict[str, object], graph: Callable[[], bytes], words: str
) -> None:
    from cytopress.image import Image

    manifest = {**WHOLE, "target": TARGET, **change}
    package = write_package(tmp_path / "a.cytomodel", manifest, graphs={"network": graph()})
    with pytest.raises(PackageError) as caught:
        from_package(package).predict(Image(np.arange(1200, dtype=np.uint16).reshape(30, 40)))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
