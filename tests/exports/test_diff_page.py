"""The page of a difference: one file, one request, numbers as in the difference."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atpdsl.cli import main
from atpdsl.exports.report_page.diff_page import diff_page, diff_payload, write_diff_page
from atpdsl.problems import RunError
from atpdsl.results.difference import Difference, diff
from tests.results.samples import EMBED, HEADS, MLPS, WORDS, experiment, outcome, result

CHROMIUM = Path("/usr/bin/chromium")
EVIL = "</script><img src=x onerror=document.title='owned'>\x1b[2J\u202e"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")


def difference(**changes: object) -> Difference:
    sets = [HEADS, MLPS, EMBED]
    return diff(
        result(outcome(sets, verified=())),
        result(outcome(sets, verified=(), seed=1), **changes),
        top=10,
    )


def hostile() -> Difference:
    """Names, tokens and values that would be markup."""
    words = (*WORDS[:3], EVIL, *WORDS[4:])
    return difference(spell=words.__getitem__, experiment=replace(experiment(), name=EVIL))


def unpacked(text: str) -> dict[str, Any]:
    found = re.search(r'id="data">([^<]*)</script>', text)
    assert found is not None
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return data


def test_the_data_is_that_of_the_difference():
    found = difference()
    data = unpacked(diff_page(found))
    method = found.methods[0]

    assert data == json.loads(json.dumps(diff_payload(found)))
    told = data["methods"][0]
    assert told["correlation"] == method.correlation
    assert told["jaccard"] == method.jaccard
    assert [node["node"] for node in told["entered"]] == [n.node for n in method.entered]
    assert len(told["slopes"]) == len(method.entered) + len(method.left) + method.shared


def test_a_cell_has_the_node_that_changed_most():
    found = difference()
    frame = found.methods[0].frame
    frame = frame.assign(delta=frame["second_signed"] - frame["first_signed"])
    data = diff_payload(found)
    cells = data["methods"][0]["cells"]

    assert {cell["kind"] for cell in cells} == {"heads.z", "mlp", "embed"}
    for cell in cells:
        label = data["positions"][cell["position"]]["label"]
        here = frame[(frame["kind"] == cell["kind"]) & (frame["position"] == label)]
        if cell["layer"] is not None:
            here = here[here["layer"] == cell["layer"]]
        assert cell["nodes"] == len(here)
        assert abs(cell["delta"]) == pytest.approx(here["delta"].abs().max())
        assert cell["node"].endswith(f"@{label}")


def test_identical_results_have_a_page_too():
    made = result()

    assert diff_payload(diff(made, made))["identical"]
    assert unpacked(diff_page(diff(made, made)))["methods"][0]["identical"]


def test_the_page_holds_no_text_of_the_results_as_markup():
    text = diff_page(hostile())

    assert "<img" not in text
    assert "\x1b" not in text
    assert "http:" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in text


def test_a_file_is_not_replaced_unless_told_so(tmp_path):
    path = tmp_path / "d.html"
    write_diff_page(difference(), path)
    with pytest.raises(RunError, match="ATP451"):
        write_diff_page(difference(), path)
    write_diff_page(difference(), path, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="ATP442"):
        write_diff_page(difference(), tmp_path / "file" / "d.html")


def test_the_command_writes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    result().save("a")

    assert main(["diff", "a", "a", "--html", "d.html"]) == 0
    assert "page" in capsys.readouterr().out
    assert main(["diff", "a", "a", "--html", "d.html"]) == 3
    assert main(["diff", "a", "a", "--html", "d.html", "--overwrite"]) == 0


# ---- in a browser ----


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip("needs Chromium")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("make", [difference, hostile])
def test_a_browser_makes_one_request_and_finds_nothing_wrong(browser, tmp_path, scheme, make):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    path = tmp_path / "d.html"
    found = make()
    write_diff_page(found, path)
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1100, "height": 800})
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready=yes]")

    assert requests == [path.as_uri()]
    assert complaints == []
    assert page.title() != "owned"
    assert page.locator("img").count() == 0
    assert f"{found.methods[0].jaccard:.2f}" in page.inner_text("main")
    assert axe.Axe().run(page).response["violations"] == []
    page.select_option("#kind", "mlp")
    assert "mlp: second minus first" in page.inner_text("main")
    page.close()


@pytest.mark.slow
def test_many_nodes_make_a_small_page_quickly():
    from tests.results.test_difference import large

    made = result()
    tables = large(200_000)
    sides = [replace(made, table=table) for table in tables]
    began = time.perf_counter()
    text = diff_page(_placed(sides))
    took = time.perf_counter() - began

    assert took < 20
    assert len(text) < 500_000


def _placed(sides: list[Any]) -> Difference:
    """Two results whose positions are those of their tables."""
    one = sides[0].record.positions[0]
    labels = tuple(replace(one, label=str(number)) for number in range(15))
    return diff(
        *(replace(side, record=replace(side.record, positions=labels)) for side in sides)
    )
