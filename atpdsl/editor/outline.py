"""The statements of a text as an outline, and what can be folded away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from atpdsl.editor.lines import Lines
from atpdsl.editor.reading import parsed
from atpdsl.problems import Span
from atpdsl.syntax import tree as t
from atpdsl.syntax.brackets import match_brackets
from atpdsl.syntax.tokens import rough_tokens

LONGEST = 60


class EntrySort(StrEnum):
    """What an entry of the outline is."""

    STATEMENT = "statement"
    NAME = "name"
    TEXT = "text"
    SETTING = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the outline.

    Attributes:
        span: all of it.
        head: the part that is shown when it is chosen; inside `span`.
    """

    name: str
    sort: EntrySort
    span: Span
    head: Span
    detail: str = ""
    inside: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Lines, counted from 0, that can be folded into the first of them."""

    first: int
    last: int
    comment: bool = False


def outline(text: str) -> tuple[Entry, ...]:
    """The statements of a text."""
    tree = parsed(text).tree
    return tuple(_statement(text, s) for s in tree.statements if not isinstance(s, t.Version))


def _statement(text: str, statement: t.Statement) -> Entry:
    body = getattr(statement, "body", None)
    end = statement.span.end if body is None else body.span.start
    inside = body.statements if isinstance(body, t.Body) else ()
    return Entry(
        name=_short(text, Span(statement.span.start, end)),
        sort=EntrySort.STATEMENT,
        span=statement.span,
        head=statement.word.span,
        detail=statement.doc.split("\n")[0],
        inside=tuple(entry for line in inside for entry in _line(text, line)),
    )


def _line(text: str, line: t.BodyStatement) -> Iterator[Entry]:
    match line:
        case t.SlotLine(names=names):
            for name in names:
                yield _entry(name.text, EntrySort.NAME, line.span, name.span, "slot")
        case t.PositionLine(name=name) | t.Let(name=name):
            word = line.word.text
            yield _entry(name.text, EntrySort.NAME, line.span, name.span, word)
        case t.Setting(name=name):
            yield _entry(name.text, EntrySort.SETTING, line.span, name.span)
        case t.Template() | t.Pair() | t.Select() | t.CorruptLine() | t.AnswerLine():
            sort = EntrySort.TEXT
            yield _entry(_short(text, line.span), sort, line.span, line.span)


def _entry(name: str, sort: EntrySort, span: Span, head: Span, detail: str = "") -> Entry:
    return Entry(name=name, sort=sort, span=span, head=head, detail=detail)


def _short(text: str, span: Span) -> str:
    line = " ".join(text[span.start : span.end].split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 4]} ..."


def folds(text: str) -> tuple[Fold, ...]:
    """Bodies and runs of comments of several lines."""
    lines = Lines(text)
    return (*_bodies(text, lines), *_comments(text, lines))


def _bodies(text: str, lines: Lines) -> Iterator[Fold]:
    brackets = match_brackets(text, rough_tokens(text))
    for opened, closed in sorted(brackets.close.items()):
        first, last = lines.position(opened).line, lines.position(closed).line - 1
        if text[opened] == "{" and last > first:
            yield Fold(first=first, last=last)


def _comments(text: str, lines: Lines) -> Iterator[Fold]:
    """Comments on lines of their own, one under the other."""
    run: list[int] = []
    for comment in parsed(text).tree.comments:
        line = lines.position(comment.span.start).line
        own = not text[lines.starts[line] : comment.span.start].strip()
        if run and own and line == run[-1] + 1:
            run.append(line)
            continue
        if len(run) > 1:
            yield Fold(first=run[0], last=run[-1], comment=True)
        run = [line] if own else []
    if len(run) > 1:
        yield Fold(first=run[0], last=run[-1], comment=True)
