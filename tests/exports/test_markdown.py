from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from atpdsl.exports import export
from atpdsl.exports.markdown import escaped
from atpdsl.exports.trust_lines import trust_lines
from atpdsl.results.harmless import harmless
from atpdsl.results.result import Result
from tests.exports.cases import PAYLOADS, exact_cancellation, hostile
from tests.results.samples import outcome, result


def written(found: Result, folder: Path) -> str:
    export(found, folder / "a.md")
    return (folder / "a.md").read_text(encoding="utf-8")


def table(text: str, title: str) -> list[list[str]]:
    """The rows of the table in a section, with escapes undone."""
    section = text.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]
    rows = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    cells = [re.split(r" (?<!\\)\| ", row) for row in rows]
    return [[re.sub(r"\\(.)", r"\1", cell) for cell in row] for row in cells[2:]]


def test_the_report_asks_answers_and_says_how_it_knows(tmp_path: Path):
    text = written(exact_cancellation(), tmp_path)

    assert re.findall(r"^#+ (.*)$", text, re.MULTILINE) == [
        "ioi",
        "What was asked",
        "Top nodes by star",
        "How far to trust it",
        "Conventions",
        "Warnings",
        "What made the numbers",
    ]
    assert "Who carries the name?" in text


def test_the_top_nodes_have_the_numbers_of_the_result(tmp_path: Path):
    found = result()
    rows = table(written(found, tmp_path), "Top nodes by atp")
    best = found.top_rows(20)

    assert len(rows) == 20
    for cells, row in zip(rows, best, strict=True):
        assert cells[0] == str(row.rank)
        assert cells[2] == row.position
        assert cells[4] == ("yes" if row.verified else "no")
        numbers = (row.estimate, row.effect_abs, row.effect)
        for cell, number in zip(cells[5:], numbers, strict=True):
            assert cell == "" if number is None else float(cell) == pytest.approx(number, 1e-3)


def test_each_method_has_a_table(tmp_path: Path):
    text = written(result(outcome(exact=True, verified=())), tmp_path)

    assert table(text, "Top nodes by ap") != table(text, "Top nodes by atp")


def test_trust_is_told_in_sentences():
    found = exact_cancellation().record
    lines = list(trust_lines(found))
    (bound,) = found.bounds
    told = " ".join(lines)

    assert lines[0].startswith("star: measured 7 of 55 nodes, 2 of them drawn at random")
    assert f"{bound.asked.upper:.3g}" in told
    assert bound.assumes in told
    assert any("flagged cancellation (index > 5)" in line for line in lines)


@pytest.mark.parametrize("made", [result, hostile, exact_cancellation])
def test_a_reader_of_markdown_finds_tables_of_words_only(tmp_path: Path, made):
    """markdown-it, which comes with rich."""
    text = written(made(), tmp_path)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    kinds = {token.type for token in tokens}
    inner = {child.type for token in tokens for child in token.children or ()}
    cells = [
        "".join(child.content for child in tokens[place + 1].children or ())
        for place, token in enumerate(tokens)
        if token.type == "td_open"
    ]
    best = made().top_rows(20)
    pair = made().record.pairs[0]

    assert kinds <= {
        *("heading_open", "heading_close", "inline", "paragraph_open", "paragraph_close"),
        *(f"{part}_{end}" for part in TABLE for end in ("open", "close")),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        "code_block",
    }
    assert inner <= {"text", "text_special", "softbreak", "strong_open", "strong_close"}
    assert {harmless(pair.clean.text), harmless(pair.corrupted.text)} <= set(cells)
    assert {f"“{harmless(row.token or '')}”" for row in best} <= set(cells)
    assert [cell for cell in cells if cell == f"{best[0].score:.4g}"]


TABLE = ("table", "thead", "tbody", "tr", "th", "td")


def test_nothing_in_a_text_can_be_obeyed(tmp_path: Path):
    text = written(hostile(), tmp_path)
    before, _, _ = text.partition("\nThe spec:\n")

    assert not any(payload in text for payload in PAYLOADS)
    assert "<" not in before
    assert "# b" not in re.findall(r"^#.*$", text, re.MULTILINE)


def test_marks_are_escaped():
    assert escaped("1. a") == "1\\. a"
    assert escaped("- a") == "\\- a"
    assert escaped("8.48 (x)") == "8.48 (x)"
    assert escaped("http://a.b www.a mailto:a") == "http\\://a.b www\\.a mailto\\:a"
    assert escaped("a|b*_`<i>&\n# x") == "a\\|b\\*\\_\\`&lt;i&gt;&amp;\u240a\\# x"


def test_a_run_without_verification_says_so(tmp_path: Path):
    text = written(result(outcome(verified=())), tmp_path)

    assert "Nothing was verified" in text
