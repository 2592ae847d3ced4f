import dataclasses
import math

import pytest

from cytopress.results.dataset_summary import dataset_summaries
from cytopress.results.similarity import example_text, similarities, similarity_text

TASK = "labelfree/cells"


@pytest.fixture
def planted(make_trial, make_study):
    """A study of one setting a codec, by (PSNR, loss) of each."""

    def made(points):
        trials = [
            make_trial(
                codec=f"codec{number}",
                field=f"f{field}",
                group=f"g{field}",
                scores={
                    "pixels/psnr": psnr,
                    "pixels/max_error": 9.0,
                    f"{TASK}/pearson/baseline": 0.9,
                    f"{TASK}/pearson/harm": 0.9 - loss,
                },
            )
            for number, (psnr, loss) in enumerate(points)
            for field in range(3)
        ]
        (found,) = dataset_summaries(dataclasses.replace(make_study(), trials=trials))
        return found, found.main_scores[0]

    return made


def test_rank_correlation_of_a_falling_loss_is_minus_one(planted):
    (one,) = similarities(*planted([(30 + i, math.exp(-i)) for i in range(6)]))
    assert one.rho == pytest.approx(-1)
    assert "is −1.00 over 6 settings" in similarity_text(one)


def test_rank_correlation_by_hand(planted):
    # Ranks of the losses 2 1 4 3 5: 1 - 6 * 4 / (5 * 24).
    (one,) = similarities(*planted([(30 + i, loss) for i, loss in enumerate((2, 1, 4, 3, 5))]))
    assert one.rho == pytest.approx(0.8)


@pytest.mark.parametrize(
    "points", [[(30 + i, i) for i in range(4)], [(30 + i, 0.1) for i in range(6)]]
)
def test_few_or_constant_settings_have_none(planted, points):
    (one,) = similarities(*planted(points))
    assert one.rho is None
    assert "no rank correlation" in similarity_text(one)


def test_the_example_is_the_alike_pair_that_differs_most(planted):
    points = [(40, 0.0), (39.7, 0.01), (35, 0.02), (34.8, 0.05), (30, 0.5)]
    text = example_text(*planted(points), 0.005)
    assert "codec2 ratio=10 (10x smaller) with 35.0 dB loses 0.02, codec3" in text
    assert "The difference is 0.03 of Pearson r, 6.0 times what" in text


def test_a_gain_is_no_loss(planted):
    assert "gains 0.01" in example_text(*planted([(40, -0.01), (39.7, 0.01)]), None)


def test_no_alike_pair_no_example(planted):
    assert example_text(*planted([(40, 0.0), (35, 0.1)]), None) == ""


def test_settings_that_lack_a_field_are_left_out(planted, make_study):
    study = make_study()
    (whole,) = dataset_summaries(study)
    trials = [t for t in study.trials if not (t.field == "f5" and t.target_value == 10)]
    (part,) = dataset_summaries(dataclasses.replace(study, trials=trials))
    assert len(similarities(whole, whole.main_scores[0])[0].rows) == 15
    assert len(similarities(part, part.main_scores[0])[0].rows) == 12
