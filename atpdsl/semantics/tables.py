"""`table(["France", "Paris"], ["Italy", "Rome"])`: rows of words that belong together."""

from __future__ import annotations

from atpdsl.semantics.findings import Findings
from atpdsl.semantics.numbers import number_of
from atpdsl.semantics.origins import TABLE
from atpdsl.semantics.texts import read_words
from atpdsl.syntax import tree as t

Rows = tuple[tuple[str, ...], ...]


def is_table(value: t.Expression) -> bool:
    """Whether a slot's list is a table."""
    return (
        isinstance(value, t.Call)
        and isinstance(value.function, t.Name)
        and value.function.text == TABLE.name
    )


def read_table(value: t.Expression, names: tuple[t.Name, ...], findings: Findings) -> Rows:
    """The rows of a table; each has a word for every name of the slot line.

    Rows of another length, and what is no row, are problems and left out.
    """
    arguments = value.arguments if isinstance(value, t.Call) else ()
    if not arguments:
        advice = 'write `table(["France", "Paris"], ["Italy", "Rome"])`'
        findings.error("ATP204", "this table is empty", value.span, advice=advice)
    rows = [_row(argument, names, findings) for argument in arguments]
    return tuple(dict.fromkeys(row for row in rows if row))


def number_columns(value: t.Expression, names: tuple[t.Name, ...]) -> tuple[str, ...]:
    """The names of columns in which only numbers stand."""
    arguments = value.arguments if isinstance(value, t.Call) else ()
    rows = [a.value.items for a in arguments if isinstance(a.value, t.ListOf)]
    whole = [row for row in rows if len(row) == len(names)]
    return tuple(
        name.text
        for column, name in enumerate(names)
        if whole and all(number_of(row[column]) is not None for row in whole)
    )


def _row(
    argument: t.Argument, names: tuple[t.Name, ...], findings: Findings
) -> tuple[str, ...]:
    listed = ", ".join(name.text for name in names)
    if not isinstance(argument.value, t.ListOf):
        findings.error(
            "ATP234",
            "a row of a table is a list",
            argument.span,
            advice=f"write a list with a word for each of {listed}",
        )
        return ()
    before = len(findings)
    words = tuple(word for item in argument.value.items for word in read_words(item, findings))
    if len(findings) > before:
        return ()
    if len(words) != len(names):
        findings.error(
            "ATP234",
            f"this row has {len(words)} words, and there are {len(names)} names: {listed}",
            argument.span,
            advice="give every row a word for each name, in the order of the names",
        )
        return ()
    return words
