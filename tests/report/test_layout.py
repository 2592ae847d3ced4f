"""The page on a phone and in the dark: hints beside wide tables, whole names, readable colors."""

import pytest

from cytopress.report import write_report
from cytopress.results.recommendation import Criterion
from fakes.made_up_study import TASK

pytestmark = pytest.mark.browser
LONG = "learned/a-codec-with-quite-a-long-name"


@pytest.fixture(scope="module")
def file(make_study, tmp_path_factory):
    study = make_study(codecs=("jpeg2000", "jpegxl", LONG), fields=8, datasets=("cells", "nuclei"))
    path = tmp_path_factory.mktemp("page") / "report.html"
    return write_report(study, path, [Criterion(task=TASK, margin=0.01)])


@pytest.fixture
def opened(browser, file):
    pages = []

    def at(address="", **options):
        pages.append(browser.new_page(**options))
        pages[-1].goto(file.as_uri() + address)
        return pages[-1]

    yield at
    for page in pages:
        page.close()


PHONE = {"viewport": {"width": 420, "height": 900}}
TABLES = """() => [...document.querySelectorAll('.scroll')]
    .filter(node => node.checkVisibility())
    .map(node => [node.scrollWidth > node.clientWidth + 1,
        node.previousElementSibling.checkVisibility()
            && node.previousElementSibling.className.includes('hint')])"""
NAMES = """() => [...document.querySelectorAll('tbody th, .bar-name')]
    .filter(node => node.checkVisibility())
    .filter(node => node.scrollWidth > node.clientWidth + 1
        || getComputedStyle(node).textOverflow === 'ellipsis')
    .map(node => node.textContent)"""


def test_tables_wider_than_a_phone_say_so(opened):
    page = opened("#settings", **PHONE)
    page.wait_for_selector(".hint.on")
    found = page.evaluate(TABLES)
    assert any(wider for wider, _ in found)
    assert all(wider == told for wider, told in found)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_no_table_says_so_where_it_fits(opened):
    page = opened("#data", viewport={"width": 1400, "height": 900})
    assert all(wider == told for wider, told in page.evaluate(TABLES))


def test_names_are_whole_on_a_phone(opened):
    page = opened("#settings", **PHONE)
    assert page.evaluate(NAMES) == []
    assert LONG in page.locator(".bar-name").all_text_contents()


def test_an_address_within_the_details_opens_them(opened):
    page = opened("#method")
    assert page.locator("#method").is_visible()
    assert not opened().locator("#method").is_visible()


BRIGHTNESS = """name => {
    const color = getComputedStyle(document.body)[name].match(/\\d+/g).map(Number);
    return (color[0] + color[1] + color[2]) / 3;
}"""


@pytest.mark.parametrize(("scheme", "darker"), [("dark", True), ("light", False)])
def test_the_page_and_its_plots_follow_the_screen(opened, scheme, darker):
    page = opened("#accuracy", color_scheme=scheme)
    page.wait_for_selector(".plot .js-line", state="attached")
    behind, ink = (page.evaluate(BRIGHTNESS, name) for name in ("backgroundColor", "color"))
    assert (behind < ink) == darker
    assert abs(behind - ink) > 150
    paper = page.locator('.plot[data-kind="accuracy"] .main-svg').first.evaluate(
        "node => node.style.background.match(/\\d+/g).map(Number)[0]"
    )
    assert (paper < 100) == darker


def test_a_held_picture_is_the_one_that_it_is_compared_with(opened):
    page = opened()
    row = page.locator(".row").first
    original, decoded = (row.locator("img").nth(place).get_attribute("src") for place in (0, 1))
    image = row.locator("img").nth(1)
    image.dispatch_event("pointerdown")
    assert image.get_attribute("src") == original
    image.dispatch_event("pointerup")
    assert image.get_attribute("src") == decoded
