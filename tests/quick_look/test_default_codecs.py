"""The codecs of a study without --codec: at the target that a quick look at its images advises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from cytopress.codecs.spec import codec
from cytopress.datasets.image_folder import open_image_folder
from cytopress.formats.images import write
from cytopress.image import Image
from cytopress.quick_look.advice import advise
from cytopress.quick_look.default_codecs import DefaultCodecs, default_codecs
from cytopress.quick_look.fields import find_channels
from cytopress.quick_look.properties import image_properties
from fakes.plate import cells, write_plate


def codecs_of(folder: Path) -> DefaultCodecs:
    return default_codecs(open_image_folder(folder).datasets)


def targets_of(found: DefaultCodecs) -> set[str]:
    """Return the targets that the specs ask for, as the parser of specs understands them."""
    asked = [codec(spec.partition(",")[0]).asked for spec in found.specs]
    return {one[0] for one in asked if one is not None}


def write_filtered(folder: Path, *, shift: int = 0, name: str = "field{}_GFP.tif") -> None:
    """Write fields without noise, as a deconvolution leaves them."""
    folder.mkdir(exist_ok=True)
    for field in (1, 2, 3):
        smooth = ndimage.gaussian_filter(cells((field, 9)).astype(float), 3) * 2**shift
        image = Image(np.rint(smooth).astype(np.uint16))
        write(folder / name.format(field), [image])


def test_where_noise_is_measured_the_codecs_are_asked_in_its_units(tmp_path: Path) -> None:
    found = codecs_of(write_plate(tmp_path / "a", fields=(1, 2), stains=("DNA", "ER")))
    assert targets_of(found) == {"sigma"}
    assert found.specs[0] == "jpegls"
    assert "as `try` advises; --codec gives others" in found.sentence


def test_where_a_filter_hides_it_bounds_of_the_error_span_the_range(tmp_path: Path) -> None:
    write_filtered(tmp_path / "a")
    found = codecs_of(tmp_path / "a")
    assert targets_of(found) == {"max_error"}
    values = [float(one) for one in found.specs[-1].partition("=")[2].split(",")]
    (fields,) = find_channels(tmp_path / "a").values()
    span = max(np.ptp(one.read().pixels) for one in fields)
    assert span / 400 < values[0] < values[-1] < span / 16
    # Four times the counts, four times the bounds.
    write_filtered(tmp_path / "b", shift=2)
    more = codecs_of(tmp_path / "b").specs[-1].partition("=")[2].split(",")
    assert [float(one) for one in more] == [4 * one for one in values]


def test_channels_that_differ_get_both_and_are_named(tmp_path: Path) -> None:
    folder = write_plate(tmp_path / "a", fields=(1, 2, 3), stains=("DNA",))
    write_filtered(folder)
    found = codecs_of(folder)
    assert targets_of(found) == {"sigma", "max_error"}
    assert "sigma=0.25,0.5,1,2, as `try` advises for DNA;" in found.sentence
    assert "as `try` advises for GFP;" in found.sentence


@pytest.mark.parametrize("kind", ["noisy", "filtered", "uneven"])
def test_what_is_asked_is_advised_by_a_quick_look_and_never_advised_against(
    tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "a"
    if kind == "filtered":
        write_filtered(folder)
    else:
        write_plate(folder, fields=(1, 2, 3), stains=("DNA",))
    if kind == "uneven":
        empty = np.random.default_rng(0).poisson(100, (64, 64)).astype(np.uint16)
        write(folder / "field4_DNA.tif", [Image(empty)])
    (fields,) = find_channels(folder).values()
    measured = [image_properties(one.read()) for one in fields]
    middle = sorted(measured, key=lambda one: one.signal)[len(measured) // 2]
    advice = advise(middle, measured)
    asked = targets_of(codecs_of(folder))
    assert asked == {advice.targets[0]}
    assert not asked & set(advice.avoid)
    assert ("ratio" in advice.avoid) is (kind == "uneven")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_codecs_take_the_pixels_and_even_blank_ones_have_some(
    tmp_path: Path, dtype: str
) -> None:
    (tmp_path / "a").mkdir()
    write(tmp_path / "a/x.tif", [Image(np.ones((16, 16), dtype))])
    found = codecs_of(tmp_path / "a")
    requests = [codec(spec.partition(",")[0]) for spec in found.specs]
    assert requests[0].asked is None
    assert len(requests) == 4
    assert all(dtype in request.family.traits.dtypes for request in requests)
