"""Values that formulas count with, and how they are written into a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from atpdsl.problems import Span
from atpdsl.registry import closest

Value = bool | int | float | str | tuple["Value", ...] | Mapping[str, "Value"] | None

# Longer numbers are mistakes, and take long to write out.
LARGEST_NUMBER = 10**15
_PADDED = re.compile(r"0([1-9])")
_WORD = re.compile(r"\S+")
FORMATS = ("02", "upper", "lower", "title")


class Tokens(Protocol):
    """What formulas ask of a tokenizer."""

    def count(self, text: str) -> int:
        """How many tokens a text has by itself."""
        ...


class FormulaError(Exception):
    """A formula has no value in some pair: what is wrong, where, and what helps."""

    def __init__(self, message: str, span: Span, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.advice = advice


class RefusedError(Exception):
    """A value cannot be used so; `argument` says which of several it is about, from 0."""

    def __init__(self, message: str, advice: str = "", *, argument: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.argument = argument

    def at(self, span: Span) -> FormulaError:
        """The same as the error of a formula."""
        return FormulaError(self.message, span, self.advice)


class WrittenInt(int):
    """A whole number that keeps the form in which it is written, as `02`."""

    written: str

    def __new__(cls, value: int, written: str) -> WrittenInt:
        """Joins a number and its form."""
        number = super().__new__(cls, value)
        number.written = written
        return number

    def __str__(self) -> str:
        return self.written


class WrittenFloat(float):
    """A number with a point that keeps the form in which it is written, as `1.50`."""

    written: str

    def __new__(cls, value: float, written: str) -> WrittenFloat:
        """Joins a number and its form."""
        number = super().__new__(cls, value)
        number.written = written
        return number

    def __str__(self) -> str:
        return self.written


def written_number(text: str) -> Value:
    """The number that a text of the spec is, with its form; the text if it is none."""
    try:
        return WrittenInt(int(text), text)
    except ValueError:
        pass
    try:
        return WrittenFloat(float(text), text)
    except ValueError:
        return text


def text_of(value: Value) -> str:
    """A value as it stands in a text.

    Raises:
        RefusedError: when it is no text or number.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError(
            f"{described(value)} cannot stand in a text",
            "a text is made of texts and numbers",
        )
    return str(value)


def formatted(value: Value, form: str) -> str:
    """A value written in a form of `FORMATS`, or as it is for "".

    Raises:
        RefusedError: when it cannot be written so.
    """
    text = text_of(value)
    match form:
        case "":
            return text
        case "upper":
            return text.upper()
        case "lower":
            return text.lower()
        case "title":
            return _WORD.sub(lambda word: word[0][:1].upper() + word[0][1:].lower(), text)
        case _:
            return _padded(value, text, form)


def is_format(form: str) -> bool:
    """Whether there is such a format: a word, or a width with a zero before it."""
    return form in FORMATS or _PADDED.fullmatch(form) is not None


def _padded(value: Value, text: str, form: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,15}", text):
        what = f"the text `{text}`" if isinstance(value, str) else f"`{text}`"
        message = f"{what} cannot be written with `:{form}`, which is for whole numbers"
        raise RefusedError(message, f"leave out `:{form}`")
    return f"{int(text):{form}}"


def described(value: Value) -> str:
    """A value in words, for messages."""
    match value:
        case None:
            return "an empty value"
        case bool():
            return "`true`" if value else "`false`"
        case str():
            short = value if len(value) <= 40 else f"{value[:37]}..."
            return f"the text `{short}`"
        case int() | float():
            return f"the number {value}"
        case tuple():
            return "a list"
        case _:
            return "an object"


def look_up(columns: Mapping[str, Value], path: tuple[str, ...]) -> Value:
    """The value at a path of a row; a column may be called by the whole path with its dots.

    Raises:
        RefusedError: when there is none.
    """
    whole = ".".join(path)
    if whole in columns:
        return columns[whole]
    value: Value = columns
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            raise _no_column(name, tuple(value) if isinstance(value, Mapping) else ())
        value = value[name]
    return value


def _no_column(name: str, names: tuple[str, ...]) -> RefusedError:
    near = closest(name, names)
    there = ", ".join(f"`{other}`" for other in names[:10]) or "none there"
    advice = f"did you mean `{near}`?" if near else f"there are {there}"
    return RefusedError(f"there is no column `{name}`", advice)


def flat(value: Value) -> tuple[Value, ...]:
    """The items of a list, or the one value."""
    return value if isinstance(value, tuple) else (value,)


def texts_in(values: Iterable[Value]) -> tuple[str, ...]:
    """Values and the items of lists as texts."""
    return tuple(text_of(item) for value in values for item in flat(value))
