"""The slider of the margin in a real browser: it answers as `recommend --json` does."""

import pytest

from cytopress.report import write_report
from cytopress.results.recommendation import Criterion, as_json, recommend
from cytopress.results.recommendation.plain_words import hero_text
from fakes.made_up_study import TASK

pytestmark = pytest.mark.browser
# From where nothing is inside to where everything is, and the very bounds of settings.
MARGINS = (1e-6, 0.0004, 0.001, 0.00123, 0.003, 0.0057, 0.011, 0.02, 0.05, 0.3)


@pytest.fixture(scope="module")
def study(make_study):
    return make_study(fields=9, groups=9, codecs=("jpeg2000", "jpegxl", "jpegxr", "avif"))


@pytest.fixture(scope="module", params=[1400, 420])
def page(request, browser, study, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    write_report(study, file, [Criterion(task=TASK, margin=0.01)])
    made = browser.new_page(viewport={"width": request.param, "height": 900})
    complaints = []
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.goto(file.as_uri())
    yield made
    assert complaints == []
    assert made.evaluate("document.documentElement.scrollWidth") <= request.param
    made.close()


def bars(page):
    """Read each codec's bar: up to where it is inside, "" for nowhere, and whether it is filled."""
    return page.locator(".bar-row").evaluate_all(
        """rows => Object.fromEntries(rows.map(row => [row.dataset.codec, {
            upTo: (row.querySelector('.bar-text b') || {textContent: ''}).textContent,
            filled: row.querySelector('.track .inside').getBoundingClientRect().width > 0,
            winner: row.classList.contains('winner'),
        }]))"""
    )


def expected_bars(found):
    expected = {}
    for setting in found.settings:
        bar = expected.setdefault(
            setting.curve.label, {"upTo": "", "filled": False, "winner": False}
        )
        if setting.verdict == "inside":
            ratio = setting.ratio
            bar["upTo"] = f"{ratio:.1f}x" if ratio < 9.95 else f"{ratio:,.0f}x"
            bar["filled"] = True
        if setting is found.chosen:
            bar["winner"] = True
    return expected


def put(page, margin):
    field = page.locator('.slider input[type="text"]')
    field.fill(repr(margin))
    field.press("Enter")


@pytest.mark.parametrize("margin", MARGINS)
def test_the_slider_says_what_recommend_says(page, study, margin):
    (found,) = recommend(study, Criterion(task=TASK, margin=margin))
    put(page, margin)
    output = page.locator(".slider output")
    assert (output.get_attribute("data-spec") or None) == as_json(found)["spec"]
    assert bars(page) == expected_bars(found)
    if found.chosen:
        assert found.chosen.point.setting in output.text_content()
    else:
        assert "nothing smaller than lossless" in output.text_content()


def test_a_margin_at_the_very_bound_of_a_setting_holds_it(page, study):
    (found,) = recommend(study, Criterion(task=TASK, margin=0.01))
    bounds = sorted(s.bound for s in found.settings if s.bound and s.bound > 0)
    for bound in (bounds[0], bounds[len(bounds) // 2], bounds[-1]):
        (at,) = recommend(study, Criterion(task=TASK, margin=bound))
        put(page, bound)
        assert bars(page) == expected_bars(at)


def test_dragging_moves_the_margin_and_the_way_back_is_exact(page, study):
    slide = page.locator('.slider input[type="range"]')
    seen = []
    for step in ("0", "400", "1000"):
        slide.fill(step)
        margin = float(page.locator('.slider input[type="text"]').input_value())
        (found,) = recommend(study, Criterion(task=TASK, margin=margin))
        assert bars(page) == expected_bars(found)
        seen.append(margin)
    assert seen == sorted(set(seen))
    page.locator(".slider button").click()
    (found,) = recommend(study, Criterion(task=TASK, margin=0.01))
    assert page.locator('.slider input[type="text"]').input_value() == "0.01"
    assert bars(page) == expected_bars(found)


@pytest.mark.parametrize("given", ["-1", "much", "0", "2"])
def test_what_is_no_margin_is_said(page, given):
    field = page.locator('.slider input[type="text"]')
    field.fill(given)
    field.press("Enter")
    assert "A margin is a number above 0" in page.locator(".slider output").text_content()


@pytest.mark.parametrize("margin", MARGINS)
def test_the_first_line_follows_the_margin(page, study, margin):
    (found,) = recommend(study, Criterion(task=TASK, margin=margin))
    put(page, margin)
    assert page.locator(".hero").text_content() == hero_text(found)
    moved = margin != 0.01
    assert page.locator(".lead").is_visible() is not moved
    assert page.locator(".moved").is_visible() is moved
    if moved:
        words = page.locator(".moved").text_content()
        assert "The page was made for 0.01" in words
        assert f"--margin {margin!r}".replace("1e-06", "0.000001") in words
        assert (found.chosen is None) is words.startswith("At a margin")


def test_bounds_of_settings_have_digits_enough_to_lie_inside_the_margin(page, study):
    (found,) = recommend(study, Criterion(task=TASK, margin=0.01))
    for bound in [setting.bound for setting in found.settings if setting.bound]:
        for margin in (bound, float(f"{bound:.5g}") * 1.0001):
            (at,) = recommend(study, Criterion(task=TASK, margin=margin))
            put(page, margin)
            assert page.locator(".hero").text_content() == hero_text(at)


def test_pictures_and_dots_say_whose_they_are_where_the_line_names_another_setting(page, study):
    (recorded,) = recommend(study, Criterion(task=TASK, margin=0.01))
    for margin in (0.01, 0.0100001, 0.3, 1e-6):
        (found,) = recommend(study, Criterion(task=TASK, margin=margin))
        put(page, margin)
        other = (found.chosen and found.chosen.spec) != recorded.chosen.spec
        assert page.locator(".shown .other").is_visible() is other
        assert page.locator(".fields .other").is_visible() is other
    said = page.locator(".shown > .note").first.text_content()
    assert f"{recorded.chosen.curve.label} at {recorded.chosen.point.setting}" in said
    assert "the setting for a margin of 0.01, and not the one in the first line" in said
    page.locator(".slider button").click()
    assert page.locator(".hero").text_content() == hero_text(recorded)
    assert page.locator(".lead").is_visible()
