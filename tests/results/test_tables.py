import dataclasses

import numpy as np
import pytest

from cytopress.report import summary_rows
from cytopress.results.bd_table import bd_tables
from cytopress.results.change import change
from cytopress.results.curves import Point
from cytopress.results.dataset_summary import dataset_summaries
from cytopress.results.speed_table import speed_rows
from cytopress.results.tables import codec_verdicts, error_rows, lossless_rows, sizes
from cytopress.results.verdicts import verdicts
from cytopress.statistics import bootstrap_mean
from cytopress.study.results import TaskFacts
from fakes.made_up_study import SCORES, TASK, make_trial

SCORE = "labelfree/cells/pearson"
FACTS = TaskFacts(name=TASK, weights="0" * 64, dataset="cells", summary={})


def effect_trials(make_trial, ratio, differences, **changes):
    """One trial per difference of the task's score, all from a baseline of 0.9."""
    return [
        make_trial(
            field=f"f{i}",
            target_value=ratio,
            coded_bytes=round(8000 / ratio),
            scores={f"{SCORE}/baseline": 0.9, f"{SCORE}/harm": 0.9 + difference},
            **changes,
        )
        for i, difference in enumerate(differences)
    ]


NOTHING = (0.003, -0.003, 0.002, -0.002, 0.001, -0.001)
LOSS = (-0.03, -0.02, -0.03, -0.02, -0.03, -0.02)
GAIN = tuple(-difference for difference in LOSS)


def rows_of(results):
    (found,) = dataset_summaries(results)
    return found.rows_of(found.main_scores[0])


def words_at(results, margin):
    """The verdict on each row, at this margin of the study."""
    study = dataclasses.replace(results, margin=margin, tasks=(FACTS,))
    found = verdicts(study)
    return [found.word(row) for row in rows_of(study)]


@pytest.mark.parametrize(
    ("differences", "margin", "word"),
    [
        (NOTHING, 0.01, "inside"),
        (NOTHING, 0.001, "not shown"),
        (LOSS, 0.01, "outside"),
        (LOSS, 0.05, "inside"),
        (LOSS, 0.025, "not shown"),
        (GAIN, 0.01, "inside"),
        (LOSS[:4], 0.01, "not shown"),
        (LOSS[:1], 0.01, "not shown"),
    ],
)
def test_words(make_results, make_trial, differences, margin, word):
    results = make_results(effect_trials(make_trial, 10.0, differences))
    assert words_at(results, margin) == [word]


def test_without_any_margin_nothing_is_shown(make_results, make_trial):
    assert words_at(make_results(effect_trials(make_trial, 10.0, NOTHING)), None) == ["not shown"]


def test_a_lower_score_that_rises_is_a_loss(make_results, make_trial, make_study):
    scores = [score for score in make_study().scores if score.column == SCORE]
    lower = [type(scores[0])(**{**vars(scores[0]), "better": "lower"})]
    trials = effect_trials(make_trial, 10.0, GAIN)
    assert words_at(make_results(trials, scores=lower), 0.01) == ["outside"]


def test_a_setting_that_lacks_a_field_gets_no_verdict(make_results, make_trial):
    trials = effect_trials(make_trial, 10.0, LOSS)
    failed = make_trial(field="f6", target_value=10.0, coded_bytes=None, error="cannot")
    results = make_results([*trials, failed])
    assert words_at(results, 0.01) == ["not shown"]
    (row,) = rows_of(results)
    assert (row.point.fields, row.point.fields_asked) == (6, 7)


def test_numbers_of_a_change(make_results, make_trial):
    differences = (-0.01, -0.03, 0.0, -0.02, -0.01, -0.05)
    (row,) = rows_of(make_results(effect_trials(make_trial, 10.0, differences)))
    assert row.change.original == pytest.approx(0.9)
    assert row.change.decoded == pytest.approx(0.88)
    assert row.change.difference == pytest.approx(-0.02)
    expected = bootstrap_mean(differences, ["g0"] * 6, seed=0)
    assert row.change.interval.low == pytest.approx(expected.low)
    assert row.change.interval.high == pytest.approx(expected.high)


def test_seeds_of_one_field_count_as_one_field(make_results, make_trial):
    trials = [
        trial for seed in range(3) for trial in effect_trials(make_trial, 10.0, LOSS[:4], seed=seed)
    ]
    (row,) = rows_of(make_results(trials))
    assert (row.change.fields, row.change.interval.n) == (4, 4)


def test_verdict_stops_before_the_first_loss(make_results, make_trial):
    trials = [
        trial
        for ratio, differences in ((5.0, NOTHING), (10.0, NOTHING), (20.0, LOSS), (40.0, NOTHING))
        for trial in effect_trials(make_trial, ratio, differences)
    ]
    study = make_results(trials, margin=0.01, tasks=(FACTS,))
    (verdict,) = codec_verdicts(rows_of(study), (), verdicts(study))
    # The lucky setting after the loss does not count.
    assert verdict.furthest.ratio == 10.0
    assert verdict.then.ratio == 20.0


