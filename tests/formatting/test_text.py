"""The layout by example: titles, texts before, and texts after, in `layouts.txt`."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from atpdsl.formatting import text as formatter
from atpdsl.formatting.text import format_text
from atpdsl.problems import Source, SpecError
from atpdsl.syntax.limits import LARGEST
from atpdsl.syntax.parse import parse

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
SPECS = sorted((*ROOT.glob("specs/*.atp"), *ROOT.glob("atpdsl/library/*.atp")))


def cases() -> list[tuple[str, str, str]]:
    text = (FOLDER / "layouts.txt").read_text(encoding="utf-8")
    parts = re.split(r"^# title: (.*)\n", text, flags=re.MULTILINE)[1:]
    found = []
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        before, after = body.split("---\n")
        found.append((title, before, after.rstrip("\n") + "\n"))
    return found


@pytest.mark.parametrize(("title", "before", "after"), cases(), ids=[c[0] for c in cases()])
def test_layout(title, before, after):
    assert format_text(before) == after


@pytest.mark.parametrize(("title", "before", "after"), cases(), ids=[c[0] for c in cases()])
def test_what_is_laid_out_stays_as_it_is(title, before, after):
    assert format_text(after) == after


@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_shipped_specs_are_laid_out(path):
    text = path.read_text(encoding="utf-8")

    assert format_text(text) == text


def test_every_shipped_folder_has_specs():
    assert {path.parent.name for path in SPECS} == {"specs", "library"}


def test_the_whole_language_is_laid_out_without_lines_that_are_too_long():
    text = (ROOT / "tests" / "syntax" / "whole_language.atp").read_text(encoding="utf-8")
    longer = [line for line in format_text(text).split("\n") if len(line) > 96]

    assert [line.split()[0] for line in longer] == ["##", "template"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        (" \n\n\t", ""),
        ("# c", "# c\n"),
        ("\n\n# c\n\n\n", "# c\n"),
        ("\ufeffatp 1", "atp 1\n"),
        (
            'atp 1\r\n\r\nmodel "x"  # c \r\n',
            'atp 1\n\nmodel "x"                                 # c\n',
        ),
        ("atp 1\rmethod atp", "atp 1\nmethod atp\n"),
        ('let a = """x\r\ny"""', 'let a = """x\ny"""\n'),
    ],
)
def test_the_edges_of_a_text(before, after):
    assert format_text(before) == after


@pytest.mark.parametrize(
    "text",
    [
        # A `##` after a statement belongs to the next one.
        'model "x" ## of the method\nmethod atp',
        "## one\n;\n## two\nmethod atp",
        "## one\n;\nmethod atp",
        "## one\n\\\nmethod atp",
        "let x = [1 ## one\n , ## two\n 2]",
        "run { ## one\n ;## two\n}",
    ],
)
def test_docs_stay_with_their_statements(text):
    before, _ = parse(Source("a.atp", text))
    after, _ = parse(Source("a.atp", format_text(text)))

    assert [s.doc for s in before.statements] == [s.doc for s in after.statements]
    assert before.doc == after.doc


def test_a_text_with_mistakes_is_not_formatted():
    with pytest.raises(SpecError) as raised:
        format_text("modle x\nverify { top 20 }", "a.atp")

    assert [problem.code for problem in raised.value.problems] == ["ATP008", "ATP006"]


def test_a_text_that_would_say_something_else_is_never_given_out(monkeypatch):
    monkeypatch.setattr(formatter, "lay_out", lambda *_: "method ap\n")

    with pytest.raises(AssertionError, match="something else"):
        format_text("method atp\n")


def test_a_text_that_would_lose_a_comment_is_never_given_out(monkeypatch):
    monkeypatch.setattr(formatter, "lay_out", lambda *_: "method atp\n")

    with pytest.raises(AssertionError, match="something else"):
        format_text("method atp  # why\n")


def test_a_text_too_large_to_read_is_refused():
    with pytest.raises(SpecError):
        format_text(" " * (LARGEST + 1))


def test_as_many_brackets_as_can_be_read_can_be_laid_out():
    deep = "let x = " + "[" * 60 + '"a long word"' + "]" * 60 + "\n"

    assert format_text(format_text(deep)) == format_text(deep)


def test_marks_without_a_width_do_not_hide_what_follows_them():
    text = 'let x = ["' + "\u0301" * 1_000 + '", a]\n'

    assert format_text(text) == text


def test_a_deep_and_wide_spec_is_laid_out_in_reasonable_time():
    deep = "let x = " + "[" * 55 + ", ".join(['"abc"'] * 3_000) + "]" * 55
    began = time.process_time()
    format_text(deep)

    assert time.process_time() - began < 5
