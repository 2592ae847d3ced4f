"""Whether a score falls with the rate, on made-up curves of known course."""

from __future__ import annotations

import dataclasses

from cytopress.results.dataset_summary import dataset_summaries
from cytopress.results.monotone import FALLS, FLAT, RISES, course


def found(study):
    (summary,) = dataset_summaries(study)
    score = next(score for score in summary.scores if score.main)
    return course(summary.lossy[0], score)


def changed(study, of_ratio):
    """The study with another score at each ratio: the baseline plus ``of_ratio``."""

    def change(trial):
        if trial.target != "ratio":
            return trial
        scores = dict(trial.scores)
        for column in [c for c in scores if c.endswith("pearson/harm")]:
            base = scores[column.replace("/harm", "/baseline")]
            wobble = 1e-4 * int(trial.field[1:])
            scores[column] = base + of_ratio(trial.target_value) + wobble * trial.target_value / 80
        return dataclasses.replace(trial, scores=scores)

    return dataclasses.replace(study, trials=[change(trial) for trial in study.trials])


def test_a_falling_score_is_monotone(make_study):
    course = found(changed(make_study(), lambda ratio: -0.001 * ratio))
    assert (course.word, course.monotone) == (FALLS, True)
    assert len(course.steps) == 4
    assert all(step.mean > 0 for step in course.steps)


def test_a_score_that_recovers_at_coarse_rates_is_not(make_study):
    # As the label-free model of cells in bright field: worst in the middle.
    course = found(changed(make_study(), lambda ratio: -0.05 if 10 <= ratio <= 40 else -0.02))
    assert (course.word, course.monotone) == (RISES, False)


def test_a_flat_score_tells_nothing(make_study):
    course = found(changed(make_study(), lambda ratio: 0.0))
    assert course.word in (FLAT, RISES)
    assert not course.monotone


def test_few_fields_show_no_course(make_study):
    assert found(changed(make_study(fields=4), lambda ratio: -0.001 * ratio)).word == FLAT


def test_one_setting_has_no_course(make_study):
    assert found(make_study(ratios=(10,))) is None
