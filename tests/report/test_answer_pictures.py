"""Pictures of the answer: of the very setting, on the median and on the worst field."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image as Picture

from cytopress.report import write_report
from cytopress.report.answer_pictures import field_rows
from cytopress.results.recommendation import Criterion, recommend
from cytopress.results.recommendation.pictured import pictured_keys, shown_setting
from fakes.made_up_study import TASK

CRITERION = Criterion(task=TASK, margin=0.01)
FACTS = {"fields": 12, "groups": 6}


def shown(study):
    (found,) = recommend(study, CRITERION)
    setting = shown_setting(found)
    return setting, field_rows(study, setting, TASK)


def pixels(uri):
    return np.asarray(Picture.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))), float)


def by_field(study, setting):
    """The losses of a setting, from the trials alone."""
    column = f"{TASK}/pearson"
    return {
        trial.field: trial.scores[f"{column}/baseline"] - trial.scores[f"{column}/harm"]
        for trial in study.trials
        if (trial.codec, trial.target_value)
        == (setting.curve.codec, setting.point.trials[0].target_value)
    }


def test_median_and_worst_field_are_shown(make_study):
    study = make_study(pictured=12, **FACTS)
    setting, rows = shown(study)
    losses = by_field(study, setting)
    assert [row.role for row in rows] == ["Median field", "Worst field"]
    assert rows[1].one.field == max(losses, key=losses.get)
    below = sum(loss <= losses[rows[0].one.field] for loss in losses.values())
    assert below == 6
    assert all(len(row.pictures) == 5 for row in rows)


def test_pictures_are_of_that_setting_and_no_other(make_study):
    study = make_study(pictured=12, **FACTS)
    setting, rows = shown(study)
    for row in rows:
        alike = {}
        for trial in study.trials:
            if trial.field == row.one.field and trial.target:
                (decoded,) = [p for p in study.previews(trial.key) if p.kind == "decoded"]
                seen = pixels(row.pictures["decoded"])
                alike[trial.codec, trial.target_value] = np.corrcoef(
                    seen.ravel(), decoded.image.pixels.ravel()
                )[0, 1]
        # Pictures of one ratio are made alike for all codecs.
        _, ratio = max(alike, key=alike.get)
        assert ratio == setting.point.trials[0].target_value


def test_without_their_pictures_another_field_is_named_as_one(make_study):
    _, rows = shown(make_study(pictured=1, **FACTS))
    assert [(row.role, bool(row.pictures)) for row in rows] == [
        ("Median field", False),
        ("Worst field", False),
        ("Another field", True),
    ]
    assert rows[2].one.field == "f0"


def test_without_any_picture_the_page_says_so(make_study, report_extra, tmp_path):
    study = make_study(pictured=0, **FACTS)
    page = write_report(study, tmp_path / "report.html", [CRITERION]).read_text("utf-8")
    assert "Without a picture at this setting: median field" in page
    assert "Run the study again" in page
    assert not re.search(r'<div class="four">', page)


def test_a_study_is_asked_for_the_pictures_that_its_page_begins_with(make_study):
    study = make_study(pictured=0, **FACTS)
    setting, rows = shown(study)
    keys = pictured_keys(study, [CRITERION])
    trials = {trial.key: trial for trial in study.trials}
    assert [trials[key].field for key in keys] == [row.one.field for row in rows]
    assert {(trials[key].codec, trials[key].target_value) for key in keys} == {
        (setting.curve.codec, setting.point.trials[0].target_value)
    }


@pytest.mark.parametrize("fields", [1, 2])
def test_few_fields_are_named_for_what_they_are(make_study, fields):
    _, rows = shown(make_study(fields=fields, groups=1, pictured=2))
    expected = ["The one field"] if fields == 1 else ["Median field", "Worst field"]
    assert [row.role for row in rows] == expected
