"""The page in a real browser: plots are drawn, lines switch off, pictures follow the pickers."""

import pytest

from cytopress.report import write_report
from cytopress.results.recommendation import Criterion, recommend

pytestmark = pytest.mark.browser
WIDTHS = (1400, 400)
CODECS = ("jpeg2000", "jpegxl", "jpegxr", "avif")
EVIL = '<img src=x onerror="document.title=1">&<b>'
KINDS = ("accuracy", "change", "metric")


@pytest.fixture(scope="module")
def file(make_study, tmp_path_factory):
    study = make_study(codecs=CODECS, datasets=("cells", "nuclei"), pictured=2)
    return write_report(study, tmp_path_factory.mktemp("page") / "report.html")


# A page is there within a second, or on a busy machine within a minute.
PATIENCE_MS = 120_000


class Seen:
    """What a page asked for and complained of."""

    def __init__(self, page):
        self.requests, self.complaints = [], []
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on(
            "console",
            lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))


def open_details(page, selector=".plot .js-line"):
    page.evaluate("document.getElementById('details').open = true")
    page.wait_for_selector(selector, state="attached")


# As the page was when it was opened; what is as it was is left alone, since drawing takes time.
RESET = """() => {
    for (const select of document.querySelectorAll("select")) {
        const chosen = [...select.options].findIndex((option) => option.defaultSelected);
        const first = Math.max(0, chosen);
        if (select.selectedIndex === first) continue;
        select.selectedIndex = first;
        select.dispatchEvent(new Event("change"));
    }
    if (document.querySelector('.legend [aria-pressed="false"]')) {
        document.querySelector(".legend .all").click();
    }
}"""


@pytest.fixture(scope="module", params=WIDTHS)
def window(request, browser, file):
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    seen = Seen(page)
    page.goto(file.as_uri())
    open_details(page)
    yield page, seen
    page.close()


@pytest.fixture
def opened(window, file):
    page, seen = window
    yield page
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith(("data:", "blob:"))] == [
        file.as_uri()
    ]
    page.emulate_media(media="screen")
    page.evaluate(RESET)


def lines(page, kind, dataset=0):
    """Lines with a length that one plot shows."""
    plot = page.locator(f'.plot[data-kind="{kind}"][data-dataset="{dataset}"]').first
    return plot.evaluate(
        """node => [...node.querySelectorAll('.scatterlayer .js-line')]
            .filter(path => path.getTotalLength() > 0).length"""
    )


def press(page, codec):
    page.locator(f'.legend button[data-codec="{codec}"]').first.click()


@pytest.mark.parametrize("kind", KINDS)
def test_every_plot_draws_one_line_a_codec(opened, kind):
    assert [lines(opened, kind, dataset) for dataset in (0, 1)] == [len(CODECS)] * 2


def test_noise_fit_is_drawn_with_its_points(opened):
    assert lines(opened, "noise") == 1
    assert opened.locator('.plot[data-kind="noise"]').first.locator(".point").count() == 25


def test_a_codec_switched_off_goes_from_every_plot_and_comes_back(opened):
    press(opened, "jpegxl")
    assert [lines(opened, kind, d) for kind in KINDS for d in (0, 1)] == [len(CODECS) - 1] * 6
    pressed = opened.locator('.legend button[data-codec="jpegxl"]').evaluate_all(
        "nodes => nodes.map(node => node.getAttribute('aria-pressed'))"
    )
    assert set(pressed) == {"false"}
    press(opened, "jpegxl")
    assert [lines(opened, kind) for kind in KINDS] == [len(CODECS)] * 3


def test_all_codecs_off_and_on(opened):
    opened.get_by_role("button", name="hide all").first.click()
    assert [lines(opened, kind) for kind in KINDS] == [0] * 3
    opened.get_by_role("button", name="show all").first.click()
    assert [lines(opened, kind) for kind in KINDS] == [len(CODECS)] * 3


def test_pointing_at_a_codec_makes_the_others_step_back(opened):
    def opacities():
        return (
            opened.locator('.plot[data-kind="change"]')
            .first.locator(".trace")
            .evaluate_all("nodes => nodes.map(node => getComputedStyle(node).opacity)")
        )

    opened.locator('.legend button[data-codec="jpegxl"]').first.hover()
    assert opacities() == ["0.12", "1", "0.12", "0.12"]
    opened.locator("h1").hover()
    assert opacities() == ["1"] * 4


