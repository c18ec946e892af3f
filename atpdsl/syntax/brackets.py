"""Which bracket belongs to which, in texts where some are missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from atpdsl.syntax.limits import DEEPEST
from atpdsl.syntax.tokens import Mark, Rough
from atpdsl.syntax.words import STATEMENTS

PARTNER = {")": "(", "]": "[", "}": "{"}


@dataclass(slots=True)
class Brackets:
    """The brackets of a text.

    Attributes:
        close: offset of an opening bracket -> offset of its closing one; for one that is
            never closed, the offset where what it encloses is taken to end.
        unclosed, stray: offsets of brackets without a partner.
        too_deep: offset of the first bracket inside more than `DEEPEST` others.
    """

    close: dict[int, int] = field(default_factory=dict)
    unclosed: list[int] = field(default_factory=list)
    stray: list[int] = field(default_factory=list)
    too_deep: int | None = None


def match_brackets(text: str, tokens: tuple[Rough, ...]) -> Brackets:
    """The brackets of a text; where some `{` is never closed, indentation decides which."""
    plain = _Matcher(text, by_indentation=False).match(tokens)
    if not any(text[offset] == "{" for offset in plain.unclosed):
        return plain
    return _Matcher(text, by_indentation=True).match(tokens)


class _Matcher:
    def __init__(self, text: str, *, by_indentation: bool) -> None:
        self.text = text
        self.by_indentation = by_indentation
        self.stack: list[int] = []
        self.found = Brackets()

    def match(self, tokens: Iterable[Rough]) -> Brackets:
        line_start = True
        for token in tokens:
            if self.found.too_deep is not None:
                break
            if line_start and self.by_indentation:
                self._leave_outgrown(token)
            if token.mark is Mark.OPEN:
                self._open(token.start)
            elif token.mark is Mark.CLOSE:
                self._close(token.start)
            line_start = token.mark is Mark.END and self.text[token.start] != ";"
        while self.stack:
            self._give_up(len(self.text))
        self.found.unclosed.sort()
        return self.found

    def _open(self, offset: int) -> None:
        # A body cannot stand inside `(` or `[`, so those were forgotten.
        if self.text[offset] == "{":
            self._leave_parentheses(offset)
        self.stack.append(offset)
        if len(self.stack) > DEEPEST:
            self.found.too_deep = offset

    def _close(self, offset: int) -> None:
        wanted = PARTNER[self.text[offset]]
        if wanted == "{":
            self._leave_parentheses(offset)
        depth = self._depth_of(wanted)
        if depth is None:
            self.found.stray.append(offset)
            return
        while len(self.stack) - 1 > depth:
            self._give_up(offset)
        self.found.close[self.stack.pop()] = offset

    def _depth_of(self, wanted: str) -> int | None:
        """Where on the stack the bracket is that a closing one may close."""
        for depth in reversed(range(len(self.stack))):
            opened = self.text[self.stack[depth]]
            if opened == wanted:
                return depth
            if opened == "{":
                return None
        return None

    def _leave_parentheses(self, offset: int) -> None:
        while self.stack and self.text[self.stack[-1]] != "{":
            self._give_up(offset)

    def _leave_outgrown(self, token: Rough) -> None:
        """Gives up the `{` that a line shows to be over by where it begins.

        Such a line is a `}` further left than the body it would close, or a statement of
        the top level that begins where, or left of where, the body's own line begins.
        """
        column = token.start - self._line_start(token.start)
        word = self.text[token.start : token.end]
        if token.mark is Mark.CLOSE and word == "}":
            while len(self.stack) > 1 and self._indentation(self.stack[-1]) > column:
                self._give_up(token.start)
        elif column == 0 and token.mark is Mark.WORD and word in STATEMENTS:
            while self.stack:
                self._give_up(token.start)

    def _indentation(self, offset: int) -> int:
        start = self._line_start(offset)
        line = self.text[start:offset]
        return len(line) - len(line.lstrip())

    def _line_start(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def _give_up(self, end: int) -> None:
        offset = self.stack.pop()
        self.found.unclosed.append(offset)
        self.found.close[offset] = end
