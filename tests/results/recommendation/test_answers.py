import dataclasses

import pytest

from cytopress.errors import CytopressWarning
from cytopress.results.recommendation import Criterion, recommend
from cytopress.results.recommendation.answers import answers, default_criteria

TASK = "labelfree/cells"


def test_the_spread_of_noise_is_the_default_margin(make_study, with_noise_replicates):
    study = with_noise_replicates(make_study())
    assert default_criteria(study) == [Criterion(task=TASK)]
    (answer,) = answers(study, ())
    # 0.9 + and - 0.004, twice each.
    assert answer.recommendation.margin == pytest.approx(0.004 * (4 / 3) ** 0.5)


def test_without_noise_replicates_there_is_no_default_criterion(make_study):
    assert answers(make_study(), ()) == []


@pytest.mark.parametrize(
    ("criterion", "reason"),
    [
        (Criterion(task=TASK), "noise was not drawn"),
        (Criterion(task=TASK, margin=5.0), "would leave nothing"),
        (Criterion(task="nothing", margin=0.1), "There is no task of the study named"),
        (Criterion(task=TASK, metric="nothing", margin=0.1), "There is no score of"),
    ],
)
def test_a_criterion_that_cannot_be_met_is_answered_by_the_reason(make_study, criterion, reason):
    (answer,) = answers(make_study(), [criterion])
    assert answer.recommendation is None
    assert reason in answer.reason
    assert answer.command == ""


def test_each_dataset_has_its_own_answer(make_study):
    found = answers(make_study(datasets=("cells", "nuclei")), [Criterion(task=TASK, margin=0.01)])
    assert [answer.facts.name for answer in found] == ["cells", "nuclei"]
    assert all(answer.recommendation for answer in found)


def test_the_command_codes_what_is_recommended(make_study):
    (safe,) = answers(make_study(fields=12, groups=6), [Criterion(task=TASK, margin=0.01)])
    write, encode = safe.command.splitlines()
    assert write == f"cytopress recommend DIR --task {TASK} --margin 0.01 --write"
    assert encode == "cytopress encode IMAGE -o FILE.cyto --recommended DIR"
    (none,) = answers(make_study(), [Criterion(task=TASK, margin=1e-9)])
    assert none.command == safe.command.replace("0.01", "1e-09")


def test_the_margin_of_the_study_is_asked_of_every_task(make_study, with_noise_replicates):
    study = dataclasses.replace(with_noise_replicates(make_study()), margin="2%")
    assert default_criteria(study) == [Criterion(task=TASK, margin="2%")]
    (answer,) = answers(study, ())
    # Of the mean Pearson r from the originals.
    assert answer.recommendation.margin == pytest.approx(0.02 * 0.895)


def test_a_refused_dataset_leaves_the_others_their_recommendation(make_study):
    study = make_study(datasets=("cells", "nuclei"))

    def flat(trial):
        names = [n for n in trial.scores if trial.dataset == "nuclei" and n.startswith(TASK)]
        return dataclasses.replace(trial, scores={**trial.scores, **dict.fromkeys(names, 0.0)})

    study = dataclasses.replace(study, trials=[flat(trial) for trial in study.trials])
    with pytest.warns(CytopressWarning, match="no recommendation for nuclei: .* finds nothing"):
        (found,) = recommend(study, Criterion(task=TASK, margin=0.01))
    assert found.summary.facts.name == "cells"
    reasons = [answer.reason for answer in answers(study, [Criterion(task=TASK, margin=0.01)])]
    assert reasons[0] == ""
    assert "finds nothing" in reasons[1]
