"""Offsets of a text as lines and characters, counted the way an editor counts them."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum

# The line ends of the language server protocol; Python's `splitlines` knows others besides.
_LINE_END = re.compile(r"\r\n|\r|\n")


class Encoding(StrEnum):
    """In which units an editor counts the characters of a line."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A line and a character in it, both counted from 0."""

    line: int
    character: int


class Lines:
    """The lines of a text.

    Args:
        text: the text; LF, CR LF and CR end a line.
        encoding: the units of `Position.character`.
    """

    def __init__(self, text: str, encoding: Encoding = Encoding.UTF16) -> None:
        self.text = text
        self.encoding = encoding
        ends = list(_LINE_END.finditer(text))
        self.starts = [0, *(end.end() for end in ends)]
        self.ends = [*(end.start() for end in ends), len(text)]

    def position(self, offset: int) -> Position:
        """Where an offset is; what lies past the end of a line is its end."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.starts, offset) - 1
        start = self.starts[line]
        return Position(line, self._units(self.text[start : min(offset, self.ends[line])]))

    def offset(self, position: Position) -> int:
        """The offset of a position; what lies past the end of a line is its end."""
        if position.line < 0:
            return 0
        if position.line >= len(self.starts):
            return len(self.text)
        start, end = self.starts[position.line], self.ends[position.line]
        if self.encoding is Encoding.UTF32:
            return max(start, min(start + position.character, end))
        units = 0
        for offset in range(start, end):
            if units >= position.character:
                return offset
            units += self._units(self.text[offset])
        return end

    def _units(self, text: str) -> int:
        match self.encoding:
            case Encoding.UTF8:
                return len(text.encode("utf-8", "surrogatepass"))
            case Encoding.UTF16:
                return len(text) + sum(character > "\uffff" for character in text)
            case Encoding.UTF32:
                return len(text)
