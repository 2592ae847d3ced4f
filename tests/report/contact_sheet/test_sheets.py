"""Contact sheets, read back by another decoder and an HTML parser."""

from __future__ import annotations

import base64
from dataclasses import replace
from html.parser import HTMLParser

import imagecodecs
import numpy as np
import pytest

from cytopress.image import Image
from cytopress.quick_look.advice import advise
from cytopress.quick_look.cells import Cell
from cytopress.quick_look.look import QuickLook
from cytopress.quick_look.properties import image_properties
from cytopress.report.contact_sheet import write_page, write_picture
from cytopress.report.contact_sheet.tiles import bytes_text, tiles
from cytopress.tasks.builtin.measurement import Measurement
from fakes.planted_fields import camera, fluorescence_light

FULL = slice(0, 160), slice(0, 160)


class Page(HTMLParser):
    """Texts, pictures and other addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.addresses, self.text = {}, [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        address = given.get("src") or given.get("href")
        if tag == "img":
            data = base64.b64decode(address.partition(",")[2])
            self.pictures.setdefault(given["alt"], []).append(imagecodecs.png_decode(data))
        elif address:
            self.addresses.append(address)

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def image():
    return camera(fluorescence_light(side=160))


@pytest.fixture
def look(image):
    properties = image_properties(image)
    brighter = image.with_pixels(image.pixels + np.uint16(50))
    cells = [
        Cell(codec="made-up", size=10, coded_bytes=5120, ratio=10, psnr=40, sigma=1.5,
             decoded=image),
        Cell(codec="made-up", size=20, coded_bytes=2000, ratio=25.6, psnr=30.25, sigma=0.123,
             decoded=brighter),
    ]  # fmt: skip
    refused = [Cell(codec="b<i>", size=size, error="no setting & none") for size in (10, 20)]
    return QuickLook(
        title="cells & <b>",
        notes=("plane 3 of 0 to 7",),
        image=image,
        crop=FULL,
        original=image,
        lossless=("jpegls", 2.5),
        properties=properties,
        advice=advise(properties),
        sizes=(10, 20),
        rows=(tuple(cells), tuple(refused)),
    )


def page_of(looks, path):
    write_page(looks, path, source="my <cells>.tif")
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_holds_everything_that_it_shows(look, tmp_path):
    page = page_of([look], tmp_path / "sheet.html")
    assert page.addresses == []
    assert "http" not in (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert {kind: len(found) for kind, found in page.pictures.items()} == {
        "whole": 1,
        "original": 1,
        "decoded": 2,
        "difference": 2,
    }


def test_names_and_reasons_are_escaped(look, tmp_path):
    page = page_of([look, replace(look, title="other")], tmp_path / "sheet.html")
    for text in ("my <cells>.tif", "cells & <b>", "b<i>", "no setting & none", "other"):
        assert text in page.text


def test_the_numbers_of_a_cell_are_below_it(look, tmp_path):
    text = page_of([look], tmp_path / "sheet.html").text
    for part in ("5.12 kB, 10x", "40.0 dB, 1.5 noise", "2 kB, 26x", "30.2 dB, 0.12 noise"):
        assert part in text
    assert "plane 3 of 0 to 7".capitalize() in text
    assert look.advice.sentence.replace("`", "") in text


def test_a_shift_of_all_pixels_is_one_color_and_no_error_is_white(look, tmp_path):
    same, shifted = page_of([look], tmp_path / "sheet.html").pictures["difference"]
    assert len(np.unique(same.reshape(-1, 3), axis=0)) == 1
    assert (same[0, 0] > 240).all()
    red, green, blue = (int(value) for value in shifted[0, 0])
    assert red > green
    assert red > blue
    assert len(np.unique(shifted.reshape(-1, 3), axis=0)) == 1


def test_originals_and_decoded_images_share_one_display_range(look, tmp_path):
    page = page_of([look], tmp_path / "sheet.html")
    assert np.array_equal(page.pictures["original"][0], page.pictures["decoded"][0])
    assert (page.pictures["decoded"][1] >= page.pictures["original"][0]).all()


def test_objects_are_drawn_with_edges(look, image):
    task = Measurement()
    found = task.predict(image)
    cell = replace(look.rows[0][0], prediction=found, score=0.0123)
    shown = tiles(replace(look, task=task, prediction=found, rows=((cell,),)))
    [tile] = shown.rows[0]
    drawn = tile.pictures[-1].levels
    assert ((drawn > 0) == (found.labels > 0)).all()
    assert set(np.unique(drawn)) == {0, 90, 255}
    assert tile.caption[-1] == "intensity error 0.0123"


def test_the_picture_is_a_png_with_room_for_every_cell(look, tmp_path):
    path = tmp_path / "sheet.png"
    write_picture(look, path)
    sheet = imagecodecs.png_decode(path.read_bytes())
    assert sheet.shape[1] > 2 * 2 * 160
    assert sheet.shape[0] > 3 * 160
    # The decoded image lies on it as it is.
    shown = tiles(look).rows[0][0].pictures[0].levels
    grey = sheet[..., 0].astype(int)
    places = np.argwhere(grey[:-160, :-160] == int(shown[0, 0]))
    assert any(np.array_equal(grey[y : y + 160, x : x + 160], shown) for y, x in places)


def test_small_pictures_are_enlarged_by_whole_pixels(look):
    small = Image(look.image.pixels[:40, :33])
    cell = replace(look.rows[0][0], decoded=small)
    crop = slice(0, 40), slice(0, 33)
    shown = tiles(replace(look, image=small, original=small, crop=crop, rows=((cell,),)))
    levels = shown.rows[0][0].pictures[0].levels
    assert levels.shape == (80, 66)
    assert np.array_equal(levels[::2, ::2], levels[1::2, 1::2])


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (52_430, "52.4 kB"), (999_499, "999 kB"),
     (999_500, "1 MB"), (2_100_000, "2.1 MB")],
)  # fmt: skip
def test_bytes_are_written_as_people_write_them(count, text):
    assert bytes_text(count) == text