def test_metric_selector_changes_axis_and_lines(opened):
    plot = opened.locator('.plot[data-kind="metric"]').first
    before = plot.locator(".js-line").first.get_attribute("d")
    assert "PSNR" in plot.locator(".ytitle").text_content()
    opened.locator('select[data-column-for="metric-0-1"]').select_option("pixels/ssim")
    assert "SSIM" in plot.locator(".ytitle").text_content()
    assert plot.locator(".js-line").first.get_attribute("d") != before


def test_size_can_be_shown_in_bits_per_pixel(opened):
    opened.locator("select[data-rate]").first.select_option("bpp")
    sized = ", ".join(f'.plot[data-kind="{kind}"] .xtitle' for kind in KINDS)
    titles = opened.locator(sized).all_text_contents()
    assert set(titles) == {"Bits per pixel"}


def test_hover_tells_the_numbers(opened):
    plot = opened.locator('.plot[data-kind="metric"]').first
    plot.scroll_into_view_if_needed()
    box = plot.locator(".point").first.bounding_box()
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.wait_for_selector(".hoverlayer .hovertext")
    text = opened.locator(".hoverlayer .hovertext").first.text_content()
    assert "jpeg2000" in text
    assert "5.00x smaller" in text
    assert "PSNR" in text


def test_baseline_and_best_lossless_are_marked(opened):
    labels = (
        opened.locator('.plot[data-kind="accuracy"]')
        .first.locator(".shape-label")
        .all_text_contents()
    )
    assert any("from originals: 0.895" in label for label in labels)
    assert any("best lossless" in label for label in labels)


def sources(page):
    return page.locator(".view img").evaluate_all("nodes => nodes.map(node => node.src)")


def test_gallery_shows_six_loaded_pictures(opened):
    sizes = opened.locator(".view img").evaluate_all(
        """nodes => nodes.map(node =>
            [node.complete, node.naturalWidth, getComputedStyle(node).imageRendering])"""
    )
    assert sizes == [[True, 64, "pixelated"]] * 6


def test_picking_a_size_changes_what_depends_on_it(opened):
    before = sources(opened)
    opened.locator('select[name="setting"]').select_option("ratio=80")
    after = sources(opened)
    same = [one == two for one, two in zip(before, after, strict=True)]
    # Original, decoded, error, prediction, prediction from decoded, truth.
    assert same == [True, False, False, True, False, True]
    assert "80x smaller" in opened.locator('[data-text="picked"]').text_content()


def test_picking_a_field_changes_the_original(opened):
    before = sources(opened)
    opened.locator('select[name="field"]').select_option("f1")
    assert sources(opened)[0] != before[0]


def test_holding_the_decoded_picture_shows_the_original(opened):
    original, decoded = sources(opened)[:2]
    image = opened.locator('[data-picture="decoded"] img')
    image.dispatch_event("pointerdown")
    assert image.get_attribute("src") == original
    image.dispatch_event("pointerup")
    assert image.get_attribute("src") == decoded


def test_scale_bar_has_the_length_that_it_names(opened):
    for zoom in (1, 2, 8):
        opened.locator('select[name="zoom"]').select_option(str(zoom))
        bar, image, label = opened.locator('[data-picture="original"]').evaluate(
            """node => [node.querySelector('.ruler').getBoundingClientRect().width,
                        node.querySelector('img').getBoundingClientRect().width,
                        node.querySelector('.ruler').textContent]"""
        )
        # 64 pixels of 0.25 µm are 16 µm wide.
        assert bar / image * 16 == pytest.approx(float(label.split()[0]), rel=0.02)
        assert label.endswith("µm")


def test_views_scroll_together_when_zoomed(opened):
    opened.locator('select[name="zoom"]').select_option("4")
    opened.locator(".view").first.evaluate("node => node.scrollTo(30, 40)")
    opened.wait_for_function(
        """() => [...document.querySelectorAll('.view')]
            .every(view => view.scrollLeft === 30 && view.scrollTop === 40)"""
    )


