"""Problems of strings and brackets, which the grammar alone would misplace."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from atpdsl.problems import Fix, Label, Problem, Span
from atpdsl.problems.fixes import inserted
from atpdsl.syntax.brackets import PARTNER, Brackets
from atpdsl.syntax.mistakes import QUOTES
from atpdsl.syntax.tokens import Mark, Rough

CLOSING = {"(": ")", "[": "]", "{": "}"}


def structure_problems(
    text: str, tokens: tuple[Rough, ...], brackets: Brackets
) -> dict[int, Problem]:
    """Offset -> the problem of the string or bracket that stands there."""
    ends = _Ends(text, tokens, brackets)
    problems = {offset: _unclosed(text, offset, ends) for offset in brackets.unclosed}
    problems |= {offset: _stray(text, offset) for offset in brackets.stray}
    foreign = False
    for token in tokens:
        if token.mark is Mark.END:
            foreign = False
        elif token.mark is Mark.OTHER and text[token.start] in QUOTES:
            foreign = True
        # After a quote of another kind, a straight one may well be the closing one.
        elif token.mark is Mark.OPEN_STRING and not foreign:
            problems[token.start] = problem = _open_string(text, token)
            for offset in _swallowed(text, token, problem, brackets):
                problems.pop(offset, None)
            if problem.fix is None:
                _doubt_ends(token.start, problems, brackets)
    return problems


def _doubt_ends(quote: int, problems: dict[int, Problem], brackets: Brackets) -> None:
    """Takes the fixes of brackets around a quote away: nobody knows what is a string there."""
    for offset in brackets.unclosed:
        if offset in problems and offset < quote < brackets.close[offset]:
            problems[offset] = replace(problems[offset], fix=None)


def _swallowed(text: str, string: Rough, problem: Problem, brackets: Brackets) -> Iterator[int]:
    """The brackets before a string whose closing ones are taken for a part of it."""
    if problem.fix is None:
        return
    line = text.rfind("\n", 0, string.start) + 1
    opened = [offset for offset in brackets.unclosed if line <= offset < string.start]
    for bracket in text[problem.fix.span.start : string.end]:
        if opened and text[opened[-1]] == PARTNER.get(bracket):
            yield opened.pop()


class _Ends:
    """Where brackets that are never closed were probably meant to end."""

    def __init__(self, text: str, tokens: tuple[Rough, ...], brackets: Brackets) -> None:
        self.text = text
        self.tokens = tokens
        self.brackets = brackets
        self.starts = [token.start for token in tokens]

    def fix(self, offset: int) -> Fix:
        """The fix that closes the bracket at an offset."""
        block = self.text[offset] == "{"
        last = self._last(offset, block=block)
        bracket = CLOSING[self.text[offset]]
        if not block:
            return inserted(bracket, last)
        if "\n" not in self.text[offset:last]:
            return inserted(f" {bracket}", last)
        line_end = self.text.find("\n", last)
        line_start = self.text.rfind("\n", 0, offset) + 1
        line = self.text[line_start:offset]
        indentation = line[: len(line) - len(line.lstrip())]
        at = len(self.text.rstrip()) if line_end < 0 else line_end
        return inserted(f"\n{indentation}{bracket}", at)

    def _last(self, offset: int, *, block: bool) -> int:
        """The end of the last token that the bracket encloses.

        A block goes as far as brackets and indentation say, a list as far as its statement.
        """
        end = self.brackets.close[offset]
        last, previous, inner = offset + 1, Mark.OPEN, offset
        for token in self.tokens[bisect_left(self.starts, offset + 1) :]:
            if token.start >= end:
                break
            if token.mark is Mark.COMMENT:
                continue
            if token.mark is Mark.END:
                goes_on = previous is Mark.CONTINUING and self.text[token.start] != ";"
                ended = not goes_on and previous is not Mark.OPEN and token.start > inner
                if ended and not block:
                    break
                continue
            inner = max(inner, self.brackets.close.get(token.start, 0))
            last, previous = token.end, token.mark
        return last


def _unclosed(text: str, offset: int, ends: _Ends) -> Problem:
    bracket = text[offset]
    return Problem(
        code="ATP002",
        message=f"this `{bracket}` is never closed",
        at=Label(Span(offset, offset + 1)),
        help=f"write the `{CLOSING[bracket]}` that belongs to it",
        fix=ends.fix(offset),
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
    advice = 'close it with `"` on the same line'
    fix: Fix | None = _closing_quote(text, token.start, written)
    if long:
        advice, fix = 'close it with `"""`', None
    elif written == '"':
        advice, fix = "one of the quotes on this line is missing, or this is one too many", None
    return Problem(
        code="ATP003",
        message="this string is never closed",
        at=Label(Span(token.start, token.start + max(1, len(written)))),
        help=advice,
        fix=fix,
    )


def _closing_quote(text: str, start: int, written: str) -> Fix:
    """The fix that closes a string before the brackets that close what it stands in."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    inside = written
    while inside and inside[-1] in PARTNER:
        opened = PARTNER[inside[-1]]
        own = inside.count(opened) >= inside.count(inside[-1])
        if own or before.count(opened) <= before.count(inside[-1]):
            break
        inside = inside[:-1].rstrip()
        before = before.replace(opened, " ", 1)
    return inserted('"', start + len(inside))
