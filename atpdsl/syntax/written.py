"""Expressions as text, in brackets only where they are needed."""

from __future__ import annotations

from typing import assert_never

from atpdsl.syntax import tree as t

# How strongly operators bind; what binds less than its place asks for is put in brackets.
_BINDS = {
    "or": 1,
    "and": 2,
    "not": 3,
    **dict.fromkeys(("<", "<=", "==", "!=", ">=", ">", "in"), 4),
    "..": 5,
    "+": 6,
    "-": 6,
    "*": 7,
    "/": 7,
}
_SIGN, _ALONE = 8, 9
# Between these no third operand can stand without brackets.
_UNCHAINED = 4
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def as_text(value: t.Expression) -> str:
    """An expression as it can be written in a spec."""
    return _text(value, 0)


def _text(value: t.Expression, least: int) -> str:
    """An expression at a place where everything has to bind so strongly at least."""
    match value:
        case t.Name(text=text) | t.Number(text=text):
            return text
        case t.String():
            return _string(value)
        case t.ListOf(items=items):
            return f"[{_listed(items)}]"
        case t.Attribute(base=base, name=name):
            return f"{_text(base, _ALONE)}.{name.text}"
        case t.Call(function=function, arguments=arguments):
            return f"{_text(function, _ALONE)}({', '.join(map(_argument, arguments))})"
        case t.Index(base=base, items=items):
            return f"{_text(base, _ALONE)}[{_listed(items)}]"
        case t.RangeOf() | t.Unary() | t.Binary():
            return _operation(value, least)
        case _:
            assert_never(value)


def _operation(value: t.RangeOf | t.Unary | t.Binary, least: int) -> str:
    match value:
        case t.RangeOf(first=first, last=last):
            binds = _BINDS[".."]
            ends = ("" if end is None else _text(end, binds + 1) for end in (first, last))
            text = "..".join(ends)
        case t.Unary(operator="not", operand=operand):
            binds = _BINDS["not"]
            text = f"not {_text(operand, binds)}"
        case t.Unary(operator=operator, operand=operand):
            binds = _SIGN
            text = f"{operator}{_text(operand, binds)}"
        case t.Binary(operator=operator, left=left, right=right):
            binds = _BINDS[operator]
            before = _text(left, binds + (binds == _UNCHAINED))
            text = f"{before} {operator} {_text(right, binds + 1)}"
    return text if binds >= least else f"({text})"


def _listed(items: tuple[t.Expression, ...]) -> str:
    return ", ".join(map(as_text, items))


def _argument(argument: t.Argument) -> str:
    name = "" if argument.name is None else f"{argument.name.text} = "
    place = "" if argument.position is None else f" at {as_text(argument.position)}"
    return f"{name}{as_text(argument.value)}{place}"


def _string(string: t.String) -> str:
    text = string.value
    if string.raw and '"' not in text and text.isprintable():
        return f'r"{text}"'
    if string.raw:
        text = text.replace("{", "{{").replace("}", "}}")
    return '"' + "".join(map(_character, text)) + '"'


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\u{{{ord(character):X}}}"
