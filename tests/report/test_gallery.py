import dataclasses

import pytest

from cytopress.report.gallery import gallery
from cytopress.results.curves import curves


def all_curves(study):
    return [curve for facts in study.datasets for curve in curves(study, facts.name)]


def test_every_kept_trial_is_in_the_page_and_shared_pictures_once(make_study):
    study = make_study(codecs=("jpegxl", "avif"), ratios=(5, 10, 20))
    found = gallery(study, all_curves(study))
    assert (found.shown, found.kept, found.complete) == (6, 6, True)
    assert len({entry["original"] for entry in found.entries}) == 1
    assert len({entry["truth"] for entry in found.entries}) == 1
    assert len({entry["decoded"] for entry in found.entries}) == 3


def test_a_spent_budget_leaves_every_codec_with_some(make_study):
    study = make_study(codecs=("jpegxl", "avif", "jpeg"), ratios=(5, 10, 20, 40, 80), pictured=4)
    whole = gallery(study, all_curves(study))
    size = sum(map(len, whole.pictures.values()))
    cut = gallery(study, all_curves(study), budget=size // 5)
    assert cut.kept == whole.shown == 3 * 5 * 4
    assert 0 < cut.shown < cut.kept
    assert not cut.complete
    assert {entry["codec"] for entry in cut.entries} == {"jpegxl", "avif", "jpeg"}
    assert sum(map(len, cut.pictures.values())) < size / 4


def test_a_trial_that_several_models_judged_is_shown_once(make_study):
    study = make_study(codecs=("jpegxl",), ratios=(5, 10, 20))
    more = [dataclasses.replace(trial, seed=1) for trial in study.trials]
    both = dataclasses.replace(study, trials=(*study.trials, *more))
    found = gallery(both, all_curves(both))
    assert (found.shown, found.kept, found.complete) == (3, 3, True)
    assert found.entries == gallery(study, all_curves(study)).entries


@pytest.mark.parametrize("task", [True, False])
def test_pictures_of_a_task_are_there_if_it_predicted(make_study, task):
    study = make_study(task=task)
    kinds = {kind for entry in gallery(study, all_curves(study)).entries for kind in entry}
    assert {"original", "decoded", "error"} <= kinds
    assert ({"prediction", "predictionDecoded", "truth"} <= kinds) is task


def test_a_study_without_pictures_has_an_empty_gallery(make_study):
    study = make_study(pictured=0)
    assert gallery(study, all_curves(study)).entries == []
