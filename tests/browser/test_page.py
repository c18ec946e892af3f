"""The report in a real browser: what it asks for, shows, links, and does not obey."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from atpdsl import exports
from atpdsl.exports.html import text
from atpdsl.problems import Source
from atpdsl.results.names import node_id
from atpdsl.results.result import Result
from atpdsl.syntax.parse import parse
from tests.exports.cases import exact_cancellation, hostile
from tests.results.raw import diagnosed_result
from tests.results.samples import outcome, result

pytestmark = [pytest.mark.browser]

VIEWS = ("circuit", "heatmap", "trust", "why", "prompts", "table", "run")
TOP = "heads.z.L0.H3@4"
UNPACK = """async () => {
  const text = document.getElementById("data").textContent.trim();
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const gzip = new DecompressionStream("gzip");
  const stream = new Blob([bytes]).stream().pipeThrough(gzip);
  return JSON.parse(await new Response(stream).text()).tables;
}"""
ODD = ("#view=nothing&method=none", "#selected=%E0%A4%A", "#%%%", "#pair=-3")


@pytest.fixture
def page(opened, tmp_path):
    """Opens the page of a result."""

    def open_result(found: Result, hash_: str = "", **options: object):
        path = tmp_path / "report.html"
        path.write_text(text(found), encoding="utf-8")
        return opened(path, hash_, **options)

    return open_result


CASES = {
    "verified": result,
    "diagnosed": diagnosed_result,
    "exact": lambda: result(outcome(exact=True)),
    "estimates": lambda: result(outcome(verified=())),
    "hostile": hostile,
    "infinite": exact_cancellation,
}


@pytest.mark.parametrize("case", CASES)
def test_every_view_is_drawn_with_one_request_and_without_a_word_in_the_console(page, case):
    found = page(CASES[case]())
    for view in VIEWS:
        found.show(view)
        assert found.page.inner_text(f"#view-{view}").strip()

    assert len(found.requests) == 1
    assert found.said == []


def test_a_selection_is_the_same_in_all_views_and_in_the_address(page):
    found = page(result())
    found.page.click(f'#view-circuit [data-node="{TOP}"]')
    assert found.page.inner_text("aside h2") == TOP
    assert "selected=heads.z.L0.H3%404" in found.hash

    found.show("table")
    chosen = found.page.locator("#view-table tr.selected")
    assert chosen.get_attribute("data-node") == TOP
    found.show("trust")
    assert found.page.locator(f'#view-trust .selected[data-node="{TOP}"]').count() >= 1
    found.show("heatmap")
    assert found.page.locator("#view-heatmap .ring").get_attribute("visibility") == "visible"

    found.show("table")
    found.page.click('#view-table button:text-is("mlp.L1@S2")')
    found.show("circuit")
    mark = found.page.locator('#view-circuit [data-node="mlp.L1@S2"]')
    assert mark.get_attribute("aria-pressed") == "true"


def test_a_selected_node_is_drawn_however_weak_it_is(page):
    found = page(result())
    mark = found.page.locator('#view-circuit [data-node="mlp.L0@last"]')
    assert mark.count() == 0
    found.show("table")
    found.page.fill("#search", "mlp l0 last")
    found.page.click('#view-table button:text-is("mlp.L0@last")')
    found.show("circuit")

    assert mark.get_attribute("aria-pressed") == "true"


def test_an_address_brings_back_what_was_looked_at(page):
    found = page(result(), "#view=table&selected=mlp.L0%40last&search=mlp&sort=estimate&down=1")

    assert found.page.get_attribute("#tab-table", "aria-selected") == "true"
    assert found.page.inner_text("aside h2") == "mlp.L0@last"
    names = found.page.locator("#view-table tbody tr").evaluate_all(
        "rows => rows.map((row) => row.dataset.node)"
    )
    assert names
    assert all(name.startswith("mlp") for name in names)


@pytest.mark.parametrize("hash_", ODD)
def test_an_address_that_makes_no_sense_is_forgiven(page, hash_):
    found = page(result(), hash_)

    assert found.page.is_visible("#view-circuit")
    assert found.said == []


def test_numbers_are_those_of_the_result(page):
    mine = result()
    (row,) = [
        one
        for one in mine.top_rows(50)
        if node_id(one.kind, one.layer, one.index, one.position) == TOP
    ]
    found = page(mine, "#selected=heads.z.L0.H3%404")
    shown = {
        fact: float(found.page.inner_text(f'[data-fact="{fact}"]').replace("\u2212", "-"))
        for fact in ("estimate", "effect", "effect_abs", "score", "rank")
    }

    for fact, value in shown.items():
        assert value == pytest.approx(float(getattr(row, fact)), rel=1e-5)


def test_all_scores_of_the_page_are_those_of_the_table(page):
    mine = diagnosed_result()
    found = page(mine)
    tables = found.page.evaluate(UNPACK)
    for label, table in tables.items():
        frame = mine.scores[mine.scores["method"] == label]
        for name in ("estimate", "signed", "effect", "score", "rank"):
            shown = [math.nan if one is None else one for one in table["columns"][name]]
            assert np.array_equal(shown, frame[name].to_numpy(float), equal_nan=True)


def test_the_keyboard_reaches_tabs_and_nodes(page):
    found = page(result())
    found.page.focus("#tab-circuit")
    found.page.keyboard.press("ArrowRight")
    found.page.keyboard.press("Enter")
    assert found.page.is_visible("#view-heatmap")
    found.show("circuit")
    found.page.focus(f'#view-circuit [data-node="{TOP}"]')
    found.page.keyboard.press("Enter")

    assert found.page.inner_text("aside h2") == TOP


def test_filters_and_pages_of_the_table(page):
    found = page(result())
    found.show("table")
    rows = "#view-table tbody tr"
    everything = found.page.locator(rows).count()
    found.page.fill("#search", "L0 mlp")
    fewer = found.page.locator(rows).count()
    found.page.fill("#search", "")
    found.page.select_option("#verified", "yes")

    assert 0 < fewer < everything
    assert found.page.locator(rows).count() == 6


def test_the_table_is_copied_as_a_selection_of_the_language(page):
    found = page(result())
    found.show("table")
    found.page.click('button:has-text("Copy these as .atp")')
    source = found.page.inner_text("#view-table pre.source")

    assert re.search(r"heads\.z\[L0H3", source)
    # It stands in a spec as it is.
    parse(Source("copied", f'atp 1\nmodel "tiny"\n{source}'))


def test_every_chart_has_its_picture_as_a_file_and_its_numbers(page, tmp_path):
    found = page(diagnosed_result())
    for view in ("circuit", "heatmap", "trust", "prompts"):
        found.show(view)
        charts = found.page.locator(f"#view-{view} figure.chart")
        assert charts.count() >= 1
        for number in range(charts.count()):
            chart = charts.nth(number)
            chart.locator('button:has-text("Data table")').click()
            assert chart.locator(".numbers td").count() > 0
            with found.page.expect_download() as saved:
                chart.locator('button:has-text("Save SVG")').click()
            path = tmp_path / "chart.svg"
            saved.value.save_as(path)
            drawing = path.read_text(encoding="utf-8")
            assert drawing.startswith("<svg")
            assert "var(--" not in drawing


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(chromium, tmp_path, view, dark):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    path = tmp_path / "report.html"
    path.write_text(text(diagnosed_result()), encoding="utf-8")
    # Axe is put into the page, which its policy would not allow.
    context = chromium.new_context(color_scheme="dark" if dark else "light", bypass_csp=True)
    opened = context.new_page()
    opened.goto(f"{path.as_uri()}#view={view}&selected=heads.z.L0.H3%404")
    opened.wait_for_selector("html[data-ready=yes]")
    found = axe.Axe().run(opened)
    context.close()

    problems = [
        (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in found.response["violations"]
    ]
    assert problems == []


def test_hostile_texts_are_shown_and_do_nothing(page):
    found = page(hostile())
    for view in VIEWS:
        found.show(view)

    assert found.page.locator("img, iframe, object, embed").count() == 0
    assert found.page.locator("script").count() == 2
    assert found.page.evaluate("window.alerted") is None
    assert "<img src=x onerror=alert(1)>" in found.page.inner_text("h1")
    assert len(found.requests) == 1


def test_the_policy_forbids_scripts_and_requests_that_are_not_the_page_s(page):
    found = page(result())
    found.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          const image = new Image();
          image.src = "https://example.org/x.png";
        }"""
    )

    assert found.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in words for words in found.said)
    assert not any("example.org" in url for url in found.answered)
    assert any("example.org" in url for url in found.refused)


@pytest.mark.parametrize("dark", [False, True])
def test_screenshots_are_kept(page, shots, dark):
    found = page(diagnosed_result(), dark=dark)
    sizes = []
    for view in VIEWS:
        found.show(view)
        path = shots / f"{view}-{'dark' if dark else 'light'}.png"
        found.page.screenshot(path=path, full_page=True)
        sizes.append(path.stat().st_size)
    background = found.page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert min(sizes) > 5_000
    assert background == ("rgb(20, 23, 28)" if dark else "rgb(255, 255, 255)")


def test_a_narrow_window_needs_no_scrolling_sideways(page):
    found = page(diagnosed_result(), width=420)
    for view in VIEWS:
        found.show(view)
        assert found.page.evaluate("document.documentElement.scrollWidth") <= 421


def test_print_has_every_view(page):
    found = page(result())
    found.page.emulate_media(media="print")
    found.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")

    assert all(found.page.is_visible(f"#view-{view}") for view in VIEWS)


def test_a_spec_exports_it(tmp_path):
    saved = result().save(tmp_path / "ioi")
    exports.export(saved, tmp_path / "ioi.html")

    assert (tmp_path / "ioi.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads((tmp_path / "ioi" / "result.json").read_text(encoding="utf-8"))
