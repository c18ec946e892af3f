"""The functions that formulas may call: one table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from atpdsl.semantics.values import (
    LARGEST_NUMBER,
    RefusedError,
    Tokens,
    Value,
    described,
    flat,
    formatted,
    text_of,
    texts_in,
)

Arguments = tuple[Value, ...]
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of formulas.

    Attributes:
        signature: how it is called, as `digits(numbers, width)`.
        doc: what it gives, in one line.
        least, most: how many arguments it takes; None is any number.
        compute: its value; refuses what it cannot take with a `RefusedError`.
        tokens: whether it asks the model's tokenizer.
        synonyms: what it is called elsewhere.
    """

    name: str
    signature: str
    doc: str
    least: int = 1
    most: int | None = 1
    compute: Callable[[Arguments, Tokens | None], Value]
    tokens: bool = False
    synonyms: tuple[str, ...] = ()


# ---- numbers ----


def number(value: Value, argument: int | None = None) -> int | float:
    """A value that is a number.

    Raises:
        RefusedError: when it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        advice = "only numbers can be counted with"
        if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
            whole = _WHOLE.fullmatch(value.strip())
            advice = f"make it a number with `{'int' if whole else 'float'}(...)`"
        message = f"{described(value)} is no number"
        raise RefusedError(message, advice, argument=argument)
    return value


def bounded(value: int | float) -> int | float:
    """A computed number, if it is one that can be written.

    Raises:
        RefusedError: when it is too large.
    """
    if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
        raise RefusedError("the number is too large", "numbers go up to 10 ** 15")
    return value


def _int(arguments: Arguments, _tokens: Tokens | None) -> Value:
    (value,) = arguments
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value.strip()):
            decimal = _DECIMAL.fullmatch(value.strip())
            whole = "for the whole part write `int(float(...))`"
            advice = whole if decimal else "only a text of digits can be made a whole number"
            raise RefusedError(f"{described(value)} is no whole number", advice)
        return int(value)
    return int(bounded(number(value)))


def _float(arguments: Arguments, _tokens: Tokens | None) -> Value:
    (value,) = arguments
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return float(bounded(float(value)))
    return float(number(value))


def _numbers(arguments: Arguments) -> tuple[int | float, ...]:
    found = tuple(number(item) for value in arguments for item in flat(value))
    if not found:
        raise RefusedError("there is no number to choose", "the list is empty")
    return found


def _abs(arguments: Arguments, _tokens: Tokens | None) -> Value:
    return abs(number(arguments[0]))


# ---- texts ----


def _each_text(value: Value, change: Callable[[str], str]) -> Value:
    """A text changed, or every text of a list."""
    if isinstance(value, tuple):
        return tuple(change(text_of(item)) for item in value)
    return change(text_of(value))


def _in_form(form: str) -> Callable[[Arguments, Tokens | None], Value]:
    def compute(arguments: Arguments, _tokens: Tokens | None) -> Value:
        return _each_text(arguments[0], lambda text: formatted(text, form))

    return compute


def _strip(arguments: Arguments, _tokens: Tokens | None) -> Value:
    return _each_text(arguments[0], str.strip)


def _len(arguments: Arguments, _tokens: Tokens | None) -> Value:
    (value,) = arguments
    if isinstance(value, str | tuple):
        return len(value)
    raise RefusedError(f"{described(value)} has no length", "texts and lists have one")


def _starts_with(arguments: Arguments, _tokens: Tokens | None) -> Value:
    return text_of(arguments[0]).startswith(texts_in(arguments[1:]))


def _ends_with(arguments: Arguments, _tokens: Tokens | None) -> Value:
    return text_of(arguments[0]).endswith(texts_in(arguments[1:]))


def _digits_of(value: Value, width: int) -> Value:
    def written(item: Value) -> str:
        found = number(item)
        if not isinstance(found, int) or found < 0:
            message = f"{described(found)} cannot be written in {width} digits"
            raise RefusedError(message, "only whole numbers from 0 on can", argument=0)
        if found >= 10**width:
            message = f"{described(int(found))} has more than {width} digits"
            advice = f"the largest is {10**width - 1}"
            raise RefusedError(message, advice, argument=0)
        return f"{int(found):0{width}}"

    return (
        tuple(written(item) for item in value) if isinstance(value, tuple) else written(value)
    )


def _two_digits(arguments: Arguments, _tokens: Tokens | None) -> Value:
    return _digits_of(arguments[0], 2)


def _digits(arguments: Arguments, _tokens: Tokens | None) -> Value:
    width = number(arguments[1], 1)
    if not isinstance(width, int) or not 1 <= width <= 15:
        message, advice = "this is no width", "a width is a whole number from 1 to 15"
        raise RefusedError(message, advice, argument=1)
    return _digits_of(arguments[0], width)


# ---- tokens ----


def _counts(arguments: Arguments, tokens: Tokens | None) -> tuple[int, ...]:
    if tokens is None:
        message = "this needs the model's tokenizer, and there is none here"
        raise RefusedError(message, "ask about tokens in `where`, `keep` and answers")
    return tuple(tokens.count(text) for text in texts_in(arguments))


def _single_token(arguments: Arguments, tokens: Tokens | None) -> Value:
    return all(count == 1 for count in _counts(arguments, tokens))


def _same_token_count(arguments: Arguments, tokens: Tokens | None) -> Value:
    return len(set(_counts(arguments, tokens))) <= 1


def _token_count(arguments: Arguments, tokens: Tokens | None) -> Value:
    return sum(_counts(arguments, tokens))


_TABLE = (
    Function(
        name="int",
        signature="int(value)",
        doc="the whole number that a text is; a number without what is behind its point",
        compute=_int,
    ),
    Function(
        name="float", signature="float(value)", doc="the number that a text is", compute=_float
    ),
    Function(
        name="text",
        signature="text(value)",
        doc="a number as it is written",
        compute=_in_form(""),
        synonyms=("str", "string"),
    ),
    Function(
        name="two_digits",
        signature="two_digits(numbers)",
        doc="numbers up to 99 with two digits each, `02`; a number, a range or a list",
        compute=_two_digits,
    ),
    Function(
        name="digits",
        signature="digits(numbers, width)",
        doc="numbers with so many digits each, with zeros before them",
        least=2,
        most=2,
        compute=_digits,
        synonyms=("zfill", "pad"),
    ),
    Function(
        name="lower",
        signature="lower(text)",
        doc="a text, or the texts of a list, in small letters",
        compute=_in_form("lower"),
        synonyms=("lowercase",),
    ),
    Function(
        name="upper",
        signature="upper(text)",
        doc="in capital letters",
        compute=_in_form("upper"),
        synonyms=("uppercase",),
    ),
    Function(
        name="title",
        signature="title(text)",
        doc="with a capital letter at the beginning of each word",
        compute=_in_form("title"),
        synonyms=("capitalize",),
    ),
    Function(
        name="strip",
        signature="strip(text)",
        doc="without spaces at both ends",
        compute=_strip,
        synonyms=("trim",),
    ),
    Function(
        name="starts_with",
        signature="starts_with(text, beginning, ...)",
        doc="whether a text begins with one of the others",
        least=2,
        most=None,
        compute=_starts_with,
        synonyms=("startswith",),
    ),
    Function(
        name="ends_with",
        signature="ends_with(text, ending, ...)",
        doc="whether a text ends with one of the others",
        least=2,
        most=None,
        compute=_ends_with,
        synonyms=("endswith",),
    ),
    Function(
        name="len",
        signature="len(value)",
        doc="how many characters a text, or how many items a list has",
        compute=_len,
        synonyms=("length", "count"),
    ),
    Function(
        name="min",
        signature="min(number, ...)",
        doc="the smallest of some numbers",
        most=None,
        compute=lambda arguments, _: min(_numbers(arguments)),
        synonyms=("minimum", "smallest"),
    ),
    Function(
        name="max",
        signature="max(number, ...)",
        doc="the largest of some numbers",
        most=None,
        compute=lambda arguments, _: max(_numbers(arguments)),
        synonyms=("maximum", "largest"),
    ),
    Function(
        name="abs", signature="abs(number)", doc="a number without its sign", compute=_abs
    ),
    Function(
        name="single_token",
        signature="single_token(text, ...)",
        doc="whether each text is one token of the model's tokenizer, by itself",
        most=None,
        compute=_single_token,
        tokens=True,
        synonyms=("one_token", "is_single_token"),
    ),
    Function(
        name="same_token_count",
        signature="same_token_count(text, text, ...)",
        doc="whether all texts have as many tokens",
        most=None,
        compute=_same_token_count,
        tokens=True,
        synonyms=("same_length", "same_tokens"),
    ),
    Function(
        name="token_count",
        signature="token_count(text, ...)",
        doc="how many tokens a text has by itself; of several texts all together",
        most=None,
        compute=_token_count,
        tokens=True,
        synonyms=("count_tokens", "tokens"),
    ),
)
FUNCTIONS: Mapping[str, Function] = MappingProxyType({one.name: one for one in _TABLE})
SYNONYMS: Mapping[str, str] = MappingProxyType(
    {synonym: one.name for one in _TABLE for synonym in one.synonyms}
)
