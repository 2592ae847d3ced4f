import dataclasses

import pytest

from cytopress.results.recovery import recoveries, recovery_text
from cytopress.results.train_test_matrix import matrix


def found_in(study):
    (score,) = (s for s in study.scores if s.main)
    table = matrix(study, "cells", score)
    return recoveries(table), table


def shifted(study, regime, by):
    """The study with other scores of one regime."""

    def change(trial):
        if trial.regime != regime:
            return trial
        moved = {k: v + by * k.endswith("/harm") for k, v in trial.scores.items()}
        return dataclasses.replace(trial, scores=moved)

    return dataclasses.replace(study, trials=[change(trial) for trial in study.trials])


def test_what_was_planted_is_found(make_trainings):
    matched, mixed = found_in(make_trainings())[0]
    assert (matched.regime, mixed.regime) == ("matched", "mixed")
    assert matched.loss.mean == pytest.approx(0.04, abs=1e-3)
    assert matched.gain.mean == pytest.approx(0.03)
    assert mixed.gain.mean == pytest.approx(0.02)
    assert matched.share == pytest.approx(0.75, abs=0.02)
    assert matched.settings == 2
    assert matched.loss.seeds == 3


def test_lower_scores_may_be_the_better_ones(make_trainings):
    study = make_trainings()
    scores = [dataclasses.replace(s, better="lower") if s.main else s for s in study.scores]
    matched, _ = found_in(dataclasses.replace(study, scores=scores))[0]
    assert matched.loss.mean == pytest.approx(-0.04, abs=1e-3)
    assert matched.share is None


def test_sentences_name_share_and_interval(make_trainings):
    text = recovery_text(*found_in(make_trainings()))
    assert "On images from 2 codec settings" in text
    assert "75 % of that" in text
    assert "50 % of that" in text
    assert text.count("95 % interval") == 3


def test_few_fields_show_no_share(make_trainings):
    found, table = found_in(make_trainings(fields=4))
    assert [one.share for one in found] == [None, None]
    assert recovery_text(found, table).count("4 fields are too few to show it") == 2


def test_a_regime_that_does_harm_wins_nothing(make_trainings):
    text = recovery_text(*found_in(shifted(make_trainings(), "mixed", -0.05)))
    assert "(mixed), they win back nothing: they score worse" in text


def test_no_share_of_a_loss_that_was_not_seen(make_trainings):
    study = shifted(make_trainings(), "raw", 0.04)
    text = recovery_text(*found_in(shifted(study, "mixed", 0.04)))
    assert "% of that" not in text


def test_one_field_gets_no_interval(make_trainings):
    text = recovery_text(*found_in(make_trainings(fields=1)))
    assert "no interval: one field" in text
    assert "% of that" not in text
