"""The answer that the page begins with: no statement on the page contradicts another."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from cytopress.report import write_report
from cytopress.results.recommendation import Criterion, recommend
from cytopress.results.recommendation.serves_all import serves_all
from fakes.made_up_study import TASK
from fakes.planted import PLANTED, planted_study

CRITERION = Criterion(task=PLANTED, margin=0.01)


class Reading(HTMLParser):
    """What a reader sees: words by the class of their element, and the cells of tables."""

    def __init__(self, path):
        super().__init__()
        self.stack, self.found, self.tables = [], [], []
        self.feed(
            re.sub(r"<(script|style)\b.*?</\1>", "", path.read_text("utf-8"), flags=re.DOTALL)
        )

    def handle_starttag(self, tag, attrs):
        if tag in ("meta", "link", "img", "br", "input"):
            return
        self.stack.append((tag, dict(attrs).get("class") or "", []))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])

    def handle_data(self, data):
        for _, _, words in self.stack:
            words.append(data)

    def handle_endtag(self, tag):
        name, kind, words = self.stack.pop()
        text = " ".join(" ".join(words).split())
        self.found.append((kind, text))
        if name in ("td", "th"):
            self.tables[-1][-1].append(text)

    def texts(self, kind):
        return [text for found, text in self.found if kind in found.split()]

    def table(self, first, second, last):
        return [
            rows[1:] for rows in self.tables if [*rows[0][:2], rows[0][-1]] == [first, second, last]
        ]


@pytest.fixture
def read(tmp_path, report_extra):
    def written(study, *criteria):
        return Reading(write_report(study, tmp_path / "report.html", criteria))

    return written


def planted(losses, **facts):
    """A study with these losses of a correlation, on twelve fields unless more is said."""
    shaped = {place: np.broadcast_to(some, 12).tolist() for place, some in losses.items()}
    return planted_study(
        shaped,
        **{
            "metric": "pearson",
            "better": "higher",
            "original": (0.9 + np.arange(12) / 1000).tolist(),
            "group_of": lambda field: f"g{field}",
        }
        | facts,
    )


SPREAD = np.linspace(-1, 1, 12)
STUDIES = {
    "worse, and surely so, yet inside": {
        ("jpegxl", 10): 0.001 + 1e-5 * SPREAD,
        ("jpegxl", 40): 0.004 + 1e-5 * SPREAD,
        ("jpegxl", 80): 0.03 + 1e-5 * SPREAD,
    },
    "worse by chance, and by much": {
        ("jpegxl", 10): 0.005 + 0.1 * SPREAD,
        ("avif", 10): 0.02 + 0.1 * SPREAD,
    },
    "outside and inside": {
        ("jpegxl", 10): 0.05 + 0.001 * SPREAD,
        ("avif", 20): 0.002 + 0.001 * SPREAD,
    },
    "ties in bytes": {
        ("jpegxl", 40): 0.002 + 0.001 * SPREAD,
        ("avif", 40.5): 0.002 + 0.001 * SPREAD,
    },
    "better": {("jpegxl", 10): -0.02 + 0.001 * SPREAD, ("avif", 10): -0.001 + 0.05 * SPREAD},
    "nothing changes": {("jpegxl", 10): 0.0, ("avif", 20): 0.0},
    "no larger than lossless": {("jpegxl", 1.5): 0.0, ("avif", 1.9): 0.001 + 0.001 * SPREAD},
}


def check(page, study, criterion):
    """Compare every statement about settings with `recommend`, and with every other."""
    answers = recommend(study, criterion)
    heroes, bars = page.texts("hero"), page.texts("bar-text")
    winners = page.texts("winner")
    everything = page.table("Codec", "Setting", "Fields")
    assert len(heroes) == len(everything) == len(answers)
    assert len(winners) == sum(found.chosen is not None for found in answers)
    for found, hero, rows in zip(answers, heroes, everything, strict=True):
        verdicts = {(row[0], row[1]): row[-2] for row in rows if row[1] != "lossless"}
        expected = {(s.curve.label, s.point.setting): s.verdict for s in found.settings}
        assert verdicts == expected
        if found.chosen is None:
            assert not any(hero.startswith(row[2]) for row in rows if row[1] != "lossless")
            continue
        ratio = next(
            row[2]
            for row in rows
            if row[:2] == [found.chosen.curve.label, found.chosen.point.setting]
        )
        assert hero.startswith(f"{ratio} smaller.")
        winner = winners.pop(0)
        assert found.chosen.curve.label in winner
        assert winner.endswith(ratio)
    furthest = [text for text in bars if "inside" in text and "no setting" not in text]
    of_codecs = {
        (found.summary.facts.name, s.curve.label)
        for found in answers
        for s in found.settings
        if s.verdict == "inside"
    }
    assert len(furthest) == len(of_codecs)
    words = page.found[-1][1].lower()
    for old in (r"no loss seen", r"\bloss\b", r"harmless", r"\bsafe\b"):
        assert not re.search(old, words), re.search(f".{{60}}{old}.{{60}}", words)


@pytest.mark.parametrize("name", STUDIES)
def test_no_statement_contradicts_another(read, name):
    study = planted(STUDIES[name])
    check(read(study, CRITERION), study, CRITERION)


def test_a_small_sure_change_is_inside_and_a_large_unsure_one_is_not(read):
    losses = STUDIES["worse, and surely so, yet inside"] | {
        ("avif", ratio): 0.1 * SPREAD for ratio in (10, 40)
    }
    (rows,) = read(planted(losses), CRITERION).table("Codec", "Setting", "Fields")
    verdicts = {(row[0], row[1]): row[-2] for row in rows}
    assert verdicts["jpegxl", "ratio=40"] == "inside"
    assert verdicts["jpegxl", "ratio=80"] == "outside"
    assert verdicts["avif", "ratio=10"] == "not shown"


def test_ties_are_won_by_the_faster_codec_everywhere(read):
    study = planted(STUDIES["ties in bytes"], speeds={"jpegxl": 0.1, "avif": 3.0})
    page = read(study, CRITERION)
    check(page, study, CRITERION)
    (winner,) = page.texts("winner")
    assert winner.startswith("jpegxl")


def test_one_field_shows_nothing_and_says_how_many_would(read):
    study = planted_study({("jpegxl", 10): [0.001]})
    page = read(study, CRITERION)
    check(page, study, CRITERION)
    assert page.texts("hero") == ["Nothing can be shown from 1 field: at least 5 are needed."]


def several(cells, nuclei):
    shaped = {
        name: {place: np.broadcast_to(some, 12).tolist() for place, some in losses.items()}
        for name, losses in (("cells", cells), ("nuclei", nuclei))
    }
    facts = {"metric": "pearson", "better": "higher", "original": 0.9}
    return planted_study(shaped, group_of=lambda field: f"g{field}", **facts)


def test_several_datasets_begin_with_one_table(read):
    study = several(STUDIES["outside and inside"], STUDIES["worse by chance, and by much"])
    page = read(study, CRITERION)
    check(page, study, CRITERION)
    (rows,) = page.table("Images", "Analysis", "Margin")
    assert [row[0] for row in rows] == ["Made-up cells", "Made-up nuclei"]
    assert [row[2:4] for row in rows] == [["20x", "avif ratio=20"], ["2.0x", "png lossless"]]
    (verdict,) = page.texts("all")
    assert "no one codec for all" in verdict


def test_the_codec_that_serves_all_is_named(read):
    fine = {("avif", ratio): loss + 1e-4 * SPREAD for ratio, loss in ((10, 0.001), (40, 0.002))}
    study = several(fine, fine | {("avif", 40): 0.05 + 1e-4 * SPREAD, ("jpegxl", 80): 0.0})
    page = read(study, CRITERION)
    check(page, study, CRITERION)
    assert serves_all(recommend(study, CRITERION)).name == "avif:ratio=10"
    (verdict,) = page.texts("all")
    assert verdict.startswith("One for all: avif:ratio=10 is inside every margin")


def test_counts_that_do_not_change_are_counted(read):
    study = planted_study({("jpegxl", 20): [0.0] * 9}, objects=[40] * 8 + [39])
    criterion = Criterion(task=PLANTED, margin=0.02)
    page = read(study, criterion)
    check(page, study, criterion)
    assert page.texts("hero") == ["20x smaller. No change in 359 objects of 9 fields."]


def test_few_counts_that_do_not_change_show_nothing(read):
    study = planted_study({("jpegxl", 20): [0.0] * 9}, objects=[4] * 9)
    criterion = Criterion(task=PLANTED, margin=0.02)
    page = read(study, criterion)
    check(page, study, criterion)
    assert page.texts("hero") == ["Only lossless: 2.0x smaller, every pixel the same."]


def test_every_field_has_a_dot_and_the_worst_is_named(read):
    losses = {("jpegxl", 10): np.where(np.arange(12) == 7, 0.004, 0.0005 * SPREAD)}
    page = read(planted(losses), Criterion(task=PLANTED, margin=0.05))
    assert len(page.texts("dot")) == 12
    (caption,) = page.texts("fields")
    assert "The worst is f7" in caption


def test_of_several_the_first_with_an_answer_is_open(make_study, tmp_path, report_extra):
    study = make_study(datasets=("cells", "nuclei"), fields=9, groups=9)
    # Nothing is found on the first dataset that could get lost.
    blind = tuple(
        dataclasses.replace(trial, scores=dict.fromkeys(trial.scores, 0.0))
        if trial.dataset == "cells"
        else trial
        for trial in study.trials
    )
    path = write_report(
        dataclasses.replace(study, trials=blind),
        tmp_path / "report.html",
        [Criterion(task=TASK, margin=0.01)],
    )
    heads = re.findall(r'<details class="one"( open)?><summary>', path.read_text("utf-8"))
    assert [bool(is_open) for is_open in heads] == [False, True]
