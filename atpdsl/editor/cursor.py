"""What stands around a place in a text, whether or not the text can be parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from atpdsl.problems import Span
from atpdsl.syntax.brackets import Brackets, match_brackets
from atpdsl.syntax.tokens import Mark, Rough, rough_tokens

_NAME = re.compile(r"[A-Za-z_0-9]")
STARRED = "atp*"


@dataclass(slots=True)
class _Line:
    """A statement in rough tokens; `parent` is the one in whose body it stands."""

    parent: _Line | None
    tokens: list[Rough] = field(default_factory=list)
    body: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in a text.

    Attributes:
        word: the word that the place is in or at the end of; empty if there is none.
        before: the tokens of the statement that stand before that word.
        after: the token behind the word on the same line, "" if there is none.
        owners: the heads of the statements in whose bodies the place is, outermost first.
        siblings: the other statements of the same body, as tokens.
        string: the string that the place is inside of.
        comment: the place is in a comment.
    """

    text: str
    offset: int
    word: Span
    before: tuple[str, ...]
    after: str
    owners: tuple[tuple[str, ...], ...]
    siblings: tuple[tuple[str, ...], ...]
    string: Span | None = None
    comment: bool = False

    @property
    def prefix(self) -> str:
        """The part of the word before the place."""
        return self.text[self.word.start : self.offset]

    @property
    def statement(self) -> str:
        """The first word of the statement, "" if the place is at its beginning."""
        return self.before[0] if self.before else ""

    @property
    def owner(self) -> str:
        """The word of the statement in whose body the place is, "" at the top level."""
        return self.owners[-1][0] if self.owners else ""


def cursor_at(text: str, offset: int) -> Cursor:
    """What stands around an offset of a text."""
    offset = max(0, min(offset, len(text)))
    # A lone `\r` ends a line for the parser, too.
    plain = re.sub("\r(?!\n)", "\n", text)
    tokens = rough_tokens(plain)
    string, comment = _inside(tokens, offset)
    word = string or _word(plain, offset)
    line = _Walk(plain, match_brackets(plain, tokens)).line_at(tokens, word.start)
    before = tuple(_text(plain, t) for t in line.current.tokens if t.end <= word.start)
    return Cursor(
        text=text,
        offset=offset,
        word=Span(offset, offset) if string else word,
        before=before,
        after=_after(plain, tokens, word.end),
        owners=line.owners(plain),
        siblings=line.siblings(plain),
        string=string,
        comment=comment,
    )


def _inside(tokens: tuple[Rough, ...], offset: int) -> tuple[Span | None, bool]:
    """The string that an offset is inside of, and whether it is in a comment."""
    for token in tokens:
        if token.start >= offset:
            break
        closed = token.mark is Mark.STRING and offset < token.end
        open_ = token.mark is Mark.OPEN_STRING and offset <= token.end
        if closed or open_:
            return Span(token.start, token.end), False
        if token.mark is Mark.COMMENT and offset <= token.end:
            return None, True
    return None, False


def _word(text: str, offset: int) -> Span:
    for start in range(max(0, offset - len(STARRED)), offset):
        if text.startswith(STARRED, start) and not _NAME.match(text[start - 1 : start]):
            return Span(start, start + len(STARRED))
    start = end = offset
    while start > 0 and _NAME.match(text[start - 1]):
        start -= 1
    while end < len(text) and _NAME.match(text[end]):
        end += 1
    return Span(start, end)


def _after(text: str, tokens: tuple[Rough, ...], offset: int) -> str:
    token = next((token for token in tokens if token.start >= offset), None)
    return "" if token is None or token.mark is Mark.END else _text(text, token)


def _text(text: str, token: Rough) -> str:
    return text[token.start : token.end]


@dataclass(frozen=True, slots=True)
class _Found:
    current: _Line
    lines: tuple[_Line, ...]

    def owners(self, text: str) -> tuple[tuple[str, ...], ...]:
        """The heads of the statements around, outermost first."""
        heads: list[tuple[str, ...]] = []
        parent = self.current.parent
        while parent is not None:
            heads.append(tuple(_text(text, token) for token in parent.tokens) or ("",))
            parent = parent.parent
        return tuple(reversed(heads))

    def siblings(self, text: str) -> tuple[tuple[str, ...], ...]:
        """The other statements of the same body."""
        return tuple(
            tuple(_text(text, token) for token in line.tokens)
            for line in self.lines
            if line is not self.current and line.parent is self.current.parent and line.tokens
        )


class _Walk:
    """Cuts tokens into statements, with the bodies that they stand in."""

    def __init__(self, text: str, brackets: Brackets) -> None:
        self.text = text
        self.brackets = brackets
        self.single = frozenset((*brackets.stray, *brackets.unclosed))
        self.current = _Line(parent=None)
        self.lines = [self.current]
        self.ends: list[tuple[int, bool]] = []
        self.depth = 0
        self.previous = Mark.END

    def line_at(self, tokens: tuple[Rough, ...], offset: int) -> _Found:
        """The statement that a token at `offset` belongs to, and all statements."""
        found: _Line | None = None
        for token in tokens:
            if found is None and token.start >= offset:
                self._leave(offset)
                found = self.current
            self._leave(token.start)
            self._take(token)
        if found is None:
            self._leave(offset)
            found = self.current
        return _Found(found, tuple(self.lines))

    def _leave(self, offset: int) -> None:
        """Leaves the bodies that end before an offset."""
        while self.ends and self._over(offset, *self.ends[-1]):
            self.ends.pop()
            parent = self.current.parent
            if parent is not None:
                self.current = parent
            self.depth = 0
            # What comes after a body that was never closed is a new statement.
            self._begin()

    def _over(self, offset: int, end: int, closed: bool) -> bool:
        """Whether an offset is behind a body that ends at `end`."""
        return offset > end if closed else end <= offset and end < len(self.text)

    def _take(self, token: Rough) -> None:
        if token.mark is Mark.COMMENT:
            return
        if token.mark is Mark.END:
            goes_on = self.previous is Mark.CONTINUING and self.text[token.start] != ";"
            if self.depth == 0 and not goes_on:
                self._begin()
                self.previous = Mark.END
            return
        self.previous = token.mark
        character = self.text[token.start]
        if token.mark is Mark.OPEN and character == "{":
            self._enter(token)
        elif token.mark is Mark.CLOSE and character == "}":
            self._close(token)
        else:
            if token.start not in self.single:
                self.depth += (token.mark is Mark.OPEN) - (token.mark is Mark.CLOSE)
            self.current.tokens.append(token)

    def _enter(self, token: Rough) -> None:
        close = self.brackets.close.get(token.start, len(self.text))
        self.ends.append((close, token.start not in self.single))
        self.current = _Line(parent=self.current)
        self.lines.append(self.current)
        self.depth = 0
        self.previous = Mark.END

    def _close(self, token: Rough) -> None:
        if self.ends and self.ends[-1][0] == token.start and self.current.parent is not None:
            self.ends.pop()
            self.current = self.current.parent
            self.depth = 0

    def _begin(self) -> None:
        if self.current.tokens:
            self.current = _Line(parent=self.current.parent)
            self.lines.append(self.current)
