"""Where statements end."""

from __future__ import annotations

import pytest

from atpdsl.problems import Source
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse


def values_of(text: str) -> tuple[list[str], list[tuple[str, int]]]:
    """The names of the `let`s that are read, and what is told where."""
    tree, problems = parse(Source("spec.atp", f"atp 1\n{text}\n"))
    names = [s.name.text for s in tree.statements if isinstance(s, t.Let)]
    return names, [(p.code, p.at.span.start - 6) for p in problems if p.at]


@pytest.mark.parametrize(
    "text",
    [
        "let a = 1 +\n 2\nlet b = 3",
        "let a = 1 + # one; two\n\n 2; let b = 3",
        "let a = [1,\n 2\n]\nlet b = 3;;",
        ";let a = 1 ;\n; let b = 3",
    ],
)
def test_after_an_operator_a_statement_goes_on_with_the_next_line(text):
    assert values_of(text) == (["a", "b"], [])


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", ">", "==", ","])
@pytest.mark.parametrize("end", [";", " ;", "\n;", "; # and\n"])
def test_a_semicolon_ends_a_statement_after_an_operator_too(operator, end):
    names, told = values_of(f"let a = 1 {operator}{end}let b = 3")

    assert names == ["b"]
    assert len(told) == 1
    assert told[0][1] <= len("let a = 1 ,")
