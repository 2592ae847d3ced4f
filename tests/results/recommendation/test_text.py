import dataclasses
import json
from types import SimpleNamespace

import pytest

from cytopress.results.recommendation import Criterion, as_json, recommend, sentence
from cytopress.results.recommendation.amounts import figure_text
from cytopress.results.recommendation.text import cost_text, duration_text, lines
from cytopress.results.unfinished import in_training
from cytopress.study.results import UnfinishedNetwork, UnfinishedTraining

TASK = "labelfree/cells"


@pytest.fixture
def recommended(make_study):
    def made(margin, **changes):
        study = make_study(fields=12, groups=6, **changes)
        (found,) = recommend(study, Criterion(task=TASK, margin=margin))
        return found

    return made


def test_the_answer_is_a_sentence_with_its_numbers(recommended):
    found = recommended(0.01)
    text = sentence(found)
    assert text.startswith(f"{found.chosen.spec} makes the files 40x smaller.")
    assert "With 95 % confidence, Pearson r falls by at most 0.0" in text
    assert "on 12 fields from 6 groups." in text
    assert text.endswith("The margin is 0.01 of Pearson r, as given.")


def test_the_sentence_is_plain_text(recommended):
    assert sentence(recommended(0.01)).isascii()


def test_none_is_an_answer(recommended):
    text = sentence(recommended(1e-9))
    assert text.startswith("No lossy setting is shown inside the margin with 95 % confidence.")
    assert text.endswith("Use lossless jpegls, 2.5x smaller.")


def test_safe_settings_that_are_larger_than_lossless_are_none(recommended):
    text = sentence(recommended(0.05, ratios=(1.5, 2)))
    assert text.startswith("Nothing smaller than lossless is shown inside the margin")


def test_a_task_without_scores_is_told(make_study):
    study = make_study()
    trials = [dataclasses.replace(t, scores={"pixels/psnr": 40.0}) for t in study.trials]
    (found,) = recommend(
        dataclasses.replace(study, trials=trials), Criterion(task=TASK, margin=0.1)
    )
    assert sentence(found).startswith(f"No lossy setting has a score of {TASK}")


def test_json_says_what_was_found(recommended):
    found = recommended(0.01)
    answer = json.loads(json.dumps(as_json(found), allow_nan=False))
    assert answer["name"] == "cells"
    assert answer["spec"] == found.chosen.spec
    assert answer["bound"] < answer["margin"] == 0.01
    assert answer["low"] <= answer["effect"] <= answer["high"] <= answer["bound"]
    assert answer["margin_from"] == "given"
    # 40 times smaller leaves 25 GB of 1000; the speed pass took 0.2 s for 8 MB.
    assert answer["saved_gb_per_tb"] == pytest.approx(975)
    assert answer["minutes_per_tb"] == pytest.approx(25e3 / 60)
    assert answer["lossless"] == {"spec": "jpegls", "ratio": 2.5, "bound": 0.0}
    assert answer["runner_up"]["ratio"] <= answer["ratio"]
    assert {one["ratio"] for one in answer["unsafe"]} <= {20.0, 40.0, 80.0}
    assert all(one["reason"] for one in answer["unsafe"])


def test_json_of_none_has_no_spec(recommended):
    answer = as_json(recommended(1e-9))
    assert [answer[key] for key in ("spec", "bound", "ratio", "runner_up", "saved_gb_per_tb")] == (
        [None] * 5
    )
    assert answer["lossless"]["spec"] == "jpegls"
    assert len(answer["unsafe"]) == 3


def test_what_was_not_timed_has_no_cost(recommended, make_study):
    # A core encodes 40 MB in a second, and a thousand times as much in eight cores' 52 minutes.
    assert cost_text(recommended(0.01).chosen) == (
        "975 GB of each terabyte (TB) of originals; to encode 1 GB takes one core about 25 s, and"
        " 1 TB takes 8 cores about 52 minutes, as timed here"
    )
    study = dataclasses.replace(make_study(fields=12, groups=6), speeds=())
    (bare,) = recommend(study, Criterion(task=TASK, margin=0.01))
    # The times of single trials are not used: other work may run beside them.
    assert all(trial.encode_s for trial in study.trials)
    assert cost_text(bare.chosen).endswith("was not timed")


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "makes files of the same size, but takes longer to encode"),
        (0.004, "makes files of the same size, but takes longer to encode"),
        (0.024, "makes files 2.4 % smaller, but takes longer to encode"),
    ],
)
def test_a_near_tie_says_how_near(recommended, share, words):
    found = recommended(0.01)
    point = found.chosen.point
    trials = tuple(
        dataclasses.replace(
            trial,
            raw_bytes=1000 * trial.raw_bytes,
            coded_bytes=round(1000 * trial.coded_bytes / (1 + share)),
        )
        for trial in point.trials
    )
    other = dataclasses.replace(found.chosen, point=dataclasses.replace(point, trials=trials))
    told = lines(dataclasses.replace(found, faster_than=other))
    (line,) = [one for one in told if "Near tie" in one]
    assert words in line
    assert " 0 %" not in line


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.824e-5, "0.000018"), (0.01, "0.01"), (12.345, "12"), (4e-12, "4e-12"), (0.0, "0")],
)
def test_figures_are_read_without_counting_exponents(value, text):
    assert figure_text(value) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0.2, "a minute"),
        (1.6, "2 minutes"),
        (119.4, "119 minutes"),
        (120, "2 hours"),
        (2000, "33 hours"),
        (208333, "145 days"),
    ],
)
def test_durations_are_in_the_unit_that_people_choose(minutes, text):
    assert duration_text(minutes) == text


def test_a_model_in_training_is_named_with_a_note_on_it(make_study):
    study = make_study(fields=12, groups=6)
    asked = Criterion(task=TASK, margin=0.01)
    (found,) = recommend(study, asked)
    assert not any("training of" in warning for warning in found.warnings)
    network = UnfinishedNetwork(quality=1, steps=7000, of=20000, loss="training", losses=())
    named = [found.chosen.curve, found.runner_up.curve]
    for curve in named:
        training = UnfinishedTraining(
            codec=curve.codec, options=curve.options, package="own", networks=(network,)
        )
        (again,) = recommend(dataclasses.replace(study, unfinished=(training,)), asked)
        (note,) = (warning for warning in again.warnings if "training of" in warning)
        assert note.startswith(f"the training of {curve.codec} has not ended (35% of its steps)")
        assert f"  Note:       {note}" in lines(again)
    # A learned codec is one package with any options: a study may have several of them.
    curve = SimpleNamespace(codec="learned/x", options="lines=0")
    other = dataclasses.replace(training, codec="learned/x", options="lines=auto")
    assert in_training(dataclasses.replace(study, unfinished=(other,)), curve) is other
    elsewhere = dataclasses.replace(training, codec="learned/other")
    (again,) = recommend(dataclasses.replace(study, unfinished=(elsewhere,)), asked)
    assert again.warnings == found.warnings