def test_furthest_codec_comes_first(make_results, make_trial):
    trials = effect_trials(make_trial, 10.0, NOTHING, codec="jpeg")
    trials += effect_trials(make_trial, 5.0, NOTHING, codec="lerc")
    trials += effect_trials(make_trial, 20.0, NOTHING, codec="avif")
    trials += effect_trials(make_trial, 5.0, LOSS, codec="zfp")
    study = make_results(trials, margin=0.01, tasks=(FACTS,))
    found = codec_verdicts(rows_of(study), (), verdicts(study))
    assert [verdict.curve.codec for verdict in found] == ["avif", "jpeg", "lerc", "zfp"]
    assert found[-1].furthest is None


def test_comparable_sizes_take_the_nearest_setting_within_a_quarter(make_results, make_trial):
    trials = effect_trials(make_trial, 10.0, NOTHING) + effect_trials(make_trial, 16.1, NOTHING)
    (verdict,) = codec_verdicts(rows_of(make_results(trials)), (8.0, 10.5, 20.0, 40.0))
    ratios = [row and round(row.point.ratio, 1) for row in verdict.near]
    assert ratios == [10.0, 10.0, 16.1, None]


def test_sizes_are_those_that_many_were_asked_for_and_their_halves(make_results, make_trial):
    trials = [
        trial
        for codec, ratios in (("avif", (10.0, 40.0)), ("jpeg", (10.0, 40.0)), ("zfp", (3.0, 6.0)))
        for ratio in ratios
        for trial in effect_trials(make_trial, ratio, NOTHING, codec=codec)
    ]
    # Once of at most twice counts as often.
    assert sizes(dataset_summaries(make_results(trials))[0]) == [3.0, 6.0, 10.0, 40.0]
    trials += effect_trials(make_trial, 10.0, NOTHING, codec="jpegxl")
    trials += effect_trials(make_trial, 40.0, NOTHING, codec="jpegxl")
    assert sizes(dataset_summaries(make_results(trials))[0]) == [2.5, 5.0, 10.0, 40.0]


def test_sizes_are_powers_of_two_where_no_ratio_was_asked_for(make_results, make_trial):
    other = effect_trials(make_trial, 15.0, NOTHING, target="max_error")
    assert sizes(dataset_summaries(make_results(other))[0]) == [2.0, 4.0, 8.0, 16.0]
    assert sizes(dataset_summaries(make_results([]))[0]) == []


def test_lossless_rows_begin_with_the_fewest_bytes(make_study):
    rows = lossless_rows(rows_of(make_study()))
    assert [(row.curve.codec, row.point.ratio) for row in rows] == [("jpegls", 2.5), ("png", 2.0)]
    assert all(row.point.lossless for row in rows)


def test_errors_are_counted_by_reason(make_results, make_trial):
    reasons = ("too far: 1.5x", "too far: 12x", "too deep", "too deep")
    trials = [
        make_trial(field=f"f{i}", codec="lerc", coded_bytes=None, error=reason)
        for i, reason in enumerate(reasons)
    ]
    rows = error_rows(make_results(trials))
    found = [(row.codec, row.setting, row.reason, row.fields) for row in rows]
    assert found == [
        ("lerc", "ratio=10", "too far: 1.5x (others alike)", 2),
        ("lerc", "ratio=10", "too deep", 2),
    ]


def test_speed_is_in_megabytes_of_pixels_a_second(make_study):
    first = speed_rows(make_study())[0]
    assert (first.codec, first.encode, first.decode) == ("jpeg2000", 80.0, 200.0)
    assert first.ratio == 20.0


def test_bd_rate_of_a_codec_that_needs_half_the_bytes(make_results, make_trial):
    def trials(codec, share):
        return [
            make_trial(
                codec=codec,
                target_value=ratio,
                coded_bytes=round(share * 80_000 / ratio),
                raw_bytes=80_000,
                scores={"pixels/psnr": psnr},
            )
            for ratio, psnr in ((5.0, 48.0), (10.0, 45.0), (20.0, 42.0), (40.0, 39.0))
        ]

    results = make_results(trials("jpeg2000", 1.0) + trials("avif", 0.5))
    table, against_best = bd_tables(results, dataset_summaries(results)[0])
    ((curve, cells),) = table.rows
    assert (table.against, curve.codec) == ("JPEG 2000", "avif")
    assert cells[0].rate.percent == pytest.approx(-50.0)
    assert (cells[0].rate.low, cells[0].rate.high) == (39.0, 48.0)
    # No trial has an SSIM.
    assert cells[1].rate is None
    assert "points" in cells[1].reason
    # The other way round, against the codec that saves most.
    ((curve, cells),) = against_best.rows
    assert against_best.against.startswith("avif")
    assert curve.codec == "jpeg2000"
    assert cells[0].rate.percent == pytest.approx(100.0)
    # Where JPEG 2000 itself is the best, once is enough; a learned codec is no classic one.
    worse = make_results(trials("jpeg2000", 1.0) + trials("avif", 2.0) + trials("learned/x", 0.5))
    assert [table.against for table in bd_tables(worse, dataset_summaries(worse)[0])] == [
        "JPEG 2000"
    ]


