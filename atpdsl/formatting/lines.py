"""Lines as they grow, and the column of the comments at their ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from atpdsl.formatting.outline import Remark, Word
from atpdsl.problems.clean import columns

WIDTH = 96
# Comments at the ends of lines begin here, if the code leaves room for them.
REMARK_COLUMN = 42


@dataclass(slots=True)
class Line:
    """A line of the formatted text; `code` may hold a string of several lines."""

    indent: int
    code: str = ""
    remark: str = ""
    blank: bool = False

    @property
    def text(self) -> str:
        """The line without its comment."""
        return " " * self.indent + self.code

    @property
    def width(self) -> int:
        """Where the line, or the last line of a string in it, ends."""
        return columns(self.text.rpartition("\n")[2])


class Lines:
    """A text that grows word by word."""

    def __init__(self) -> None:
        self.done: list[Line] = []
        self.current = Line(0)
        # Nothing but a block's brace stands above: no place for a blank line.
        self.at_edge = True

    @property
    def indent(self) -> int:
        """The indentation of the line that grows."""
        return self.current.indent

    def put(self, text: str) -> None:
        """Adds to the line."""
        self.current.code += text

    def open_block(self) -> None:
        """Says that a body begins with the next line."""
        self.at_edge = True

    def fits(self, text: str, tail: int = 0) -> bool:
        """Whether a text may follow on the line, with `tail` columns behind it."""
        if "\n" not in text:
            return self.current.width + columns(text) + tail <= WIDTH
        first, _, last = text.partition("\n")
        ends = columns(last.rpartition("\n")[2]) + tail
        return self.current.width + columns(first) <= WIDTH and ends <= WIDTH

    def new(self, indent: int, *, blank: bool = False) -> None:
        """Begins a line."""
        if self.current.code or self.current.remark:
            self.done.append(self.current)
        self.current = Line(indent, blank=blank and not self.at_edge)

    def begin(self, word: Word, indent: int) -> None:
        """Begins a statement's line, with the comments before it."""
        self._remarks(word.remarks, indent, inside=False)
        self.new(indent, blank=word.blank)
        self.at_edge = False

    def end_block(self, brace: Word, indent: int) -> None:
        """Begins the line of a closing brace, with the comments before it."""
        self._remarks(brace.remarks, indent + 2, inside=False)
        self.new(indent)
        self.at_edge = False

    def go_on(self, word: Word, indent: int, remarks: int | None = None) -> None:
        """Begins a line in the middle of a statement, with the comments before it."""
        self._remarks(word.remarks, indent if remarks is None else remarks, inside=True)
        self.new(indent)

    def _remarks(self, found: Iterable[Remark], indent: int, *, inside: bool) -> None:
        for number, remark in enumerate(found):
            if remark.trailing and self.current.code:
                self.current.remark = remark.text
            else:
                self.new(indent, blank=remark.blank and not (inside and number == 0))
                self.current.remark = remark.text
            self.at_edge = False

    def finish(self, last: Word) -> str:
        """The text, with the comments at its end."""
        self.begin(last, 0)
        self.new(0)
        return "".join(_texts(self.done))


def _texts(lines: list[Line]) -> Iterator[str]:
    """The lines with their ends; comments of adjacent lines stand in one column."""
    for commented, group in groupby(lines, key=lambda line: bool(line.code and line.remark)):
        run = list(group)
        for part in _without_blanks(run) if commented else ():
            yield from _aligned(part)
        for line in () if commented else run:
            yield _blank(line) + line.text + line.remark + "\n"


def _without_blanks(run: list[Line]) -> Iterator[list[Line]]:
    """A run cut before its blank lines."""
    part: list[Line] = []
    for line in run:
        if line.blank and part:
            yield part
            part = []
        part.append(line)
    yield part


def _aligned(run: list[Line]) -> Iterator[str]:
    together = _column(run)
    for line in run:
        column = together if together is not None else _column([line])
        room = column if column is not None else line.width + 2
        yield f"{_blank(line)}{line.text}{' ' * (room - line.width)}{line.remark}\n"


def _column(run: list[Line]) -> int | None:
    """Where the comments of all lines can begin; None if some would become too long."""
    least = max(line.width for line in run) + 2
    most = WIDTH - max(columns(line.remark) for line in run)
    return None if least > most else max(least, min(REMARK_COLUMN, most))


def _blank(line: Line) -> str:
    return "\n" if line.blank else ""
