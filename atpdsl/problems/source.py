"""A piece of text that was given to us, and places in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of character offsets, `start` included, `end` not."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class Source:
    """A named text: usually a spec file."""

    name: str
    text: str

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1; past the end is the end."""
        before = self.text[:offset]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its line end."""
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 1 <= number <= len(lines) else ""
