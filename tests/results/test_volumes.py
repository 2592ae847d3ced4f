"""What the report says of volumes: made-up codecs with planted bytes, flicker and blur along z."""

import dataclasses
import math
import re

import pytest

from cytopress.report.gallery import gallery
from cytopress.report.page import write_report
from cytopress.results.axial_error import axial_errors
from cytopress.results.dataset_summary import dataset_summaries
from cytopress.results.headline import headline_text
from cytopress.results.train_test_matrix import matrix
from cytopress.results.volume_vs_plane import volume_vs_plane


@pytest.fixture
def page(tmp_path, report_extra):
    return lambda study: write_report(study, tmp_path / "r.html").read_text(encoding="utf-8")


def test_codecs_of_volumes_and_of_planes_stand_apart(make_volumes):
    study = make_volumes()
    (one,) = axial_errors(study, dataset_summaries(study))
    assert one.size == 80
    assert len(one.lines) == 6
    assert [line.row.curve.volumetric for line in one.lines] == sorted(
        (line.row.curve.volumetric for line in one.lines), reverse=True
    )
    for line in one.lines:
        expected = 0.6 / 0.8 if line.row.curve.volumetric else 1.0 / 0.5
        assert line.flicker == pytest.approx(expected)


def test_the_sentence_says_which_kind_flickers(make_volumes):
    study = make_volumes()
    (one,) = axial_errors(study, dataset_summaries(study))
    assert "3 codecs of whole volumes: 0.750; 3 codecs of single planes: 2.00." in one.text
    # 2 over 0.75
    assert "Codecs of single planes flicker more, 2.67 times as much as codecs of whole" in one.text


def test_the_sentence_claims_neither_where_there_is_none(make_volumes):
    study = make_volumes()
    even = {"pixels/variation_xy": 0.7, "pixels/variation_z": 0.71}
    trials = [dataclasses.replace(t, scores={**t.scores, **even}) for t in study.trials]
    study = dataclasses.replace(study, trials=trials)
    (one,) = axial_errors(study, dataset_summaries(study))
    assert one.text.endswith("Neither kind flickers more than the other.")


def test_planes_have_no_such_section(make_study, page):
    study = make_study()
    assert axial_errors(study, dataset_summaries(study)) == []
    assert volume_vs_plane(study, dataset_summaries(study)[0]) is None
    text = page(study)
    assert 'id="along-z"' not in text
    assert 'id="volumes"' not in text


def test_bytes_in_3d_against_2d_are_those_planted(make_volumes):
    study = make_volumes()
    compared = volume_vs_plane(study, dataset_summaries(study)[0])
    found = {
        (comparison.test.label, comparison.reference.label): comparison.results[0].rate.percent
        for comparison in compared.comparisons
    }
    # At every ratio asked the PSNR is the same, and the bytes are a fixed share.
    assert found == {
        ("hevc", "avif"): pytest.approx(100 * (0.5 / 1.0 - 1), abs=0.1),
        ("learned/deep", "learned/flat"): pytest.approx(100 * (0.2 / 0.4 - 1), abs=0.1),
        ("learned/deep", "hevc"): pytest.approx(100 * (0.2 / 0.5 - 1), abs=0.1),
    }
    assert all(
        math.isclose(comparison.results[0].rate.low, 31.5, abs_tol=0.6)
        for comparison in compared.comparisons
    )


def test_a_codec_alone_of_its_kind_is_its_best_one(make_volumes):
    study = make_volumes()
    # Learned codecs so much worse that no decibel is shared with JPEG 2000, nor with any other.
    trials = [
        dataclasses.replace(t, scores={**t.scores, "pixels/psnr": t.scores["pixels/psnr"] - 30})
        if t.codec.startswith("learned/")
        else t
        for t in study.trials
    ]
    study = dataclasses.replace(study, trials=trials)
    compared = volume_vs_plane(study, dataset_summaries(study)[0])
    found = {
        (comparison.test.label, comparison.reference.label): comparison.results[0].rate
        for comparison in compared.comparisons
        if comparison.test.learned and comparison.reference.learned
    }
    assert found["learned/deep", "learned/flat"].percent == pytest.approx(-50, abs=0.1)


