import dataclasses

import pytest

from cytopress.results.dataset_summary import dataset_summaries
from cytopress.results.summary_text import progress_text, split_text, summary_text


def text_of(results):
    (found,) = dataset_summaries(results)
    return summary_text(found, found.main_scores[0])


@pytest.mark.parametrize(
    ("split", "text"),
    [
        ({"train": {"a": ("f",)}, "test": {"b": ("g",)}}, "No group is in two parts"),
        (
            {"train": {"a": ("f",)}, "validation": {"a": ("h",)}, "test": {"b": ("g",)}},
            "The test groups are in no other part",
        ),
        ({"train": {"a": ("f",)}, "test": {"a": ("g",)}}, "Caution: a of the test part"),
    ],
)
def test_split_says_whether_groups_are_shared(make_facts, split, text):
    assert split_text(dataclasses.replace(make_facts(), split=split)).startswith(text)


def test_codecs_that_went_as_far_are_named_together(make_study):
    text = text_of(make_study(codecs=("jpeg", "jpegxl", "avif"), ratios=(5, 10)))
    assert "about 10x smaller, with 3 of 3 codecs: jpeg, jpegxl, avif" in text
    assert "No loss is seen at any tested size." in text


def test_a_codec_that_went_further_is_named_alone(make_study):
    text = text_of(
        make_study(codecs=("jpeg", "jpegxl", "avif", "jpegxr", "htj2k", "sperr", "lerc"), fields=8)
    )
    assert "no loss of the task’s Pearson r seen come from lerc: 40x smaller" in text
    assert "A loss is seen for 7 of 7 codecs, first at 20x (jpeg)" in text


def test_one_group_is_a_caution(make_study):
    assert "All fields are of one group" in text_of(make_study(groups=1))
    assert "All fields are of one group" not in text_of(make_study(groups=2))


def test_few_groups_are_a_caution_and_five_are_none(make_study):
    assert "The fields are of 2 groups, too few to draw from" in text_of(make_study(groups=2))
    assert "too few to draw from" not in text_of(make_study(groups=5))


def test_progress_is_told_only_while_there_is_some():
    assert progress_text(10, 10) == ""
    assert progress_text(1200, 3000).startswith("This study is not finished: 1,200 of 3,000")


def test_settings_that_lack_a_field_are_not_taken_for_harmless(make_study):
    study = make_study(ratios=(5, 10))
    trials = [t for t in study.trials if not (t.field == "f5" and t.target_value == 10)]
    text = text_of(dataclasses.replace(study, trials=trials))
    assert "No loss is seen at any tested size" not in text
    assert "3 settings of 6 cannot be judged" in text


def test_fields_that_a_task_failed_on_are_counted(make_study):
    study = make_study()
    trials = [
        dataclasses.replace(t, scores={"pixels/psnr": 40.0}, error="no objects")
        if t.field in ("f1", "f4")
        else t
        for t in study.trials
    ]
    assert "labelfree/cells gave no score on 2 of 6 fields." in text_of(
        dataclasses.replace(study, trials=trials)
    )
    assert "gave no score" not in text_of(study)


def test_a_task_that_failed_everywhere_was_run_all_the_same(make_study):
    study = make_study()
    trials = [dataclasses.replace(t, scores={"pixels/psnr": 40.0}) for t in study.trials]
    text = text_of(dataclasses.replace(study, trials=trials))
    assert "labelfree/cells gave no score on 6 of 6 fields." in text
    assert "there is no score" in text
    assert "No task was run" not in text
