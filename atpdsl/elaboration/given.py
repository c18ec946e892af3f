"""Values that are given from outside, `-p size=70m`: their text, and whether they fit."""

from __future__ import annotations

import re

from atpdsl.elaboration.axes import axis_values
from atpdsl.elaboration.constants import negative
from atpdsl.elaboration.moving import standing_at
from atpdsl.problems import Source, Span
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.schema import ON_OFF
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse

_HEAD = "atp 1\nlet x = "
_OPENING, _CLOSING = "([{", ")]}"
LONGEST_GIVEN = 10_000


def kind_of(value: t.Expression) -> str:
    """What kind of value this is, in words."""
    match value:
        case t.String():
            return "a text"
        case t.ListOf():
            return "a list"
        case t.RangeOf():
            return "a range"
        case t.Name(text=text) if text in ON_OFF:
            return "`on` or `off`"
        case t.Name():
            return "a word"
    number = negative(value) or value
    if not isinstance(number, t.Number):
        return "an expression"
    if number.unit:
        return f"a number with the unit `{number.unit}`"
    return "a whole number" if isinstance(number.value, int) else "a number"


def fits(kind: str, value: t.Expression) -> bool:
    """Whether a value is of a kind; a whole number is also a number."""
    own = kind_of(value)
    return own == kind or (own == "a whole number" and kind == "a number")


def given_values(
    text: str, kinds: tuple[str, ...], named: t.Name, findings: Findings
) -> tuple[t.Expression, ...] | None:
    """The values in a text after `-p NAME=`; None if it cannot be read.

    Args:
        text: one value, or several with commas between them.
        kinds: of the values that may stand there; texts are taken as they are.
        named: what they are for; the values are said to stand there.
        findings: takes the problems of ranges.
    """
    at = named.span
    if len(text) > LONGEST_GIVEN:
        return None
    if kinds == ("a text",):
        parts = re.split(r"(?<!\\),", text)
        return tuple(_literal(part.replace("\\,", ","), at) for part in parts)
    found: list[t.Expression] = []
    for part in _parts(text):
        value = _read(part.strip(), at)
        if value is None and "a text" in kinds:
            value = _literal(part, at)
        if value is None:
            return None
        if isinstance(value, t.RangeOf) and "a range" not in kinds:
            numbers = axis_values(value, named.text, at, findings)
            if numbers is None:
                return None
            found += numbers
        else:
            found.append(value)
    return tuple(found)


def _literal(text: str, at: Span) -> t.String:
    return t.String(text, True, (*(at.start for _ in text), at.end), at)


def _read(text: str, at: Span) -> t.Expression | None:
    """A text as an expression of the language; None if it is none."""
    if not text or any(mark in text for mark in "\n\r;#\ufeff"):
        return None
    tree, problems = parse(Source("", _HEAD + text + "\n"))
    if problems or len(tree.statements) != 2:
        return None
    statement = tree.statements[1]
    return standing_at(statement.value, at) if isinstance(statement, t.Let) else None


def _parts(text: str) -> list[str]:
    """A text cut at its commas, but not inside brackets and quotes."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character in _OPENING) - (character in _CLOSING)
        if character == "," and not quoted and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
