"""Label images are written in as many bits as their objects need, and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.errors import ImageError, UsageError
from cytopress.formats.images import read_labels, read_shape
from cytopress.formats.labels import write_labels
from cytopress.image import Image


def _labels(most: int) -> tuple[np.ndarray, Image]:
    labels = np.zeros((20, 30), np.int32)
    labels[3:9, 4:20], labels[12, 5] = 7, most
    return labels, Image(np.ones((20, 30), np.float32), spacing_um=(0.5, 0.25), name="cells")


@pytest.mark.parametrize(
    ("most", "dtype"), [(9, np.uint16), (65_535, np.uint16), (65_536, np.uint32)]
)
def test_read_back(tmp_path: Path, most: int, dtype: type) -> None:
    labels, like = _labels(most)
    write_labels(tmp_path / "labels.ome.tif", labels, like)
    found = read_labels(tmp_path / "labels.ome.tif")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, labels)


def test_spacing_and_name_are_the_image_s(tmp_path: Path) -> None:
    for most in (9, 70_000):
        path = tmp_path / f"{most}.ome.tif"
        write_labels(path, *_labels(most))
        with tifffile.TiffFile(path) as file:
            metadata = file.ome_metadata
        assert 'PhysicalSizeY="0.5"' in metadata
        assert 'PhysicalSizeX="0.25"' in metadata
        assert 'Name="cells"' in metadata
        assert read_shape(path) == (20, 30)


def test_equal_labels_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        write_labels(tmp_path / name, *_labels(70_000))
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_png_takes_what_16_bits_can_number(tmp_path: Path) -> None:
    labels, like = _labels(65_535)
    write_labels(tmp_path / "labels.png", labels, like)
    np.testing.assert_array_equal(read_labels(tmp_path / "labels.png"), labels)
    with pytest.raises(UsageError, match="65536 objects need 32 bits"):
        write_labels(tmp_path / "more.png", *_labels(65_536))
    assert [path.name for path in tmp_path.iterdir()] == ["labels.png"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    for most in (9, 70_000):
        with pytest.raises((UsageError, ImageError), match="none"):
            write_labels(tmp_path / "none" / "labels.tif", *_labels(most))
