"""The pictures of the documentation can be drawn again, and are small enough for a page."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(ROOT / "docs" / "pictures.py"))


def drawn(name):
    return np.asarray(Picture.open(PICTURES / name).convert("RGB")).astype(float)


def likeness(one, other):
    """Return the correlation of two pictures of one shape."""
    assert one.shape == other.shape
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize(
    ("function", "name"),
    [
        pytest.param("twenty_times_smaller", "twenty-times-smaller.png", marks=pytest.mark.extras),
        ("psnr_or_sigma", "psnr-or-sigma.png"),
        ("ratio_of_uneven_fields", "ratio-of-uneven-fields.png"),
    ],
)
def test_the_script_draws_what_the_docs_show(script, function, name):
    again = np.asarray(script[function]()).astype(float)
    # Another release of a codec moves the noise of a picture, not what it shows.
    assert likeness(again, drawn(name)) > 0.95


def test_every_picture_is_shown_and_that_of_the_readme_is_small():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    shown = set(re.findall(r"pictures/([\w-]+\.png)", text))
    assert shown == {path.name for path in PICTURES.iterdir()}
    [first] = re.findall(r"!\[[^\]]*\]\((.*?)\)", PAGES[0].read_text(encoding="utf-8"))
    assert (ROOT / first).stat().st_size < 400_000
    assert all(path.stat().st_size < 700_000 for path in PICTURES.iterdir())


def test_the_sentences_about_the_made_pictures_hold(script):
    rms, made, cytopress = script["rms"], script["made_field"], script["cytopress"]

    def error(image, spec):
        return rms(image, cytopress.decode(cytopress.encode(image, spec)))

    assert error(made(30, 5), "jpegxl:psnr=40") > 2
    assert error(made(30, 5), "jpegxl:sigma=1,a=2,b=16,offset=100") <= 1.02
    assert error(made(150, 2), "jpegxl:ratio=25") > 1.2 * error(made(4, 1), "jpegxl:ratio=25")
