"""A problem laid out in lines, with its place in the text; shared by all renderings for people.

error[ATP105]: `verify` has no setting `tpo`
  --> ioi.atp:7:10
   |
 7 | verify { tpo = 5 }
   |          ^^^
   = help: did you mean `top`?
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from atpdsl.problems.clean import clean, columns
from atpdsl.problems.problem import Label, Problem, Severity
from atpdsl.problems.source import Source

WIDTH = 80
ELLIPSIS = "..."
LONGEST_LINE = 2000


class Style(Enum):
    """What a piece of a line is, for renderers with colours."""

    PLAIN = auto()
    ERROR = auto()
    WARNING = auto()
    MESSAGE = auto()
    FRAME = auto()
    SECOND = auto()
    HELP = auto()


Segment = tuple[str, Style]
Line = tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """A label on one line of a source: characters [first, after) of it."""

    line: int
    first: int
    after: int
    text: str
    main: bool


def lay_out(problem: Problem, source: Source | None, *, width: int = WIDTH) -> tuple[Line, ...]:
    """The lines that tell a problem.

    Args:
        problem: what is wrong.
        source: the text that labels without a source are in.
        width: columns to keep within, as far as words allow.
    """
    problem = problem.placed(source)
    lines = list(_headline(problem, width))
    labels = [label for label in (problem.at, *problem.also) if label is not None]
    sources = list(dict.fromkeys(label.source for label in labels if label.source))
    gutter = _gutter(labels)
    for number, each in enumerate(sources):
        mine = [label for label in labels if label.source == each]
        lines += _excerpt(each, mine, problem, gutter, width, first=number == 0)
    lines += _help(problem, gutter, width)
    return tuple(lines)


def _headline(problem: Problem, width: int) -> Iterator[Line]:
    style = Style.ERROR if problem.severity is Severity.ERROR else Style.WARNING
    head = f"{problem.severity.value}[{clean(problem.code)}]"
    wrapped = _wrapped(f"{head}: {clean(problem.message)}", width, "    ")
    yield ((head, style), (wrapped[0].removeprefix(head), Style.MESSAGE))
    for line in wrapped[1:]:
        yield ((line, Style.MESSAGE),)


def _help(problem: Problem, gutter: int, width: int) -> Iterator[Line]:
    if not problem.help:
        return
    margin = " " * (gutter + 1)
    lines = _wrapped(f"{margin}= help: {clean(problem.help)}", width, margin + " " * 8)
    for line in lines:
        yield ((line, Style.HELP),)


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    ) or [text]


def _gutter(labels: list[Label]) -> int:
    """Columns that the largest line number takes."""
    numbers = [
        label.source.line_column(label.span.start)[0] for label in labels if label.source
    ]
    return len(str(max(numbers, default=1)))


def _excerpt(
    source: Source,
    labels: list[Label],
    problem: Problem,
    gutter: int,
    width: int,
    *,
    first: bool,
) -> Iterator[Line]:
    """The lines of one source that labels are on, the labels below them."""
    line, column = source.line_column(labels[0].span.start)
    arrow = "-->" if first else ":::"
    margin = " " * gutter
    yield (
        (f"{margin}{arrow} ", Style.FRAME),
        (f"{clean(source.name)}:{line}:{column}", Style.PLAIN),
    )
    yield ((f"{margin} |", Style.FRAME),)
    marks = sorted(
        (_mark(source, label, main=label is problem.at) for label in labels),
        key=lambda mark: (mark.line, mark.first),
    )
    previous = 0
    for number in dict.fromkeys(mark.line for mark in marks):
        if previous and number > previous + 1:
            yield ((ELLIPSIS, Style.FRAME),)
        here = [mark for mark in marks if mark.line == number]
        yield from _marked_line(source, here, problem, gutter, width)
        previous = number


def _mark(source: Source, label: Label, *, main: bool) -> _Mark:
    line, column = source.line_column(label.span.start)
    length = len(source.line(line))
    first = min(column - 1, length)
    after = min(first + max(1, label.span.end - label.span.start), max(length, first + 1))
    return _Mark(line=line, first=first, after=after, text=clean(label.text), main=main)


def _marked_line(
    source: Source, marks: list[_Mark], problem: Problem, gutter: int, width: int
) -> Iterator[Line]:
    number = marks[0].line
    text = source.line(number)
    start, end = _window(text, marks, width - gutter - 3)
    before = ELLIPSIS if start else ""
    after = ELLIPSIS if end < len(text) else ""
    shown = f"{before}{_clean_line(text[start:end])}{after}"
    yield ((f"{number:>{gutter}} | ", Style.FRAME), (shown, Style.PLAIN))
    for mark in sorted(marks, key=lambda mark: not mark.main):
        offset = columns(before + _clean_line(text[start : mark.first]))
        length = max(1, columns(_clean_line(text[mark.first : min(mark.after, end)])))
        sign = "^" if mark.main else "-"
        style = _style_of(mark, problem)
        said = f" {mark.text}" if mark.text else ""
        yield (
            (f"{' ' * gutter} | ", Style.FRAME),
            (f"{' ' * offset}{sign * length}{said}", style),
        )


def _style_of(mark: _Mark, problem: Problem) -> Style:
    if not mark.main:
        return Style.SECOND
    return Style.ERROR if problem.severity is Severity.ERROR else Style.WARNING


def _clean_line(text: str) -> str:
    return clean(text.replace("\t", "    "))


def _window(text: str, marks: Iterable[_Mark], room: int) -> tuple[int, int]:
    """The part of a line to show: all of it, or as much as fits around the main mark."""
    if len(text) <= LONGEST_LINE and columns(_clean_line(text)) <= room:
        return 0, len(text)
    main = min(marks, key=lambda mark: not mark.main)
    room -= 2 * len(ELLIPSIS)
    start = end = main.first
    start, left = _grow(text, start, -1, room // 3)
    end, left = _grow(text, end, 1, room - room // 3 + left)
    start, _ = _grow(text, start, -1, left)
    return start, max(end, start + 1)


def _grow(text: str, position: int, step: int, room: int) -> tuple[int, int]:
    """How far one gets from a position in so many columns, and the columns left."""
    while 0 <= (following := position + min(step, 0)) < len(text):
        room_after = room - columns(_clean_line(text[following]))
        if room_after < 0:
            break
        position, room = position + step, room_after
    return position, room