def test_a_study_without_codecs_of_one_kind_compares_nothing(make_volumes, page):
    study = make_volumes()
    flat = [trial for trial in study.trials if not trial.volumetric]
    study = dataclasses.replace(study, trials=flat)
    compared = volume_vs_plane(study, dataset_summaries(study)[0])
    assert compared.comparisons == []
    assert "no pair of a codec in 3D and one in 2D" in compared.reason
    assert "3D against 2D" not in page(study)


@pytest.mark.parametrize("task", [True, False])
def test_the_page_holds_both_tables(make_volumes, page, task):
    text = page(make_volumes(task=task))
    part = text[text.index('<section id="volumes">') :]
    part = part[: part.index("</section>")]
    assert "Simulated cells" in part
    assert "classic: 3D to 2D" in part
    assert "<strong>−50 %</strong>" in part
    assert ("labelfree/cells" in part) is task
    along = text[text.index('<section id="along-z">') : text.index('<section id="volumes">')]
    assert "Simulated cells" in along
    assert re.search(r"0\.500 <span class=\"sub\">\(0\.250\)", along)
    assert "planes 0.5 µm apart" in text


def test_sections_of_a_volume_have_their_pictures_and_shape(make_volumes):
    study = make_volumes()
    curves = [curve for each in dataset_summaries(study) for curve in each.curves]
    entry = gallery(study, curves).entries[0]
    xz, yz = entry["sections"]
    assert (entry["width"], entry["height"]) == (64, 64)
    # 24 planes 0.5 µm apart are as long as 48 pixels of 0.25 µm.
    assert (xz["section"], xz["width"], xz["height"]) == ("XZ", 64, 48)
    assert (yz["section"], yz["width"], yz["height"]) == ("YZ", 48, 64)
    assert entry["cross"] == [
        pytest.approx(16.5 / 64, abs=1e-4),
        pytest.approx(40.5 / 64, abs=1e-4),
    ]
    kinds = ("original", "decoded", "error", "prediction", "predictionDecoded", "truth")
    assert all(kind in part for part in (entry, xz, yz) for kind in kinds)
    assert entry["title"] == "Simulated cells"


def test_pixels_of_unknown_size_are_squares(make_volumes):
    study = make_volumes()
    known = study.previews

    def bare(key):
        return [
            dataclasses.replace(p, image=dataclasses.replace(p.image, spacing_um=None))
            for p in known(key)
        ]

    study = dataclasses.replace(study, previews=bare)
    curves = [curve for each in dataset_summaries(study) for curve in each.curves]
    xz, yz = gallery(study, curves).entries[0]["sections"]
    assert (xz["width"], xz["height"], yz["width"], yz["height"]) == (64, 24, 24, 64)


def test_the_finding_is_told_in_numbers(make_trainings):
    """0.04 is lost of 0.925 by models of originals, 0.03 won back: planted."""
    study = make_trainings()
    (found,) = dataset_summaries(study)
    (score,) = found.main_scores
    text = headline_text(found, score, matrix(study, "cells", score))
    assert text.startswith("Where the task loses most, ")
    assert "PSNR 40.0 dB against the originals" in text or "PSNR 42.0 dB" in text
    assert re.search(r"reach Pearson r 0\.88\d+, from the originals 0\.9250", text)
    assert "not told from zero" not in text
    assert re.search(r"of this very setting reach 0\.91\d+\.$", text)


def test_no_loss_is_not_called_one(make_trainings):
    study = make_trainings()

    def even(trial):
        base = trial.scores["labelfree/cells/pearson/baseline"]
        wobble = 0.01 if trial.field in ("f0", "f2", "f4") else -0.01
        scores = {**trial.scores, "labelfree/cells/pearson/harm": base + wobble}
        return dataclasses.replace(trial, scores=scores)

    study = dataclasses.replace(study, trials=[even(trial) for trial in study.trials])
    (found,) = dataset_summaries(study)
    (score,) = found.main_scores
    assert "which is not told from zero" in headline_text(found, score, None)
