"""What an expression is made of."""

from __future__ import annotations

from atpdsl.syntax import tree as t


def parts_of(expression: t.Expression) -> tuple[t.Expression, ...]:
    """The expressions inside one that holds no name itself."""
    match expression:
        case t.ListOf(items=items):
            return items
        case t.Index(base=base, items=items):
            return (base, *items)
        case t.RangeOf(first=first, last=last):
            return tuple(part for part in (first, last) if part is not None)
        case t.Unary(operand=operand):
            return (operand,)
        case t.Binary(left=left, right=right):
            return (left, right)
        case _:
            return ()
