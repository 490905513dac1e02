"""The published pages in a real browser; skipped where there is none."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "reports" / "published"
# The demo leads elsewhere, to a page with tests of its own.
PAGES = sorted(
    path.relative_to(PUBLISHED).as_posix()
    for path in PUBLISHED.rglob("index.html")
    if path.parent.name != "demo"
)
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
pytestmark = pytest.mark.skipif(not BROWSER, reason="no chromium or google-chrome is installed")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Open a published page; `visit.said` are the messages on the console."""
    contexts = []

    def visit(page, viewport=DESK, **options):
        contexts.append(browser.new_context(viewport=viewport, **options))
        tab = contexts[-1].new_page()
        tab.on("console", lambda message: visit.said.append(message.text))
        tab.on("pageerror", lambda error: visit.said.append(str(error)))
        name, _, part = page.partition("#")
        tab.goto(f"{(PUBLISHED / name).as_uri()}#{part}")
        return tab

    visit.said = []
    yield visit
    for context in contexts:
        context.close()


def unfold(tab, parts="details"):
    tab.evaluate(f"for (const part of document.querySelectorAll('{parts}')) part.open = true")


def faults(tab, **options):
    """What axe finds that is serious or critical, as "rule: where"."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    options |= {"resultTypes": ["violations"]}
    found = axe.Axe().run(tab, options=options).response["violations"]
    return [
        f"{fault['id']}: {node['target']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_a_phone_says_nothing_on_the_console_and_is_light(visit, page):
    tab = visit(page, PHONE)
    unfold(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert visit.said == []
    assert (PUBLISHED / page).stat().st_size < 2e6
    missing = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert tab.evaluate(missing) == []
    assert tab.evaluate("[...document.images].filter(i => !i.alt).map(i => i.src)") == []


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_serious_by_day_or_night(visit, page):
    tab = visit(page)
    unfold(tab)
    tab.evaluate(
        "for (const body of document.querySelectorAll('tbody'))"
        "  [...body.rows].slice(5).forEach(row => row.remove())"  # rows are alike
    )
    assert faults(tab) == []
    tab.emulate_media(color_scheme="dark")
    assert faults(tab, runOnly=["color-contrast"]) == []


def test_axe_does_look(visit):
    tab = visit("index.html")
    tab.evaluate("document.querySelector('h1').style.color = '#ddd'")
    assert any(fault.startswith("color-contrast") for fault in faults(tab))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere_here(page):
    html = (PUBLISHED / page).read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=.https?:", html)
    targets = re.findall(r'(?:href|src)="([^"]+)"', html)
    for target in targets:
        if target.startswith("#"):
            assert f'id="{target[1:]}"' in html, target
        elif not re.match(r"https?:|data:|mailto:", target):
            assert (PUBLISHED / page).parent.joinpath(target.split("#")[0]).exists(), target


@pytest.mark.parametrize("page", [page for page in PAGES if "gallery" not in page])
def test_no_picture_is_published_but_drawn_ones(page):
    sources = re.findall(r'<img src="([^"]+)"', (PUBLISHED / page).read_text(encoding="utf-8"))
    assert {source for source in sources if not source.endswith(".svg")} <= {
        "faces.jpg",
        "extremes.jpg",
    }


def column(tab, table, place):
    """Texts of the shown cells of a column."""
    cells = tab.locator(f"{table} tbody tr:visible td:nth-child({place})")
    return [text.strip() for text in cells.all_inner_texts()]


def test_columns_sort_by_value_and_turn_round(visit):
    tab = visit("index.html")
    head = tab.locator(".peers thead button", has_text="file (MB)")
    head.click()
    sizes = [float(text) for text in column(tab, ".peers", 3)]
    assert len(sizes) > 3 and sizes == sorted(sizes)
    head.click()
    assert [float(text) for text in column(tab, ".peers", 3)] == sizes[::-1]


def test_a_sorted_table_of_verdicts_names_every_claim(visit):
    tab = visit("budget/index.html")
    table = tab.locator("table.verdicts", has=tab.locator("tr.again")).first
    verdicts = table.locator("tbody td:first-child").all_inner_texts()
    table.locator("thead button", has_text="verdict").click()
    assert table.locator(".again").count() == 0
    assert table.locator("tbody td:first-child").all_inner_texts() != verdicts


def test_times_sort_by_their_length(visit):
    tab = visit("paper-a/index.html#runs")
    table = tab.locator("#runs table", has=tab.locator("thead", has_text="time")).first
    unfold(tab)
    table.locator("thead button", has_text="time").click()
    cells = table.locator("tbody td[data-value]").all()
    seconds = [float(cell.get_attribute("data-value")) for cell in cells]
    assert len(seconds) > 9 and seconds == sorted(seconds)


def test_a_long_table_is_folded_and_its_box_keeps_the_rows_that_match(visit):
    tab = visit("paper-a/index.html")
    assert tab.evaluate("document.documentElement.scrollHeight") < 7000
    tab.get_by_role("link", name="Models and treatments compared").click()
    fold = tab.locator("details.part[open] details.long").first
    assert not fold.locator("table").is_visible()
    fold.locator("summary").click()
    rows = fold.locator("tbody tr:visible")
    every = rows.count()
    fold.get_by_label("Rows with").fill("mobilenet mask")
    kept = rows.all_inner_texts()
    assert 0 < len(kept) < every
    assert all("mobilenet" in text and "mask" in text for text in kept)


def test_one_button_opens_all_parts_and_a_link_opens_its_own(visit):
    tab = visit("paper-a/index.html")
    parts, opened = tab.locator("details.part"), tab.locator("details.part[open]")
    assert opened.count() < parts.count()
    tab.get_by_role("button", name="Open all").click()
    assert opened.count() == parts.count()
    tab = visit("paper-a/index.html#runs")
    assert tab.locator("#runs[open]").count() == 1


def test_the_first_column_stays_when_a_table_is_moved_aside(visit):
    tab = visit("paper-d/index.html", PHONE)
    unfold(tab)
    frame = tab.locator(".wide", has=tab.locator("th", has_text="inter-pupil")).first
    first = frame.locator("tbody td").first
    before = first.bounding_box()["x"]
    assert frame.evaluate("box => { box.scrollLeft = 80; return box.scrollLeft }") > 0
    assert first.bounding_box()["x"] == pytest.approx(before, abs=1)


def test_a_row_and_its_dot_light_up_together(visit):
    tab = visit("paper-d/index.html")
    faces = tab.locator(".faces")
    faces.locator("tbody tr").nth(3).hover()
    lit = faces.locator("circle.on")
    assert lit.count() == faces.locator("svg").count()
    assert lit.first.get_attribute("data-point") == "3"
    faces.locator("circle[data-point='30']").first.hover()
    assert faces.locator("tr.on").get_attribute("data-point") == "30"
    assert "nose" in faces.locator("output").inner_text()


def test_the_chart_of_models_changes_its_axis_and_hides_others(visit):
    tab = visit("index.html")
    chart = tab.locator(".pareto")
    dots = chart.locator("circle")
    every = dots.count()
    assert every == tab.locator("tr[data-model]").count()
    chart.locator("circle.ours").first.hover()
    by_size = chart.locator("output").inner_text()
    assert re.match(r"fkp \w+: NME \d\.\d\d %, \d\.\d\d MB, \d\.\d\d ms", by_size)
    before = chart.locator("circle.ours").first.get_attribute("cx")
    chart.get_by_role("radio", name="time of one image").check()
    assert chart.locator("circle.ours").first.get_attribute("cx") != before
    chart.get_by_label("other models").uncheck()
    assert dots.count() == chart.locator("circle.ours").count() < every


def test_without_scripts_everything_is_there(visit):
    tab = visit("paper-a/index.html", java_script_enabled=False)
    assert "verdict" in tab.content() and tab.locator("table").count() > 10
