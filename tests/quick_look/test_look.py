"""The numbers of a quick look, against encodes and formulas of its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

import cytopress
from cytopress.errors import ImageError, TaskError
from cytopress.image import Image
from cytopress.quick_look import look as module
from cytopress.quick_look.cells import Cell
from cytopress.quick_look.fields import find_channels
from cytopress.quick_look.look import CODECS, FLOAT_CODECS, PART, classic_ahead, quick_look
from cytopress.tasks.builtin.measurement import Measurement
from fakes.planted_fields import camera, fluorescence_light


@pytest.fixture
def fast(monkeypatch):
    """Leave out the codecs that take seconds."""
    monkeypatch.setattr(module, "CODECS", ("htj2k", "jpegls"))


def look_at(folder, *images, **options):
    for number, image in enumerate(images):
        cytopress.write(folder / f"{number}.tif", [image])
    [fields] = find_channels(folder).values()
    return quick_look(fields, title="cells", **options)


def test_every_cell_is_what_an_encode_of_the_image_gives(tmp_path, fast):
    image = camera(fluorescence_light())
    found = look_at(tmp_path, image)
    assert [cell.codec for cell in (row[0] for row in found.rows)] == ["htj2k", "jpegls"]
    noise = found.properties.noise.model
    for cell in found.rows[0]:
        data = cytopress.encode(image, f"htj2k:ratio={cell.size}")
        assert cell.coded_bytes == len(data)
        assert cell.ratio == pytest.approx(2 * 256 * 256 / len(data))
        decoded = cytopress.decode(data).pixels
        assert np.array_equal(cell.decoded.pixels, decoded[found.crop])
        error = decoded.astype(float) - image.pixels
        rms = math.sqrt(np.mean(error**2))
        assert cell.psnr == pytest.approx(20 * math.log10(found.properties.data_range / rms))
        variance = noise.a * np.maximum(image.pixels - noise.offset, 0) + noise.b
        assert cell.sigma == pytest.approx(math.sqrt(np.mean(error**2 / variance)))


def test_sizes_begin_beyond_lossless_coding(tmp_path, fast):
    found = look_at(tmp_path, camera(fluorescence_light()))
    lossless = 2 * 256 * 256 / len(cytopress.encode(found.image, found.lossless[0]))
    assert found.lossless[1] == pytest.approx(lossless)
    assert len(found.sizes) == 4
    assert found.sizes[0] > 1.5 * lossless
    assert found.sizes[0] / 2 <= 1.5 * lossless or found.sizes[0] == 5
    assert all(b == 2 * a for a, b in zip(found.sizes, found.sizes[1:], strict=False))


def test_an_image_of_one_value_has_the_largest_sizes(tmp_path, fast):
    found = look_at(tmp_path, Image(np.full((256, 256), 7, np.uint16)))
    assert found.sizes[-1] == module.SIZES[-1]
    assert found.advice.kind == "blank"


def test_five_codecs_take_integers_and_five_take_floats(tmp_path):
    assert len(CODECS) == len(FLOAT_CODECS) == 5
    image = camera(fluorescence_light(side=64))
    (tmp_path / "floats").mkdir()
    found = look_at(tmp_path, image)
    floats = Image(image.pixels.astype(np.float32) / 3)
    of_floats = look_at(tmp_path / "floats", floats)
    assert tuple(row[0].codec for row in found.rows) == CODECS
    assert tuple(row[0].codec for row in of_floats.rows) == FLOAT_CODECS
    for one in (found, of_floats):
        assert sum(cell.decoded is not None for row in one.rows for cell in row) >= 15


def test_a_size_that_a_codec_cannot_reach_is_said(tmp_path, fast):
    # Near-lossless coding goes as far as 255 counts, and this noise is larger.
    random = np.random.default_rng(0)
    pixels = random.integers(0, 65535, (64, 64)).astype(np.uint16)
    [cell] = {row[-1] for row in look_at(tmp_path, Image(pixels)).rows if row[0].codec == "jpegls"}
    assert cell.decoded is None
    assert "no setting reaches" in cell.error


def test_of_several_fields_the_middle_one_is_shown(tmp_path, fast):
    counts = (30, 5, 90)
    found = look_at(tmp_path, *(camera(fluorescence_light(count)) for count in counts))
    assert np.array_equal(found.image.pixels, camera(fluorescence_light(30)).pixels)
    assert "0.tif, the middle one of 3 fields" in found.notes[0]
    assert "ratio" in found.advice.avoid


def test_of_a_large_image_the_part_that_shows_most_is_coded(tmp_path, fast, monkeypatch):
    assert PART == 1024
    monkeypatch.setattr(module, "PART", 128)
    light = np.full((300, 320), 20.0)
    light[160:256, 200:296] = fluorescence_light(side=96)
    found = look_at(tmp_path, camera(light))
    assert found.image.shape == (128, 128)
    assert found.original.pixels.max() > 5000
    assert found.notes == ("the 128 x 128 pixels that show most, of 300 x 320",)


def test_a_task_predicts_from_every_decoded_image(tmp_path, fast):
    image, task = camera(fluorescence_light()), Measurement()
    found = look_at(tmp_path, image, task=task)
    for cell in found.rows[0]:
        decoded = cytopress.decode(cytopress.encode(image, f"htj2k:ratio={cell.size}"))
        expected = task.predict(decoded)
        assert cell.score == pytest.approx(
            abs(expected.intensity.mean() / task.predict(image).intensity.mean() - 1)
        )
        assert np.array_equal(cell.prediction.labels, expected.labels[found.crop])


def test_progress_ends_with_every_cell(tmp_path, fast):
    seen = []
    look_at(tmp_path, camera(fluorescence_light()), progress=lambda *step: seen.append(step))
    assert [done for done, _, _ in seen] == list(range(10))
    assert seen[-1][0] == seen[-1][1]


def test_a_tiny_image_is_refused(tmp_path):
    with pytest.raises(ImageError, match="at least 32 x 32 pixels, and the image has 31 x 40"):
        look_at(tmp_path, Image(np.zeros((31, 40), np.uint8)))


def test_a_row_that_fails_stops_the_others(tmp_path, fast):
    class Failing:
        name, weights, truth, scores = "failing", "", "none", Measurement.scores
        calls = 0

        def predict(self, image):
            self.calls += 1
            if self.calls > 2:
                raise TaskError("enough")
            return Measurement().predict(image)

        def score(self, *arguments):
            return Measurement().score(*arguments)

    task = Failing()
    with pytest.raises(TaskError, match="enough"):
        look_at(tmp_path, camera(fluorescence_light()), task=task)
    assert task.calls < 6


def test_types_that_only_lossless_codecs_take_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOSSY_TYPES", ("float32",))
    with pytest.raises(ImageError, match="take float32 and not uint16"):
        look_at(tmp_path, camera(fluorescence_light(side=64)))


OURS = "learned/cytopress-2d"


def test_a_size_is_named_at_which_a_classic_codec_loses_less_than_the_learned_one() -> None:
    names, psnrs = (OURS, "jpegxl", "avif"), ((48.0, 40.0), (52.0, 39.0), (0.0, 41.0))
    rows = [
        [Cell(codec=name, size=size, psnr=psnr) for size, psnr in zip((4, 16), row, strict=True)]
        for name, row in zip(names, psnrs, strict=True)
    ]
    rows[2][0] = Cell(codec="avif", size=4, error="no setting")
    assert classic_ahead(rows) == [
        f"at 4x jpegxl loses less than {OURS} (52.0 against 48.0 dB)",
        f"at 16x avif loses less than {OURS} (41.0 against 40.0 dB)",
    ]
    assert classic_ahead(rows[:1]) == []
    assert classic_ahead(rows[1:]) == []
