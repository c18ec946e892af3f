"""Problems of strings and brackets, which the grammar alone would misplace."""

from __future__ import annotations

from atpdsl.problems import Label, Problem, Span
from atpdsl.syntax.brackets import Brackets
from atpdsl.syntax.mistakes import QUOTES
from atpdsl.syntax.tokens import Mark, Rough

CLOSING = {"(": ")", "[": "]", "{": "}"}


def structure_problems(
    text: str, tokens: tuple[Rough, ...], brackets: Brackets
) -> dict[int, Problem]:
    """Offset -> the problem of the string or bracket that stands there."""
    problems = {offset: _unclosed(text, offset) for offset in brackets.unclosed}
    problems |= {offset: _stray(text, offset) for offset in brackets.stray}
    foreign = False
    for token in tokens:
        if token.mark is Mark.END:
            foreign = False
        elif token.mark is Mark.OTHER and text[token.start] in QUOTES:
            foreign = True
        # After a quote of another kind, a straight one may well be the closing one.
        elif token.mark is Mark.OPEN_STRING and not foreign:
            problems[token.start] = _open_string(text, token)
    return problems


def _unclosed(text: str, offset: int) -> Problem:
    bracket = text[offset]
    return Problem(
        code="ATP002",
        message=f"this `{bracket}` is never closed",
        at=Label(Span(offset, offset + 1)),
        help=f"write the `{CLOSING[bracket]}` that belongs to it",
    )


def _stray(text: str, offset: int) -> Problem:
    return Problem(
        code="ATP013",
        message=f"this `{text[offset]}` closes nothing",
        at=Label(Span(offset, offset + 1)),
        help="remove it, or open what it should close",
    )


def _open_string(text: str, token: Rough) -> Problem:
    written = text[token.start : token.end].rstrip()
    long = '"""' in text[max(0, token.start - 2) : token.start + 3]
    return Problem(
        code="ATP003",
        message="this string is never closed",
        at=Label(Span(token.start, token.start + max(1, len(written)))),
        help='close it with `"""`' if long else 'close it with `"` on the same line',
    )
