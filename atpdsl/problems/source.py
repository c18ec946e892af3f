"""A piece of text that was given to us, and places in it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of character offsets, `start` included, `end` not."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def moved(self, by: int) -> Span:
        """The span so many characters later."""
        return Span(self.start + by, self.end + by)


@dataclass(frozen=True, slots=True)
class Source:
    """A named text: usually a spec file.

    Attributes:
        parts: the texts of included files. Their offsets follow those of `text`: with one
            offset between two texts, so that a span belongs to one of them.
    """

    name: str
    text: str
    parts: tuple[Source, ...] = ()

    def with_part(self, part: Source) -> tuple[Source, int]:
        """This source with one more part, and the offset at which that part begins."""
        return replace(self, parts=(*self.parts, part)), self._end

    @property
    def _end(self) -> int:
        """The first offset that belongs to no text."""
        return len(self.text) + 1 + sum(len(part.text) + 1 for part in self.parts)

    def locate(self, span: Span) -> tuple[Source, Span]:
        """The text in which a span lies, and its place there."""
        start = len(self.text) + 1
        if span.start < start:
            return (replace(self, parts=()) if self.parts else self), span
        for part in self.parts:
            after = start + len(part.text) + 1
            if span.start < after:
                return part, span.moved(-start)
            start = after
        return self, span

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1; past the end is the end."""
        before = self.text[:offset]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its line end."""
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 1 <= number <= len(lines) else ""
