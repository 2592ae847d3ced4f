"""LIF through bioio-lif itself: an archive of its images, read plane by plane."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.formats.images import read
from fakes.archives import in_this_process
from fakes.lif_file import write_lif

pytest.importorskip("yaozarrs")
bioio_lif = pytest.importorskip("bioio_lif", reason="needs bioio-lif")

RANDOM = np.random.default_rng(0)
IMAGES = {
    "Serie ü 1": RANDOM.poisson(300, (2, 3, 2, 40, 48)).astype(np.uint16),
    "Serie 2": RANDOM.poisson(300, (1, 1, 2, 32, 36)).astype(np.uint16),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "slide.lif"
    write_lif(path, IMAGES, channels=["Green", "Red"], bits=12, step_um=0.5)
    return path


def test_pixels_names_and_distances_are_read(source: Path) -> None:
    images = read(source, select={"S": 0, "C": "Red"})
    assert [image.name for image in images] == ["C=Red,T=0,S=0", "C=Red,T=1,S=0"]
    np.testing.assert_array_equal(images[1].pixels, IMAGES["Serie ü 1"][1, :, 1])
    assert images[0].spacing_um == pytest.approx((0.5, 0.5, 0.5))


def test_an_archive_of_its_images(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)
    make_plan([source], tmp_path / "out", Wanted(codec="jpegls:max_error=2", chunk=64))
    assert run(tmp_path / "out").complete
    for number, pixels in enumerate(IMAGES.values()):
        group = zarr.open_group(str(tmp_path / "out" / f"slide_{number}.ome.zarr"), mode="r")
        error = np.abs(group["0"][:].transpose(0, 2, 1, 3, 4).astype(int) - pixels)
        assert error.max() == 2
        ome = group.attrs["ome"]
        assert [one["label"] for one in ome["omero"]["channels"]] == ["Green", "Red"]
        scale = ome["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"]
        assert scale[-2:] == pytest.approx([0.5, 0.5])
    assert verify(tmp_path / "out", depth="full", against=source).passed


def test_one_plane_is_read_for_one_plane(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = []
    reader = bioio_lif.Reader
    whole = reader._get_image_data

    def noted(*args: object, **options: object) -> np.ndarray:
        pixels = whole(*args, **options)
        shapes.append(pixels.shape)
        return pixels

    monkeypatch.setattr(reader, "_get_image_data", staticmethod(noted))
    (image,) = read(source, select={"S": 0, "C": 0, "T": 0, "Z": 1})
    np.testing.assert_array_equal(image.pixels, IMAGES["Serie ü 1"][0, 1, 0])
    assert [np.prod(shape) for shape in shapes] == [40 * 48]
