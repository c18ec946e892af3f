"""`where layer >= 5 and not head in 0..3`: conditions on the nodes of a selection."""

from __future__ import annotations

from collections.abc import Iterable

from atpdsl.registry import closest
from atpdsl.semantics.conditions import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Negation,
    Range,
)
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.numbers import whole_number
from atpdsl.syntax import tree as t

AXES = ("layer", "head", "kv_head", "neuron", "index")
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def read_filters(where: t.Expression | None, findings: Findings) -> tuple[Condition, ...]:
    """The conditions of a `where`, all of which must hold; none if one cannot be read."""
    if where is None:
        return ()
    return _conditions(_parts(where, "and"), findings) or ()


def _conditions(
    values: Iterable[t.Expression], findings: Findings
) -> tuple[Condition, ...] | None:
    """Each as a condition; None (and a problem) if one is none."""
    read = [_condition(value, findings) for value in values]
    found = tuple(one for one in read if one is not None)
    return found if len(found) == len(read) else None


def _parts(value: t.Expression, operator: str) -> Iterable[t.Expression]:
    """What stands between `and`s or between `or`s."""
    if isinstance(value, t.Binary) and value.operator == operator:
        yield from _parts(value.left, operator)
        yield from _parts(value.right, operator)
    else:
        yield value


def _condition(value: t.Expression, findings: Findings) -> Condition | None:
    match value:
        case t.Binary(operator="and" | "or" as operator):
            operands = _conditions(_parts(value, operator), findings)
            join = AllOf if operator == "and" else AnyOf
            return None if operands is None else join(operands=operands, span=value.span)
        case t.Unary(operator="not"):
            operand = _condition(value.operand, findings)
            return None if operand is None else Negation(operand=operand, span=value.span)
        case _:
            return _term(value, findings)


def _term(value: t.Expression, findings: Findings) -> Comparison | None:
    if not isinstance(value, t.Binary) or value.operator not in (*FLIPPED, "in"):
        _bad_term(value, findings)
        return None
    if value.operator == "in":
        return _membership(value, findings)
    left, right, operator = value.left, value.right, value.operator
    if isinstance(left, t.Number):
        left, right, operator = right, left, FLIPPED[operator]
    number = whole_number(right)
    if not isinstance(left, t.Name) or number is None:
        _bad_term(value, findings)
        return None
    bound = Range(first=number, last=number)
    return _comparison(left, operator, (bound,), value, findings)


def _membership(value: t.Binary, findings: Findings) -> Comparison | None:
    items = value.right.items if isinstance(value.right, t.ListOf) else (value.right,)
    ranges = tuple(_range(item) for item in items)
    found = tuple(one for one in ranges if one is not None)
    if not isinstance(value.left, t.Name) or len(found) != len(items) or not items:
        _bad_term(value, findings)
        return None
    return _comparison(value.left, "in", found, value, findings)


def _comparison(
    axis: t.Name,
    operator: str,
    values: tuple[Range, ...],
    value: t.Expression,
    findings: Findings,
) -> Comparison | None:
    if axis.text not in AXES:
        findings.error(
            "ATP224",
            f"nodes cannot be chosen by `{axis.text}`",
            axis.span,
            advice=did_you_mean(closest(axis.text, AXES), f"they can by {listed(AXES)}"),
        )
        return None
    if any(r.first is not None and r.last is not None and r.first > r.last for r in values):
        findings.error(
            "ATP225",
            "this range runs backwards",
            value.span,
            advice="write the smaller number first; both ends are included",
        )
        return None
    return Comparison(axis=axis.text, operator=operator, values=values, span=value.span)


def _range(value: t.Expression) -> Range | None:
    if isinstance(value, t.RangeOf):
        first = None if value.first is None else whole_number(value.first)
        last = None if value.last is None else whole_number(value.last)
        missing = (value.first is not None and first is None) or (
            value.last is not None and last is None
        )
        return None if missing else Range(first=first, last=last)
    number = whole_number(value)
    return None if number is None else Range(first=number, last=number)


def _bad_term(value: t.Expression, findings: Findings) -> None:
    findings.error(
        "ATP223",
        "this condition cannot be read",
        value.span,
        advice="write `layer >= 5`, `head in 0..3` or `layer in [0, 2, 4..6]`, with `and`, `or`"
        " and `not`",
    )
