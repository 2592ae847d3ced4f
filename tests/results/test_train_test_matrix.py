import dataclasses

import pytest

from cytopress.results.train_test_matrix import MIXED, MOST_COLUMNS, ORIGINALS, matrix


@pytest.fixture
def score(make_trainings):
    (found,) = (s for s in make_trainings().scores if s.main)
    return found


def test_rows_and_columns_are_what_was_trained_and_tested_on(make_trainings, score):
    found = matrix(make_trainings(), "cells", score)
    settings = ("jpegxl:ratio=20", "avif:ratio=40")
    assert found.rows == (ORIGINALS, *settings, MIXED)
    assert found.columns == (ORIGINALS, *settings)
    assert found.matched == tuple((name, name) for name in (ORIGINALS, *settings))


def test_mean_scores_are_means_over_fields_and_seeds(make_trainings, score):
    mean = matrix(make_trainings(), "cells", score).mean_score(ORIGINALS, ORIGINALS)
    # Baselines run from 0.90 to 0.95 over fields, and by 0.002 a seed around that.
    assert mean.mean == pytest.approx(0.925)
    assert mean.seed_spread == pytest.approx(0.002)
    assert (mean.fields, mean.seeds) == (6, 3)


def test_one_seed_has_no_spread(make_trainings, score):
    mean = matrix(make_trainings(seeds=1), "cells", score).mean_score(MIXED, "avif:ratio=40")
    assert mean.seed_spread is None


def test_what_was_not_tested_is_empty(make_trainings, score):
    study = make_trainings()
    kept = [t for t in study.trials if t.regime != "cross"]
    found = matrix(dataclasses.replace(study, trials=kept), "cells", score)
    assert found.mean_score("jpegxl:ratio=20", "avif:ratio=40") is None
    assert found.mean_score("jpegxl:ratio=20", "jpegxl:ratio=20") is not None


def test_models_of_originals_alone_make_no_matrix(make_study, score):
    assert matrix(make_study(), "cells", score) is None


def test_too_many_columns_leave_those_that_were_trained_on(make_trainings, score):
    study = make_trainings()
    first = study.trials[0]
    others = [
        dataclasses.replace(first, codec="jpeg", target_value=float(ratio))
        for ratio in range(2, 2 + MOST_COLUMNS)
    ]
    found = matrix(dataclasses.replace(study, trials=[*study.trials, *others]), "cells", score)
    assert found.columns == (ORIGINALS, "jpegxl:ratio=20", "avif:ratio=40")
    assert found.left_out == MOST_COLUMNS
