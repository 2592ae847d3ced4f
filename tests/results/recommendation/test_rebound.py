"""The bound of a setting whose fields were scored again, in a made-up study."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cytopress.errors import NotAvailableError
from cytopress.results.recommendation import Criterion, as_json, recommend
from cytopress.results.recommendation.rebound import rebound
from cytopress.results.recommendation.recorded import RecordedRecommendation
from cytopress.study.results import Results
from fakes.made_up_study import TASK, make_study


@pytest.fixture(scope="module")
def results() -> Results:
    return make_study(fields=8, pictured=0)


@pytest.fixture(scope="module")
def recorded(results: Results) -> RecordedRecommendation:
    (found,) = recommend(results, Criterion(task=TASK, metric="pearson", margin=0.05))
    row = as_json(found)
    return RecordedRecommendation(
        dataset="cells",
        channel="",
        task=TASK,
        metric="pearson",
        margin="0.05",
        margin_value=0.05,
        confidence=0.95,
        spec=row["spec"],
        bound=row["bound"],
    )


def scores_of(
    results: Results, recorded: RecordedRecommendation, worse: float
) -> dict[str, list[dict[str, float]]]:
    """Return the task scores of the recommended trials, those from decoded images lowered."""
    codec, _, target = recorded.spec.partition(":ratio=")
    harm = f"{TASK}/pearson/harm"
    return {
        trial.key: [trial.scores | {harm: trial.scores[harm] - worse}]
        for trial in results.trials
        if trial.codec == codec and trial.target_value == float(target)
    }


def test_equal_scores_give_the_bound_of_the_study(
    results: Results, recorded: RecordedRecommendation
) -> None:
    found = rebound(results, recorded, scores_of(results, recorded, 0.0))
    assert found.fields == 8
    assert found.bound == pytest.approx(recorded.bound)


def test_what_is_lost_more_is_bounded_more(
    results: Results, recorded: RecordedRecommendation
) -> None:
    before = rebound(results, recorded, scores_of(results, recorded, 0.0))
    after = rebound(results, recorded, scores_of(results, recorded, 0.07))
    assert after.harm == pytest.approx(before.harm + 0.07)
    assert after.bound == pytest.approx((before.bound or 0) + 0.07)


def test_a_field_without_a_score_leaves_no_bound(
    results: Results, recorded: RecordedRecommendation
) -> None:
    scores = scores_of(results, recorded, 0.0)
    scores[next(iter(scores))] = [{}]
    assert rebound(results, recorded, scores).bound is None


def test_a_setting_that_the_study_lacks_is_an_error(
    results: Results, recorded: RecordedRecommendation
) -> None:
    with pytest.raises(NotAvailableError, match="holds no score"):
        rebound(results, replace(recorded, spec="jpegxl:ratio=7"), {})
