"""Arithmetic on what is known before the prompts: numbers, texts and lists."""

from __future__ import annotations

from fractions import Fraction

from atpdsl.semantics.findings import Findings
from atpdsl.semantics.numbers import written
from atpdsl.semantics.values import formatted, is_format, written_number
from atpdsl.syntax import tree as t
from atpdsl.syntax.literals import LARGEST_NUMBER

ARITHMETIC = ("+", "-", "*", "/")
Constant = t.Number | t.String | t.ListOf | t.Unary


def is_constant(value: t.Expression) -> bool:
    """Whether a value is a number, a text or a list, which arithmetic may be done with."""
    return isinstance(value, t.Number | t.String | t.ListOf) or negative(value) is not None


def negative(value: t.Expression) -> t.Number | None:
    """The number behind a minus sign; None for anything else."""
    if isinstance(value, t.Unary) and value.operator == "-":
        return value.operand if isinstance(value.operand, t.Number) else None
    return None


def folded(value: t.Binary, findings: Findings) -> t.Expression | None:
    """The value of arithmetic on two constants; None (and a problem) if it has none.

    Where one side is no constant the expression stays as it is.
    """
    left, right = value.left, value.right
    if value.operator not in ARITHMETIC:
        return value
    if not is_constant(left) or not is_constant(right):
        return _offset(value)
    if value.operator == "+":
        match left, right:
            case t.String(), t.String():
                return _joined(left, right, value)
            case t.ListOf(), t.ListOf():
                return t.ListOf((*left.items, *right.items), value.span)
    return _computed(value, findings)


def folded_sign(value: t.Unary) -> t.Expression:
    """`--5` as `5`, which a value put behind a minus sign may make of it."""
    inner = negative(value.operand)
    return value if value.operator != "-" or inner is None else inner


def _offset(value: t.Binary) -> t.Expression:
    """`S2 + -1` as `S2 - 1`."""
    inner = negative(value.right)
    if inner is None or value.operator not in ("+", "-"):
        return value
    sign = "-" if value.operator == "+" else "+"
    return t.Binary(sign, value.left, inner, value.span)


def _joined(left: t.String, right: t.String, whole: t.Binary) -> t.String:
    if left.raw != right.raw:
        left, right = escaped(left), escaped(right)
    offsets = (*left.offsets[:-1], *right.offsets)
    return t.String(left.value + right.value, left.raw, offsets, whole.span)


def escaped(text: t.String) -> t.String:
    """The same text, with its braces doubled where it was a raw string."""
    if not text.raw:
        return text
    doubled = [character * 2 if character in "{}" else character for character in text.value]
    offsets = [o for o, part in zip(text.offsets, doubled, strict=False) for _ in part]
    return t.String("".join(doubled), False, (*offsets, text.offsets[-1]), text.span)


# ---- numbers ----


def _computed(value: t.Binary, findings: Findings) -> t.Expression | None:
    left, right = _number(value.left), _number(value.right)
    if left is None or right is None:
        return _refused(value, _why(value), _advice(value), findings)
    unit = _unit(value.operator, left[1], right[1])
    if unit is None:
        advice = "`+` and `-` want the same unit on both sides, `*` and `/` one unit at most"
        return _refused(value, "these units do not go together", advice, findings)
    if value.operator == "/" and right[0] == 0:
        return _refused(value, "this divides by zero", "divide by another number", findings)
    number = _RESULT[value.operator](left[0], right[0])
    if abs(number) > LARGEST_NUMBER:
        advice = "numbers go up to 1e15"
        return _refused(value, "this number is too large", advice, findings)
    return number_of(number, unit, value)


def _refused(
    value: t.Binary, message: str, advice: str, findings: Findings
) -> t.Expression | None:
    findings.error("ATP140", message, value.span, advice=advice)
    return None


def _why(value: t.Binary) -> str:
    return f"`{value.operator}` does not go with {_kind(value.left)} and {_kind(value.right)}"


def _advice(value: t.Binary) -> str:
    kinds = {type(value.left), type(value.right)}
    if kinds == {t.String, t.Number} and value.operator == "+":
        return 'put the number into the text: `"step{number}"`'
    return "`+` goes with two numbers, two texts or two lists, `- * /` with numbers"


def _kind(value: t.Expression) -> str:
    match value:
        case t.String():
            return "a text"
        case t.ListOf():
            return "a list"
        case _:
            return "a number"


_RESULT = {
    "+": Fraction.__add__,
    "-": Fraction.__sub__,
    "*": Fraction.__mul__,
    "/": Fraction.__truediv__,
}


def _number(value: t.Expression) -> tuple[Fraction, str] | None:
    inner = negative(value)
    number = value if inner is None else inner
    if not isinstance(number, t.Number):
        return None
    size = Fraction(str(number.value))
    return (size if inner is None else -size), number.unit


def _unit(operator: str, left: str, right: str) -> str | None:
    """The unit of a result; None where there is none."""
    if left == right and (not left or operator in ("+", "-")):
        return left
    if not right and operator in ("*", "/"):
        return left
    return right if not left and operator == "*" else None


def number_of(number: Fraction, unit: str, at: t.Expression) -> t.Expression:
    """A number as an expression; below zero that is a minus sign and a number."""
    size = abs(number)
    value = int(size) if size.denominator == 1 else float(size)
    written = t.Number(f"{value}{unit}", value, unit, at.span)
    return t.Unary("-", written, at.span) if number < 0 else written


# ---- texts ----


def in_text(value: t.Expression, form: str) -> str:
    """A value as it stands in a text.

    Args:
        value: a number, a text or a word.
        form: how it is written, `03` in `{step:03}`; "" as it is.

    Raises:
        RefusedError: when it cannot be written so.
        ValueError: when it is something that has no place in a text, or there is no such form.
    """
    if not is_format(form) and form:
        raise ValueError(f"there is no format `:{form}`")
    text = plain_text(value)
    if text is None:
        raise ValueError("only numbers, texts and words can stand in a text")
    is_number = isinstance(value, t.Number) or negative(value) is not None
    return formatted(written_number(text) if is_number else text, form)


def plain_text(value: t.Expression) -> str | None:
    """A number, a text or a word as it is written; None for anything else."""
    match value:
        case t.String(value=text) | t.Name(text=text):
            return text
        case t.Number():
            return written(value)
        case t.Unary(operator="-", operand=t.Number() as number):
            return "-" + written(number)
        case _:
            return None
