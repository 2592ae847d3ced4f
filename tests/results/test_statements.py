"""No statement contradicts another: planted studies, and all that is said about them."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from scipy import stats

from cytopress.errors import NotAvailableError
from cytopress.report import summary_rows
from cytopress.results.dataset_summary import dataset_summaries
from cytopress.results.recommendation import Criterion, Recommendation, as_json, recommend, sentence
from cytopress.results.recommendation.answers import answer_text, answers
from cytopress.results.recommendation.margin_table import as_json as table_json
from cytopress.results.recommendation.margin_table import margin_table
from cytopress.results.recommendation.serves_all import serves_all
from cytopress.results.recommendation.text import lines
from cytopress.results.verdicts import verdicts
from cytopress.study.results import Results
from fakes.planted import PLANTED, planted_study, spread

FORBIDDEN = ("no loss seen", "nothing is lost", "harmless", "safe", "e-0", "nan", "None")


def steady(*losses: float, codec: str = "jpegxl", fields: int = 12, sd: float = 1e-4) -> dict:
    """Settings of one codec at 5x, 10x, ..., each of nearly the same loss on every field."""
    return {(codec, 5.0 * 2**place): spread(loss, sd, fields) for place, loss in enumerate(losses)}


STUDIES: dict[str, tuple[Results, float | str]] = {
    "harm with wide intervals": (planted_study(steady(0.03, 0.04, sd=0.08)), 0.02),
    "harm with narrow intervals": (planted_study(steady(0.03, 0.04)), 0.02),
    "no harm, narrow": (planted_study(steady(0.001, 0.002, 0.03)), 0.02),
    "no harm, wide": (planted_study(steady(0.001, 0.002, sd=0.05)), 0.02),
    "gains": (planted_study(steady(-0.02, -0.01), original=0.2), 0.02),
    "a better score is higher": (
        planted_study(steady(0.001, 0.04), metric="pearson", better="higher", original=0.9),
        0.02,
    ),
    "ties": (
        planted_study(
            {
                ("jpegxl", 20.0): spread(0.001, 1e-4, 12),
                ("htj2k", 19.6): spread(0.001, 1e-4, 12),
                ("avif", 19.0): spread(0.001, 1e-4, 12),
            },
            speeds={"jpegxl": 1.0, "htj2k": 0.1, "avif": 0.05},
        ),
        0.02,
    ),
    "one field": (planted_study({("jpegxl", 10.0): [0.001], ("jpegxl", 20.0): [0.5]}), 0.02),
    "three fields": (planted_study({("jpegxl", 10.0): [0.001, 0.0, 0.002]}), 0.02),
    "counts without a change": (
        planted_study({("jpegxl", 10.0): [0.0] * 9}, objects=(4, 5, 4, 4, 4, 5, 4, 4, 5)),
        0.02,
    ),
    "many counts without a change": (
        planted_study({("jpegxl", 10.0): [0.0] * 9}, objects=[40] * 9, noise=0.01),
        0.02,
    ),
    "a lucky setting behind a harmful one": (planted_study(steady(0.03, 0.001)), 0.02),
    "larger than lossless": (planted_study({("jpegxl", 1.5): spread(0.001, 1e-4, 12)}), 0.02),
    "noise": (planted_study(steady(0.001, 0.002, 0.03), noise=0.008), "noise"),
    "several datasets": (
        planted_study({"DNA": steady(0.001, 0.002, 0.03), "ER": steady(0.001, 0.05, 0.06)}),
        0.02,
    ),
    "a margin between two digits": (planted_study(steady(0.01995, 0.0201, sd=2e-6)), 0.02),
}


@pytest.fixture(params=STUDIES, ids=lambda name: name.replace(" ", "-"))
def planted(request: pytest.FixtureRequest) -> tuple[Results, list[Recommendation]]:
    results, margin = STUDIES[request.param]
    results = type(results)(**{**vars(results), "margin": margin})
    return results, recommend(results, Criterion(task=PLANTED, margin=margin))


def at_two_percent(name: str) -> list[Recommendation]:
    return recommend(STUDIES[name][0], Criterion(task=PLANTED, margin=0.02))


def number(text: str) -> float:
    return float(text.replace(",", ""))


def test_words_of_tables_export_and_json_are_those_of_recommend(
    planted: tuple[Results, list[Recommendation]],
) -> None:
    results, found = planted
    told = {
        (one.summary.facts.name, setting.point.setting, setting.curve.label): setting.verdict
        for one in found
        for setting in one.settings
    }
    rows = [row for row in summary_rows(results) if row["verdict"] != "lossless"]
    assert {(r["dataset"], r["setting"], r["codec"]): r["verdict"] for r in rows} == told
    columns = verdicts(results).columns(results.trials)
    column = found[0].score.column
    words = columns[f"{column}/verdict"]
    assert set(columns) == {f"{column}/{what}" for what in ("margin", "bound", "verdict")}
    for trial, word in zip(results.trials, words, strict=True):
        place = trial.dataset, f"ratio={trial.target_value or 0:g}", trial.codec
        assert word == told.get(place)
    for one in found:
        table = table_json(margin_table(results, one.summary, one.score), results)
        for setting in (s for codec in table["codecs"] for s in codec["settings"]):
            bound = setting["bound"]
            inside = bound is not None and bound <= one.margin
            (judged,) = [s for s in one.settings if s.spec == setting["spec"]]
            assert inside == (judged.verdict == "inside")
        json.dumps(table, allow_nan=False)
        plain = json.loads(json.dumps(as_json(one), allow_nan=False))
        assert [s["verdict"] for s in plain["settings"]] == [s.verdict for s in one.settings]


def test_a_verdict_agrees_with_the_mean_and_with_the_order(
    planted: tuple[Results, list[Recommendation]],
) -> None:
    _, found = planted
    for one in found:
        before: dict[Any, str] = {}
        for setting in one.settings:
            mean = setting.effect.mean
            if setting.verdict == "inside":
                assert mean <= setting.bound <= one.margin
                assert before.get(setting.curve, "inside") == "inside"
                assert not setting.reason
            if setting.verdict == "outside":
                assert mean > one.margin
            if setting.verdict != "inside":
                assert setting.reason
            before[setting.curve] = setting.verdict


def test_sentences_claim_nothing_else(planted: tuple[Results, list[Recommendation]]) -> None:
    results, found = planted
    texts = [*map(sentence, found), *(answer_text(answer) for answer in answers(results, ()))]
    texts += [line for one in found for line in lines(one)]
    for text in texts:
        assert not any(word in text for word in FORBIDDEN), text
        assert text.isascii(), text
    for one in found:
        shown = f"{100 * one.margin:.12g} %" if one.score.name == "count_error" else "0.02"
        if one.criterion.margin != "noise":
            assert f"The margin is {shown}" in sentence(one)
        for most in re.findall(r"by at most ([\d.]+)( %)?", sentence(one)):
            assert number(most[0]) / (100 if most[1] else 1) <= one.margin * (1 + 1e-9)
        for setting in one.settings:
            pair = re.search(r"(?:up to|at least) ([\d.]+)(?: %)?, and ([\d.]+)", setting.reason)
            if pair:
                assert number(pair[1]) > number(pair[2])


def test_wide_intervals_are_not_shown_and_say_how_many_fields() -> None:
    (found,) = at_two_percent("harm with wide intervals")
    assert [one.verdict for one in found.settings] == ["not shown", "not shown"]
    assert "more fields would show it outside" in found.settings[0].reason
    (narrow,) = at_two_percent("harm with narrow intervals")
    assert [one.verdict for one in narrow.settings] == ["outside", "outside"]
    assert narrow.settings[0].reason == "it gets worse by at least 2.9 %, and 2 % is allowed"
    assert "Try finer settings" in sentence(narrow)


@pytest.mark.parametrize(("mean", "sd"), [(0.005, 0.03), (0.035, 0.04), (0.0, 0.05)])
@pytest.mark.parametrize("fields", [3, 7, 12])
def test_as_many_fields_as_are_asked_for_settle_it(mean: float, sd: float, fields: int) -> None:
    """With the same mean and spread; the skew of a small sample decides a few more or fewer."""

    def judged(number: int) -> Any:
        study = planted_study({("jpegxl", 10.0): spread(mean, sd, number)})
        (found,) = recommend(study, Criterion(task=PLANTED, margin=0.02))
        return found.settings[0]

    more = judged(fields).more_fields
    assert more
    assert judged(fields + round(1.3 * more) + 2).verdict != "not shown"
    # The other way round, by Student's interval alone.
    half = fields + more // 2
    reach = stats.t.ppf(0.975, half - 1) * sd / half**0.5
    assert more < 5 or half < 5 or reach > 0.75 * abs(mean - 0.02)


def test_a_count_without_a_change_is_bounded_by_its_objects() -> None:
    results = STUDIES["counts without a change"][0]
    exact = stats.binomtest(0, 39).proportion_ci(confidence_level=0.9, method="exact").high
    for margin, verdict in ((exact * 0.999, "not shown"), (exact * 1.001, "inside")):
        (found,) = recommend(results, Criterion(task=PLANTED, margin=margin))
        assert found.settings[0].verdict == verdict
    assert found.settings[0].bound == pytest.approx(exact)
    text = sentence(found)
    assert "No change in 39 objects of 9 fields: with 95 % confidence, at most 7.4 % of" in text
    (found,) = recommend(results, Criterion(task=PLANTED, margin=0.02))
    # 149 objects are enough for 2 %, at 39 in nine fields.
    assert found.settings[0].more_fields == 30
    assert found.settings[0].reason == (
        "no change in 39 objects, but so few allow for up to 7.4 %, and 2 % is allowed; about"
        " 30 more fields would show it inside"
    )
    many = STUDIES["many counts without a change"][0]
    (found,) = recommend(many, Criterion(task=PLANTED, margin=0.02))
    assert "No change in 360 objects of 9 fields" in sentence(found)


def test_a_count_of_a_program_is_bounded_in_its_own_unit() -> None:
    changes = {"metric": "nuclei", "unit": "nuclei", "better": "higher"}
    nuclei = [5.0, 4, 4, 4, 5, 4, 4, 4, 5]
    study = planted_study({("jpegxl", 10.0): [0.0] * 9}, original=nuclei, **changes)
    (found,) = recommend(study, Criterion(task=PLANTED, margin="10%"))
    assert found.margin == pytest.approx(0.1 * 39 / 9)
    assert found.settings[0].bound == pytest.approx((1 - 0.05 ** (1 / 39)) * 39 / 9)
    assert "No change in 39 nuclei of 9 fields" in sentence(found)
    assert "The margin is 0.43 nuclei, 10 % of what the originals give." in sentence(found)


def test_a_count_that_no_codec_moves_is_not_taken_for_a_blind_task() -> None:
    changes = {"metric": "nuclei", "unit": "nuclei", "better": "higher"}
    lossless = {("jpegxl", 10.0): [0.0] * 9}
    equal = planted_study(lossless, original=[4.0] * 9, **changes)
    with pytest.raises(NotAvailableError, match="does not seem to look at the image"):
        recommend(equal, Criterion(task=PLANTED, margin=1))
    varied = planted_study(lossless, original=[4.0, 5.0, 6.0] * 3, **changes)
    (found,) = recommend(varied, Criterion(task=PLANTED, margin=1))
    assert found.chosen is not None


def test_a_score_that_is_no_count_says_how_many_fields_may_change() -> None:
    study = planted_study(
        {("jpegxl", 10.0): [0.0] * 9},
        metric="pearson", better="higher", original=np.linspace(0.8, 0.9, 9), noise=0.01,
    )  # fmt: skip
    (found,) = recommend(study, Criterion(task=PLANTED, margin=0.01))
    text = sentence(found)
    assert "No change on 9 fields: with 95 % confidence, at most 29 % of such fields" in text


def test_of_equal_bytes_the_faster_codec_is_used_and_that_is_said() -> None:
    (found,) = at_two_percent("ties")
    # avif is faster still, but 5 % larger.
    assert found.chosen is not None
    assert found.chosen.curve.codec == "htj2k"
    text = "\n".join(lines(found))
    assert "jpegxl:ratio=20 makes files 2 % smaller, but takes longer to encode" in text
    # Without speeds the fewest bytes stay.
    plain = planted_study(
        {(c, r): spread(0.001, 1e-4, 12) for c, r in (("jpegxl", 20.0), ("htj2k", 19.6))}
    )
    (found,) = recommend(plain, Criterion(task=PLANTED, margin=0.02))
    assert found.chosen is not None
    assert found.chosen.curve.codec == "jpegxl"
    assert found.faster_than is None


def test_one_field_says_how_many_would_do() -> None:
    (found,) = at_two_percent("one field")
    assert {one.verdict for one in found.settings} == {"not shown"}
    assert "at least 4 more fields are needed" in sentence(found)


def test_one_codec_serves_all_channels_where_it_is_inside_in_each() -> None:
    results = STUDIES["several datasets"][0]
    found = recommend(results, Criterion(task=PLANTED, margin=0.02))
    assert [one.chosen and one.chosen.ratio for one in found] == [10, 5]
    served = serves_all(found)
    assert served is not None
    assert (served.name, served.ratio) == ("jpegxl:ratio=5", 5)
    assert [one.curve.dataset for one in served.settings] == ["DNA", "ER"]
    harmed = planted_study({"DNA": steady(0.001), "ER": steady(0.05)})
    assert serves_all(recommend(harmed, Criterion(task=PLANTED, margin=0.02))) is None
    assert serves_all(found[:1]) is None
    apart = planted_study({"DNA": steady(0.001), "ER": steady(0.001, codec="avif")})
    assert serves_all(recommend(apart, Criterion(task=PLANTED, margin=0.02))) is None


def test_a_poor_noise_model_is_said_beside_its_margin() -> None:
    results = STUDIES["noise"][0]
    (facts,) = results.datasets
    poor = type(facts.noise)(
        **{**vars(facts.noise), "good": False, "reason": "One sigma for every level: no line fits."}
    )
    results = type(results)(
        **{**vars(results), "datasets": (type(facts)(**{**vars(facts), "noise": poor}),)}
    )
    (found,) = recommend(results, Criterion(task=PLANTED))
    assert "moves it (roughly: the noise model fits poorly)" in sentence(found)
    assert any("one sigma for every level: no line fits" in text for text in found.warnings)
    (given,) = recommend(results, Criterion(task=PLANTED, margin=0.02))
    assert not any("noise model" in text for text in [sentence(given), *given.warnings])


def test_the_summary_is_that_of_every_dataset() -> None:
    results = STUDIES["several datasets"][0]
    assert [one.facts.name for one in dataset_summaries(results)] == ["DNA", "ER"]
