import dataclasses
import re
import sys
from html.parser import HTMLParser

import pytest

from cytopress.errors import NotAvailableError
from cytopress.image import Image
from cytopress.report import write_report
from cytopress.results.recommendation import Criterion
from cytopress.statistics import interval_method
from cytopress.study.trial import Preview


def body_of(path):
    """The page without its own styles and scripts."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)


def words_of(path):
    text = re.sub(r"<[^>]+>", " ", body_of(path))
    return " ".join(text.split())


@pytest.fixture
def page(tmp_path, report_extra):
    def written(results, criteria=()):
        return write_report(results, tmp_path / "report.html", criteria)

    return written


def test_nothing_is_fetched(make_study, page):
    body = body_of(page(make_study()))
    links = re.findall(r'\b(?:src|href|srcset|action|poster)="([^"]*)"', body)
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "@import" not in body


def test_page_is_whole_html(make_study, page):
    class Balance(HTMLParser):
        void = ("meta", "link", "img", "br", "input")

        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, attrs):
            if tag not in self.void:
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag, tag

    text = page(make_study()).read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    parser = Balance()
    parser.feed(body_of(page(make_study())))
    assert parser.open == []


def test_parts_stand_in_order(make_study, page):
    found = re.findall(r'<section id="(\w+)"', body_of(page(make_study(fields=12), [CRITERION])))
    expected = [
        "answer",
        "equivalence",
        "settings",
        "accuracy",
        "metrics",
        "similarity",
        "speed",
        "bd",
        "gallery",
        "data",
        "method",
    ]
    assert found == expected


def test_names_from_files_cannot_act(make_study, make_facts, page):
    evil = '<script>alert("x")</script><img src=x onerror=alert(1)>&amp;'
    facts = make_facts()
    facts = type(facts)(
        **{**vars(facts), "title": evil, "notes": evil, "split": {"test": {evil: (evil,)}}}
    )
    study = make_study()
    trials = [type(t)(**{**vars(t), "field": evil, "group": evil}) for t in study.trials]
    trials[0] = type(trials[0])(**{**vars(trials[0]), "error": evil, "codec": evil})
    changes = {
        "datasets": (facts,),
        "trials": trials,
        "title": evil,
        "spec_toml": evil,
        "name": evil,
    }
    path = page(type(study)(**{**vars(study), **changes}))
    body = body_of(path)
    assert "<script>alert" not in body
    assert "<img src=x" not in body
    text = path.read_text(encoding="utf-8")
    assert '<script>alert("x")' not in text
    assert text.count("<script") == 7
    assert "&lt;script&gt;alert" in body


def test_an_unfinished_study_says_so(make_study, page):
    words = words_of(page(make_study(trials_done=30, trials_planned=102)))
    assert "Not finished." in words
    assert "30 of 102 trials are done" in words


def test_a_finished_study_does_not(make_study, page):
    assert "Not finished" not in words_of(page(make_study()))


def test_one_field_gets_no_interval(make_study, page):
    words = words_of(page(make_study(fields=1)))
    assert "no interval: one field" in words
    assert not re.search(r"\(.0\.\d+ to .0\.\d+\)", words.split("BD-rate: bytes")[0])


def test_few_fields_get_an_interval(make_study, page):
    words = words_of(page(make_study(fields=3)))
    assert interval_method(seed=0) in words
    # The interval that is computed is not too narrow there: see test_coverage.
    assert "narrower" not in words


def test_a_study_without_a_task_is_about_pixels(make_study, page):
    path = page(make_study(task=False))
    words = words_of(path)
    assert "No task was run" in words
    assert 'id="accuracy"' not in body_of(path)
    assert "PSNR in dB" in words


def test_best_lossless_stands_beside_the_bars(make_study, page):
    assert "Without changing a pixel, jpegls makes files 2.5x smaller." in words_of(
        page(make_study())
    )


def test_facts_of_the_study_are_there(make_study, page):
    words = words_of(page(make_study()))
    for fact in (
        "CC0-1.0",
        "Nobody",
        "Abacus 9",
        "numpy 2.0",
        "1900 counts",
        "Seed 7",
        "abababababab",
    ):
        assert fact in words
    assert 'name = "made-up"' in page(make_study()).read_text(encoding="utf-8").replace(
        "&#34;", '"'
    )


def test_failed_trials_are_told_with_their_reason(make_study, make_trial, page):
    study = make_study()
    failed = [
        make_trial(field=f"f{i}", codec="lerc", coded_bytes=None, error="lerc cannot")
        for i in range(6)
    ]
    words = words_of(page(type(study)(**{**vars(study), "trials": [*study.trials, *failed]})))
    assert "6 trials gave no full result" in words
    assert "lerc ratio=10 6 lerc cannot" in words


def test_several_datasets_stand_side_by_side(make_study, page):
    words = words_of(page(make_study(datasets=("cells", "nuclei"))))
    assert "Made-up cells" in words
    assert "Made-up nuclei" in words


def test_a_study_without_any_result_is_a_page_too(make_results, page):
    words = words_of(page(make_results([], trials_planned=12)))
    assert "There is no result yet." in words
    assert "0 of 12 trials" in words


def test_one_codec_alone_is_enough(make_study, page):
    words = words_of(page(make_study(codecs=("jpegxl",))))
    assert "jpegxl inside the margin up to" in words
    assert "BD-rate" not in words


@pytest.mark.long
def test_a_large_study_stays_under_25_mb(make_study, page):
    codecs = ("jpeg2000", *(f"codec-{i:02d}" for i in range(19)))
    ratios = (3, 5, 10, 20, 40, 80, 160, 320)
    study = make_study(codecs=codecs, ratios=ratios, fields=10, groups=5, pictured=10)
    big = [
        Preview(kind=p.kind, task=p.task, image=larger(p.image))
        for p in study.previews(study.trials[0].key)
    ]
    drawn = set()

    def previews(key):
        drawn.add(key)
        return big if study.previews(key) else []

    path = page(type(study)(**{**vars(study), "previews": previews}))
    assert path.stat().st_size < 25_000_000
    assert len(drawn) > 1000


def larger(image):
    return Image(
        image.pixels.repeat(3, 0).repeat(3, 1), bits=image.bits, spacing_um=image.spacing_um
    )


@pytest.mark.parametrize("library", ["jinja2", "plotly"])
def test_without_the_extra_the_error_says_what_to_install(
    make_study, tmp_path, monkeypatch, library
):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(NotAvailableError, match=r"pip install 'cytopress\[report\]'"):
        write_report(make_study(), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


CRITERION = Criterion(task="labelfree/cells", margin=0.01)


def test_none_is_a_recommendation_too(make_study, page):
    words = words_of(page(make_study(), [Criterion(task="labelfree/cells", margin=1e-9)]))
    assert "Use lossless jpegls, 2.5x smaller." in words
    assert "Only lossless: 2.5x smaller, every pixel the same." in words
    assert "inside the margin up to" not in words.split("Details")[0]


def test_a_criterion_that_cannot_be_met_is_answered_by_the_reason(make_study, page):
    words = words_of(page(make_study(), [Criterion(task="labelfree/cells"), CRITERION]))
    assert "the camera's noise was not drawn" in words.replace("&#39;", "'")
    assert "40x smaller." in words


def test_without_margin_and_noise_the_page_asks_for_one(make_study, page):
    words = words_of(page(make_study()))
    assert "No margin was given" in words
    assert "cytopress recommend DIR --task labelfree/cells --margin M" in words
    # An example is no answer.
    assert "smaller. Pearson" not in words


def test_the_spread_of_noise_is_the_default_margin(make_study, with_noise_replicates, page):
    words = words_of(page(with_noise_replicates(make_study())))
    assert "as much as one more draw of the camera&#39;s noise moves it" in words


def test_every_training_has_its_matrix(make_trainings, make_study, page):
    words = words_of(page(make_trainings()))
    assert "Trained on the same codec and rate (matched), they win back 0.03" in words
    assert "Trained on, tested on" not in words_of(page(make_study()))


def test_rank_correlations_are_printed(make_study, page):
    words = words_of(page(make_study()))
    assert words.count("rank correlation with how much worse it gets is −0.") == 2
    assert "over 15 settings" in words


def test_a_task_that_failed_everywhere_is_not_no_task(make_study, page):
    study = make_study()
    trials = [dataclasses.replace(t, scores={"pixels/psnr": 40.0}) for t in study.trials]
    words = words_of(page(dataclasses.replace(study, trials=trials), [CRITERION]))
    assert "No task was run" not in words
    assert "No lossy setting has a score of labelfree/cells" in words


def test_page_appears_whole_or_not_at_all(make_study, tmp_path):
    pytest.importorskip("jinja2", reason="reports need the extra report")

    def broken(key):
        raise OSError("the disk is gone")

    path = tmp_path / "report.html"
    path.write_text("the page before")
    with pytest.raises(OSError, match="disk is gone"):
        write_report(make_study(previews=broken), path)
    assert path.read_text() == "the page before"
    assert list(tmp_path.iterdir()) == [path]
