"""Formulas: expressions whose value is another in every pair, as `yy + 1` or `int(row.label)`.

A formula is checked when the spec is resolved and computed when the pairs are made.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from atpdsl.problems import Span
from atpdsl.semantics.functions import FUNCTIONS, bounded, number
from atpdsl.semantics.numbers import written
from atpdsl.semantics.template import Piece, TemplateError, parse_template
from atpdsl.semantics.values import (
    FormulaError,
    RefusedError,
    Tokens,
    Value,
    described,
    flat,
    formatted,
    look_up,
    text_of,
    written_number,
)
from atpdsl.syntax import tree as t
from atpdsl.syntax.written import as_text

__all__ = [
    "LONGEST_LIST",
    "Formula",
    "FormulaError",
    "Tokens",
    "Value",
    "evaluate",
    "fill",
    "fill_piece",
    "texts_of",
]

LONGEST_LIST = 100_000
LONGEST_TEXT = 100_000
SWITCHES: Mapping[str, bool] = {"true": True, "false": False}
_COMPARE: Mapping[str, Callable[[object, object], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
}
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """An expression over the names of a pair: slots, `let` names, and `row`."""

    expression: t.Expression
    span: Span

    def as_json(self) -> str:
        """How results say it, with values for the names of the file."""
        return as_text(self.expression)


def evaluate(formula: Formula, values: Mapping[str, Value], tokens: Tokens | None) -> Value:
    """The value of a formula in one pair.

    Args:
        formula: what to compute; ranges and lists give tuples, without lists inside.
        values: the pair's names; `row` is a mapping.
        tokens: for `single_token` and the like; None where no tokenizer is known.

    Raises:
        FormulaError: when it has none.
    """
    return _Evaluation(values, tokens).value(formula.expression)


def texts_of(
    formula: Formula, values: Mapping[str, Value], tokens: Tokens | None
) -> tuple[str, ...]:
    """The texts that a formula gives in one pair: one, or those of a list.

    Raises:
        FormulaError: when it gives none, or something that is no text.
    """
    found = flat(evaluate(formula, values, tokens))
    try:
        return tuple(text_of(value) for value in found)
    except RefusedError as error:
        raise error.at(formula.span) from error


def fill(pieces: Iterable[Piece], values: Mapping[str, Value], span: Span) -> str:
    """A text with its `{...}` replaced by values.

    Raises:
        FormulaError: when a value is missing or cannot be written so.
    """
    parts = (
        fill_piece(piece, values, span) if piece.literal is None else piece.literal
        for piece in pieces
    )
    try:
        return _bounded_text(parts)
    except RefusedError as error:
        raise error.at(span) from error


def fill_piece(piece: Piece, values: Mapping[str, Value], span: Span) -> str:
    """What stands for one `{...}`, in its format.

    Args:
        piece: a slot or a column, no literal.
        values: the pair's names.
        span: the place of the text, for the message.

    Raises:
        FormulaError: when there is no such value, or it cannot be written so.
    """
    try:
        return formatted(_value_of(piece, values), piece.format)
    except RefusedError as error:
        raise error.at(span) from error


def _value_of(piece: Piece, values: Mapping[str, Value]) -> Value:
    if piece.row is not None:
        return _column(piece.row, values)
    name = piece.slot or ""
    if name not in values:
        raise RefusedError(f"`{name}` has no value")
    return values[name]


def _column(path: tuple[str, ...], values: Mapping[str, Value]) -> Value:
    row = values.get("row")
    if not isinstance(row, Mapping):
        raise RefusedError("there is no `row`, as these prompts come from no file")
    return look_up(row, path)


class _Evaluation:
    """One computation; every method raises `FormulaError` at the smallest place."""

    def __init__(self, values: Mapping[str, Value], tokens: Tokens | None) -> None:
        self.values = values
        self.tokens = tokens

    def value(self, expression: t.Expression) -> Value:
        """The value of a part of the formula."""
        try:
            return self._value(expression)
        except RefusedError as error:
            raise error.at(expression.span) from error

    def _value(self, expression: t.Expression) -> Value:
        match expression:
            case t.Name() | t.Number() | t.String():
                return self._atom(expression)
            case t.ListOf(items=items):
                return _bounded_list(item for part in items for item in flat(self.value(part)))
            case t.Attribute():
                return self._attribute(expression)
            case t.Call():
                return self._call(expression)
            case t.RangeOf(first=first, last=last):
                return self._range(first, last)
            case t.Unary(operator=sign, operand=operand):
                return self._unary(sign, operand)
            case t.Binary(operator=sign, left=left, right=right):
                return self._binary(sign, left, right)
            case t.Index():
                raise RefusedError("there are no brackets in formulas")

    # ---- names and texts ----

    def _atom(self, atom: t.Name | t.Number | t.String) -> Value:
        if isinstance(atom, t.Number):
            return written_number(written(atom))
        return self._name(atom) if isinstance(atom, t.Name) else self._string(atom)

    def _name(self, name: t.Name) -> Value:
        if name.text in self.values:
            return self.values[name.text]
        if name.text in SWITCHES:
            return SWITCHES[name.text]
        raise RefusedError(f"`{name.text}` has no value")

    def _string(self, string: t.String) -> str:
        if string.raw:
            return string.value
        try:
            pieces = parse_template(string.value)
        except TemplateError as error:
            fault = error.faults[0]
            raise RefusedError(fault.message, fault.help) from error
        return fill(pieces, self.values, string.span)

    def _attribute(self, attribute: t.Attribute) -> Value:
        path: list[str] = []
        base: t.Expression = attribute
        while isinstance(base, t.Attribute):
            path.append(base.name.text)
            base = base.base
        value = self.value(base)
        if not isinstance(value, Mapping):
            message = f"{described(value)} has no part `{path[-1]}`"
            raise RefusedError(message, f"leave out `.{path[-1]}`")
        return look_up(value, tuple(reversed(path)))

    # ---- calls, ranges and operators ----

    def _call(self, call: t.Call) -> Value:
        name = call.function.text if isinstance(call.function, t.Name) else ""
        if name not in FUNCTIONS:
            raise RefusedError("there is no such function")
        arguments = tuple(self.value(argument.value) for argument in call.arguments)
        try:
            return FUNCTIONS[name].compute(arguments, self.tokens)
        except RefusedError as error:
            one = 0 if len(arguments) == 1 else error.argument
            place = call.span if one is None else call.arguments[one].span
            raise error.at(place) from error

    def _range(self, first: t.Expression | None, last: t.Expression | None) -> Value:
        if first is None or last is None:
            raise RefusedError("a range in a formula has two ends", "write both, as in `2..9`")
        low, high = self._whole(first), self._whole(last)
        if high - low >= LONGEST_LIST:
            message = f"this range has more than {LONGEST_LIST:,} numbers"
            raise RefusedError(message, "bring its ends together")
        return tuple(range(low, high + 1))

    def _whole(self, expression: t.Expression) -> int:
        found = self._number(expression)
        if not isinstance(found, int):
            message = f"{described(found)} is no whole number, and a range has them at its ends"
            raise FormulaError(message, expression.span, "write `int(...)` around it")
        return int(found)

    def _number(self, expression: t.Expression) -> int | float:
        """A part that has to be a number."""
        return self._as_number(self.value(expression), expression)

    def _as_number(self, value: Value, expression: t.Expression) -> int | float:
        """The value of a part, if it is a number; the advice names the part."""
        try:
            return number(value)
        except RefusedError as error:
            written = _as_written(expression)
            advice = error.advice.replace("...", written) if written else error.advice
            raise FormulaError(error.message, expression.span, advice) from error

    def _unary(self, sign: str, operand: t.Expression) -> Value:
        if sign == "not":
            return not self._truth(operand)
        return -self._number(operand)

    def _truth(self, expression: t.Expression) -> bool:
        value = self.value(expression)
        if not isinstance(value, bool):
            message = f"{described(value)} is neither true nor false"
            raise FormulaError(message, expression.span, "compare it, as in `yy > 10`")
        return value

    def _binary(self, sign: str, left: t.Expression, right: t.Expression) -> Value:
        match sign:
            case "and":
                return self._truth(left) and self._truth(right)
            case "or":
                return self._truth(left) or self._truth(right)
            case "in":
                return self._contained(left, right)
            case "==" | "!=":
                one, other = self.value(left), self.value(right)
                _check_alike(one, other)
                return _COMPARE[sign](one, other)
            case "<" | "<=" | ">" | ">=":
                return _ORDER[sign](self._number(left), self._number(right))
            case "+":
                return self._sum(left, right)
            case _:
                return _arithmetic(sign, self._number(left), self._number(right))

    def _contained(self, left: t.Expression, right: t.Expression) -> bool:
        item, whole = self.value(left), self.value(right)
        if isinstance(whole, tuple):
            for other in whole:
                _check_alike(item, other)
            return item in whole
        if isinstance(whole, str | Mapping) and isinstance(item, str):
            return item in whole
        if isinstance(whole, str):
            raise RefusedError(f"{described(item)} cannot stand in a text", "look for a text")
        message = f"nothing can be `in` {described(whole)}"
        raise FormulaError(message, right.span, "behind `in` stands a list, a range or a text")

    def _sum(self, left: t.Expression, right: t.Expression) -> Value:
        one, other = self.value(left), self.value(right)
        if isinstance(one, tuple) and isinstance(other, tuple):
            return _bounded_list((*one, *other))
        if isinstance(one, str) and isinstance(other, str):
            return _bounded_text((one, other))
        literal = isinstance(left, t.String) or isinstance(right, t.String)
        if literal and (isinstance(one, str) or isinstance(other, str)):
            message = f"{described(one)} and {described(other)} cannot be added"
            raise RefusedError(message, 'write a text with both, as in `"{a}{b}"`')
        return bounded(self._as_number(one, left) + self._as_number(other, right))


def _arithmetic(sign: str, one: int | float, other: int | float) -> int | float:
    match sign:
        case "-":
            return bounded(one - other)
        case "*":
            return bounded(one * other)
        case _:
            return _quotient(one, other)


def _quotient(one: int | float, other: int | float) -> int | float:
    if other == 0:
        advice = "leave pairs where it does out with `keep`"
        raise RefusedError("this divides by zero", advice)
    if isinstance(one, int) and isinstance(other, int) and one % other == 0:
        return one // other
    return bounded(one / other)


def _bounded_text(parts: Iterable[str]) -> str:
    found: list[str] = []
    length = 0
    for part in parts:
        found.append(part)
        length += len(part)
        if length > LONGEST_TEXT:
            message = f"this text has more than {LONGEST_TEXT:,} characters"
            raise RefusedError(message, "make it shorter")
    return "".join(found)


def _bounded_list(items: Iterable[Value]) -> tuple[Value, ...]:
    found: list[Value] = []
    for item in items:
        found.append(item)
        if len(found) > LONGEST_LIST:
            message = f"this list has more than {LONGEST_LIST:,} items"
            raise RefusedError(message, "make it shorter")
    return tuple(found)


def _check_alike(one: Value, other: Value) -> None:
    """Numbers are compared with numbers, and texts with texts."""
    if _kind(one) is _kind(other) or one is None or other is None:
        return
    advice = "numbers are compared with numbers, and texts with texts"
    if {_kind(one), _kind(other)} == {str, float}:
        advice = "make both numbers, with `int(...)`, or both texts, with `text(...)`"
    message = f"{described(one)} and {described(other)} cannot be compared"
    raise RefusedError(message, advice)


def _kind(value: Value) -> type:
    if isinstance(value, bool):
        return bool
    for kind in (str, tuple, Mapping):
        if isinstance(value, kind):
            return kind
    return float if isinstance(value, int | float) else type(None)


def _as_written(expression: t.Expression) -> str:
    """`row.label` for a name or a column; "" for anything longer."""
    match expression:
        case t.Name(text=text):
            return text
        case t.Attribute(base=base, name=name):
            before = _as_written(base)
            return f"{before}.{name.text}" if before else ""
        case _:
            return ""