def test_nothing_reaches_beyond_the_window(opened):
    width = opened.viewport_size["width"]
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    outside = opened.evaluate(
        """() => [...document.querySelectorAll('main *')].filter(node => {
            if (node.closest('.scroll, .view, pre, svg, nav')) return false;
            const box = node.getBoundingClientRect();
            return box.width > 0 && box.right > innerWidth + 1;
        }).map(node => node.outerHTML.slice(0, 120))"""
    )
    assert outside == []


def test_every_control_has_a_name(opened):
    nameless = opened.evaluate(
        """() => [...document.querySelectorAll('select, button, img, [role=img]')].filter(node =>
            !(node.labels?.length || node.textContent.trim() || node.alt
                || node.getAttribute('aria-label'))
        ).map(node => node.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_on_paper_plots_fit_and_controls_are_gone(opened):
    opened.emulate_media(media="print")
    opened.wait_for_function("() => document.querySelector('.plot .main-svg').clientWidth === 680")
    assert not opened.locator("nav").is_visible()
    assert opened.locator(".controls:visible").count() == 0
    opened.emulate_media(media="screen")
    opened.wait_for_function("() => document.querySelector('.plot .main-svg').clientWidth !== 680")


def test_curves_are_told_apart_without_color(opened):
    marks = (
        opened.locator('.plot[data-kind="metric"]')
        .first.locator(".trace")
        .evaluate_all(
            """nodes => nodes.map(node => node.querySelector('.js-line').style.strokeDasharray + '|'
            + node.querySelector('.point').getAttribute('d'))"""
        )
    )
    assert len(set(marks)) == len(CODECS)


EDGES = {
    "unfinished": {"trials_done": 3, "trials_planned": 9},
    "one codec, one rate": {"codecs": ("jpegxl",), "ratios": (10,)},
    "lossless only": {"codecs": ()},
    "no task": {"task": False},
    "one field": {"fields": 1},
    "no pictures": {"pictured": 0},
    "no metrics": {"scores": ()},
}


@pytest.mark.parametrize("edge", EDGES)
def test_odd_studies_open_without_complaint(browser, make_study, tmp_path, edge):
    file = write_report(make_study(**EDGES[edge]), tmp_path / "report.html")
    page = browser.new_page(viewport={"width": 400, "height": 900})
    seen = Seen(page)
    page.goto(file.as_uri())
    open_details(page, '.plot[data-kind="noise"] .js-line')
    assert seen.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_names_from_files_cannot_act(browser, make_study, tmp_path, width):
    study = make_study(codecs=("jpeg2000", EVIL))
    trials = [type(t)(**{**vars(t), "field": EVIL + t.field}) for t in study.trials]
    file = write_report(
        type(study)(**{**vars(study), "trials": trials, "title": "t"}), tmp_path / "p.html"
    )
    page = browser.new_page(viewport={"width": width, "height": 900})
    seen = Seen(page)
    page.goto(file.as_uri())
    open_details(page)
    plot = page.locator('.plot[data-kind="metric"]').first
    plot.scroll_into_view_if_needed()
    box = plot.locator(".trace").nth(1).locator(".point").last.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.wait_for_selector(".hoverlayer .hovertext")
    # Shown as it is written, and not as what it would make.
    assert EVIL in page.locator(".hoverlayer .hovertext").first.text_content()
    assert page.title().startswith("t ")
    assert page.locator("main img[src=x]").count() == 0
    assert seen.complaints == []
    page.close()


def test_axis_titles_are_not_cut(opened):
    cut = opened.evaluate(
        """() => [...document.querySelectorAll('.plot .ytitle, .plot .xtitle')].filter(title => {
            const inner = title.getBoundingClientRect();
            const outer = title.closest('.plot').getBoundingClientRect();
            return inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1
                || inner.left < outer.left - 1 || inner.right > outer.right + 1;
        }).map(title => title.textContent)"""
    )
    assert cut == []


@pytest.mark.parametrize("width", WIDTHS)
def test_losses_are_filled_where_safe_and_hollow_where_not(
    browser, make_study, with_noise_replicates, tmp_path, width
):
    study = with_noise_replicates(make_study(codecs=CODECS, fields=12, groups=6))
    criteria = [Criterion(task="labelfree/cells"), Criterion(task="labelfree/cells", margin=0.01)]
    file = write_report(study, tmp_path / "report.html", criteria)
    page = browser.new_page(viewport={"width": width, "height": 900})
    seen = Seen(page)
    page.goto(file.as_uri())
    open_details(page)
    plots = page.locator('.plot[data-kind="equivalence"]')
    assert plots.count() == 2
    assert [lines(page, "equivalence")] == [len(CODECS)]
    for number, criterion in enumerate(criteria):
        (found,) = recommend(study, criterion)
        drawn = plots.nth(number).locator(".point").count()
        hollow = (
            plots.nth(number)
            .locator(".point")
            .evaluate_all("nodes => nodes.filter(node => node.style.fill === 'none').length")
        )
        assert drawn == len(found.settings)
        assert hollow == sum(setting.verdict != "inside" for setting in found.settings)
        labels = plots.nth(number).locator(".shape-label").all_text_contents()
        assert any("margin: " in label for label in labels)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.complaints == []
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_matrix_and_similarity_are_drawn(browser, make_trainings, tmp_path, width):
    file = write_report(make_trainings(), tmp_path / "report.html")
    page = browser.new_page(viewport={"width": width, "height": 900})
    seen = Seen(page)
    page.goto(file.as_uri())
    open_details(page, '.plot[data-kind="training"] .hm image')
    plot = page.locator('.plot[data-kind="training"]')
    numbers = plot.locator(".heatmap-label").all_text_contents()
    assert numbers[:3] == ["0.925", "0.885", "0.885"]
    assert len(numbers) == 12
    assert page.locator('.plot[data-kind="similarity"] .point').count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.complaints == []
    page.close()


@pytest.mark.parametrize("width", [1400, 500])
def test_sections_of_a_volume_are_drawn_to_one_scale(browser, make_volumes, tmp_path, width):
    file = write_report(make_volumes(), tmp_path / "volumes.html")
    page = browser.new_page(viewport={"width": width, "height": 900})
    seen = Seen(page)
    page.goto(file.as_uri())
    open_details(page)
    boxes = page.locator('[data-picture="original"] .section').evaluate_all(
        """nodes => Object.fromEntries(nodes.map(node => {
            const box = node.querySelector('img').getBoundingClientRect();
            const lines = [...node.querySelectorAll('i')].map(i => i.getBoundingClientRect());
            return [node.dataset.section, {
                left: box.left, top: box.top, width: box.width, height: box.height,
                row: (lines[0].top - box.top) / box.height,
                column: (lines[1].left - box.left) / box.width,
            }];
        }))"""
    )
    xy, xz, yz = (boxes[name] for name in ("XY", "XZ", "YZ"))
    # 64 pixels of 0.25 µm; 24 planes 0.5 µm apart.
    assert xy["height"] == pytest.approx(xy["width"], abs=1)
    assert xz["height"] == pytest.approx(xy["width"] * 48 / 64, abs=1.5)
    assert yz["width"] == pytest.approx(xy["width"] * 48 / 64, abs=1.5)
    assert xz["left"] == pytest.approx(xy["left"], abs=1)
    assert xz["top"] > xy["top"] + xy["height"] - 1
    assert yz["left"] > xy["left"] + xy["width"] - 1
    assert (xy["row"], xy["column"]) == pytest.approx((16.5 / 64, 40.5 / 64), abs=0.02)
    assert (xz["row"], xz["column"]) == pytest.approx((12.5 / 24, 40.5 / 64), abs=0.02)
    assert (yz["row"], yz["column"]) == pytest.approx((16.5 / 64, 12.5 / 24), abs=0.02)
    assert len(set(sources(page))) == 6 * 3
    page.locator('select[name="zoom"]').select_option("4")
    page.locator('[data-section="XZ"] .view').first.evaluate("node => node.scrollTo(30, 20)")
    page.wait_for_function(
        """() => [...document.querySelectorAll('.view')].every(view =>
            view.scrollLeft === (view.parentElement.dataset.section === 'XZ' ? 30 : 0))"""
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.complaints == []
    page.close()
