"""Objects against scikit-image's measurements, and what is no label image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import regionprops_table

from cytopress.errors import TaskError
from cytopress.image import Image
from cytopress.tasks.objects import (
    Objects,
    as_objects,
    measure_objects,
    relative_error,
    without_small,
)


def _image(*shape: int) -> Image:
    counts = np.random.default_rng(1).integers(100, 60_000, shape)
    return Image(counts.astype(np.uint16))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_measured_as_scikit_image_does(dtype: type) -> None:
    """With gaps in the numbering, and objects in several pieces."""
    image = _image(40, 50)
    labels = np.random.default_rng(2).choice([0, 0, 3, 4, 90, 200], (40, 50)).astype(dtype)
    found = measure_objects(labels, image)
    expected = regionprops_table(
        labels.astype(np.int64), image.pixels, properties=("area", "intensity_mean")
    )
    assert found.count == 4
    np.testing.assert_allclose(found.area, expected["area"])
    np.testing.assert_allclose(found.intensity, expected["intensity_mean"])
    assert (found.labels.dtype, found.labels.shape) == (np.int32, labels.shape)
    for number, name in enumerate((0, 3, 4, 90, 200)):
        np.testing.assert_array_equal(found.labels == number, labels == name)


def test_a_volume_is_measured_as_scikit_image_does_in_micrometers() -> None:
    counts, spacing = np.random.default_rng(1).integers(100, 60_000, (9, 20, 30)), (0.5, 0.2, 0.1)
    image = Image(counts.astype(np.uint16), spacing_um=spacing)
    labels = np.random.default_rng(2).choice([0, 0, 1, 2, 3], (9, 20, 30))
    found = measure_objects(labels, image)
    table = ("area", "intensity_mean")
    expected = regionprops_table(labels, image.pixels, properties=table, spacing=spacing)
    np.testing.assert_allclose(found.physical_size, expected["area"])
    np.testing.assert_allclose(found.intensity, expected["intensity_mean"])
    assert measure_objects(labels, Image(image.pixels)).physical_size is None


@pytest.mark.parametrize("name", [1, 2, 2**16, 2**32 - 1])
def test_no_background_at_all(name: int) -> None:
    image = _image(6, 7)
    found = measure_objects(np.full((6, 7), name, np.uint32), image)
    assert found.area.tolist() == [42]
    assert found.intensity == pytest.approx(image.pixels.mean())
    assert (found.labels == 1).all()


def test_no_object() -> None:
    found = measure_objects(np.zeros((6, 7), np.uint8), _image(6, 7))
    assert found.count == 0
    assert found.area.shape == found.intensity.shape == (0,)
    assert not found.labels.any()


def test_great_numbers_need_no_memory() -> None:
    labels = np.zeros((5, 5), np.uint64)
    labels[0, 0], labels[4, 4] = 2**63, 2**40
    found = measure_objects(labels, _image(5, 5))
    # In the order of their numbers.
    assert (found.labels[4, 4], found.labels[0, 0]) == (1, 2)


@pytest.mark.parametrize("dtype", [np.float32, bool])
def test_labels_are_integers(dtype: type) -> None:
    with pytest.raises(TaskError, match="integers"):
        measure_objects(np.zeros((6, 7), dtype), _image(6, 7))


def test_negative_labels_are_refused() -> None:
    with pytest.raises(TaskError, match="one is -1"):
        measure_objects(np.full((6, 7), -1), _image(6, 7))


def test_shapes_must_match() -> None:
    with pytest.raises(TaskError, match=r"\(6, 7\).*not of \(7, 6\)"):
        measure_objects(np.zeros((6, 7), int), _image(7, 6))


def test_small_objects_go_and_the_rest_keep_their_numbers() -> None:
    labels = np.array([[1, 0, 2, 2], [3, 3, 3, 0]])
    np.testing.assert_array_equal(without_small(labels, 2), [[0, 0, 2, 2], [3, 3, 3, 0]])
    np.testing.assert_array_equal(without_small(labels, 0), labels)
    assert not without_small(labels, 4).any()


def test_only_objects_of_one_shape_are_compared() -> None:
    small, large = (measure_objects(np.zeros((n, n), int), _image(n, n)) for n in (4, 5))
    assert isinstance(as_objects("it", small, small)[0], Objects)
    with pytest.raises(TaskError, match=r"equal shape, not \(4, 4\) against \(5, 5\)"):
        as_objects("it", small, large)
    for pair in ((small, _image(4, 4)), ({"count": 1.0}, small)):
        with pytest.raises(TaskError, match="it scores objects"):
            as_objects("it", *pair)


def test_relative_error() -> None:
    assert relative_error(102, 100) == pytest.approx(0.02)
    assert relative_error(98, 100) == pytest.approx(0.02)
    assert relative_error(-98, -100) == pytest.approx(0.02)
    assert relative_error(0, 0) == 0
    assert relative_error(7, 0) == 1