def test_bd_rate_needs_jpeg2000(make_study):
    results = make_study(codecs=("jpegxl", "jpegxr"))
    (table,) = bd_tables(results, dataset_summaries(results)[0])
    assert not table.rows
    assert "JPEG 2000" in table.reason


def test_bd_rate_turns_scores_that_are_better_when_lower(make_results, make_trial, make_study):
    nrmse = next(score for score in make_study().scores if score.name == "nrmse")
    main = type(nrmse)(**{**vars(nrmse), "main": True})

    def trials(codec, share):
        return [
            make_trial(
                codec=codec,
                target_value=ratio,
                coded_bytes=round(share * 800_000 / ratio),
                raw_bytes=800_000,
                scores={f"{nrmse.column}/baseline": 0.1, f"{nrmse.column}/harm": decoded},
            )
            for ratio, decoded in ((5.0, 0.1), (10.0, 0.12), (20.0, 0.15), (40.0, 0.2))
        ]

    results = make_results(trials("jpeg2000", 1.0) + trials("avif", 2.0), scores=(main,))
    (table,) = bd_tables(results, dataset_summaries(results)[0])
    ((_, (cell,)),) = table.rows
    assert cell.rate.percent == pytest.approx(100.0)
    assert (cell.rate.low, cell.rate.high) == pytest.approx((0.1, 0.2))


def test_summary_has_a_row_for_each_setting_in_words_that_a_terminal_shows(make_study):
    rows = summary_rows(make_study(fields=9, margin=0.01))
    assert len(rows) == 3 * 5 + 2
    assert len({tuple(row) for row in rows}) == 1
    first = rows[0]
    assert first["codec"] == "jpeg2000"
    assert first["setting"] == "ratio=5"
    assert first["smaller"] == "5.0x"
    assert first["lossless"] == "2.5x"
    assert first["fields"] == "9 of 9"
    assert "\N{MINUS SIGN}" not in "".join(value for row in rows for value in row.values())
    losses = [row for row in rows if row["verdict"] == "outside"]
    # What was planted costs 0.012 and more at 40x, 0.03 at 80x, and 0.002 at 20x.
    assert {row["smaller"] for row in losses} == {"40x", "80x"}
    inside = {row["smaller"] for row in rows if row["verdict"] == "inside"}
    assert {"5.0x", "10x", "20x"} <= inside
    assert "80x" not in inside
    change = float(losses[-1]["change"])
    decoded, original = float(losses[-1]["decoded"]), float(losses[-1]["original"])
    assert change == pytest.approx(decoded - original, abs=2e-4)


def test_summary_without_a_task_tells_of_pixels_only(make_study):
    rows = summary_rows(make_study(task=False))
    assert {row["verdict"] for row in rows} == {"pixels only", "lossless"}
    assert {row["score"] for row in rows} == {"no task"}


def test_summary_of_a_study_without_trials_is_empty(make_results):
    assert summary_rows(make_results([])) == []


def test_same_study_gives_the_same_intervals(make_study):
    one, two = summary_rows(make_study()), summary_rows(make_study())
    assert one == two
    assert np.all([row["fields"] == "6 of 6" for row in one])


def test_training_seeds_widen_an_interval_and_a_field_without_one_is_left_out():
    def point(shift):
        trials = []
        for field in range(8):
            for seed in (1, 2, 3):
                loss = 0.01 + 0.001 * (field % 3) + shift * seed
                scores = {f"{TASK}/pearson/baseline": 0.9, f"{TASK}/pearson/harm": 0.9 - loss}
                if field == 7 and seed == 2:
                    del scores[f"{TASK}/pearson/harm"]
                trials.append(make_trial(field=f"f{field}", seed=seed, scores=scores))
        return Point(target="ratio", target_value=10.0, trials=tuple(trials), fields_asked=8)

    score = next(score for score in SCORES if score.main)
    same, apart = (change(point(shift), score) for shift in (0.0, 0.003))
    assert same.fields == apart.fields == 7
    assert same.difference == pytest.approx(-0.01 - 0.001 * 6 / 7)
    assert apart.difference == pytest.approx(same.difference - 0.006)
    width = [c.interval.high - c.interval.low for c in (same, apart)]
    # Of 0.003 over three seeds: Student's t of two degrees of freedom, both sides.
    assert width[1] > 5 * width[0]
    assert width[1] > 2 * 4.3 * 0.003 / 3**0.5 * 0.9
