"""Formulas read from text, with the tokens of a tokenizer that knows short words only."""

from __future__ import annotations

from collections.abc import Mapping

from atpdsl.problems import Source
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.formulas import Formula, Value, evaluate
from atpdsl.semantics.read_formulas import read_formula
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse

BEFORE = "atp 1\nlet x = "


class FourLetters:
    """A tokenizer with a token for every four characters or less."""

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        return -(-len(text) // 4)


def expression_of(text: str) -> t.Expression:
    """An expression; places are counted from its own beginning after `moved`."""
    tree, problems = parse(Source("a.atp", BEFORE + text))
    assert problems == ()
    (let,) = (one for one in tree.statements if isinstance(one, t.Let))
    return let.value


def value_of(text: str, **values: Value) -> Value:
    """The value of a formula that is right."""
    expression = expression_of(text)
    formula = Formula(expression=expression, span=expression.span)
    return evaluate(formula, values, FourLetters())


def problems_of(text: str, names: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    """What is wrong with a formula: codes, the text that each points at, and the help."""
    findings = Findings()
    read_formula(expression_of(text), names, findings)
    whole = BEFORE + text
    return [
        (p.code, whole[p.at.span.start : p.at.span.end] if p.at else "", p.help)
        for p in findings.problems
    ]


def row(**columns: Value) -> Mapping[str, Value]:
    """The row of a file."""
    return columns
