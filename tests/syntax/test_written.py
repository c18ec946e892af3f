"""Expressions as text: read again they are the same, and no bracket is too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from atpdsl.elaboration.moving import standing_at
from atpdsl.problems import Source, Span
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse
from atpdsl.syntax.written import as_text

WRITTEN = (
    "a + b * c - d / -e",
    "(a + b) * c",
    "a - (b - c)",
    "a / (b / c)",
    "-(a + b)",
    "not a in 2..9 and (b or c) or d == (e < f)",
    "not (a and b)",
    "2.. ",
    "..9",
    "yy + 1..99",
    "[1, 2.50, 1_000, 02, 5%]",
    "row.a.b",
    "f(a, top = 20, heads.z[L1H2, L3..L4] at S2 + 1)",
    r'" {IO}\"\n\t\\ {{x}}"',
    r'r"a (\w+) {x}"',
    "(a..b)[c]",
)


def expression_of(text: str) -> t.Expression:
    tree, problems = parse(Source("", f"atp 1\nlet x = {text}\n"))
    assert problems == ()
    statement = tree.statements[1]
    assert isinstance(statement, t.Let)
    return statement.value


def without_places(value: t.Expression) -> t.Expression:
    return standing_at(value, Span(0, 0))


@pytest.mark.parametrize("text", WRITTEN)
def test_an_expression_is_written_as_a_person_would(text):
    assert as_text(expression_of(text)) == text.strip()


def test_brackets_that_say_nothing_are_left_out():
    assert as_text(expression_of("((a * b)) + (c.d) - (e[1])")) == "a * b + c.d - e[1]"


def test_a_long_text_and_a_raw_one_with_quotes_stay_the_same_text():
    long = expression_of('"""two\nlines, "quoted" {S}"""')
    raw = t.String('a "{b}"\x07', True, tuple(range(9)), Span(0, 8))

    assert as_text(long) == r'"two\nlines, \"quoted\" {S}"'
    assert as_text(raw) == r'"a \"{{b}}\"\u{7}"'


def test_every_value_of_the_whole_language_is_the_same_when_read_again():
    text = (Path(__file__).parent / "whole_language.atp").read_text()
    tree, _ = parse(Source("", text))
    values = [s.value for s in tree.statements if isinstance(s, t.Let | t.Parameter)]
    for statement in tree.statements:
        body = getattr(statement, "body", None)
        lines = body.statements if isinstance(body, t.Body) else ()
        values += [line.value for line in lines if isinstance(line, t.Setting | t.Let)]
        values += [item for line in lines if isinstance(line, t.Select) for item in line.items]

    assert len(values) > 20
    for value in values:
        again = expression_of(as_text(value))
        assert without_places(again) == without_places(value), as_text(value)
