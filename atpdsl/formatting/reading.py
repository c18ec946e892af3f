"""From the text of a spec to its outline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from atpdsl.formatting.outline import (
    CLOSERS,
    OPENERS,
    PREFIX,
    TIGHT,
    VALUE_ENDS,
    Body,
    Bracket,
    Item,
    Piece,
    Remark,
    Statement,
    Word,
    first_word,
    remarked,
)
from atpdsl.syntax import grammar

_REMARK = re.compile(r"#[^\n]*")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_POSTFIX = {"LPAR": "CALL", "LSQB": "INDEX"}
_SUMS = frozenset({"PLUS", "MINUS", "STAR", "SLASH"})
# An end of a range cannot reach over these, nor over a word of the language.
_RANGE_ENDS = frozenset({"CMP", "EQUAL", "COMMA", "_ARROW", "_DOTDOT"})
_KEYWORD = "_KW_"
_END = "_NL"
_LAST = "$END"


def read_outline(text: str) -> tuple[tuple[Statement, ...], Word]:
    r"""The statements of a text that the grammar accepts, and the empty word after them.

    Args:
        text: with `\n` at the end of lines.
    """
    reader = _Reader(text, list(_words(text)))
    return reader.statements(), reader.next


def _words(text: str) -> Iterator[Word]:
    """The tokens of the parser, with the comments that stand before them."""
    end = 0
    previous = ""
    for token in grammar.parser().parse_interactive(text, start=grammar.FILE).iter_parse():
        start = token.start_pos or 0
        if token.type == _END:
            yield Word(kind=_END, text="", start=start, end=start)
            continue
        kind = _kind(token.type, previous)
        remarks, blank = _between(text[end:start], first=end == 0)
        end = start + len(token)
        yield Word(
            kind=kind, text=str(token), start=start, end=end, remarks=remarks, blank=blank
        )
        previous = kind
    remarks, blank = _between(text[end:], first=end == 0)
    yield Word(
        kind=_LAST, text="", start=len(text), end=len(text), remarks=remarks, blank=blank
    )


def _kind(terminal: str, previous: str) -> str:
    after_value = previous in VALUE_ENDS
    if terminal in OPENERS and after_value:
        return _POSTFIX[terminal]
    return PREFIX if terminal == "MINUS" and not after_value else terminal


def _between(gap: str, *, first: bool) -> tuple[tuple[Remark, ...], bool]:
    """The comments between two words, and whether a blank line stands before the second."""
    remarks: list[Remark] = []
    end = 0
    for match in _REMARK.finditer(gap):
        before = gap[end : match.start()]
        trailing = not (remarks or first or "\n" in before)
        written = match[0].rstrip(" \t")
        # Two runs of `##` that a `;` kept apart must not become one.
        apart = bool(before.strip(" \t\n")) and written.startswith("##") and bool(remarks)
        blank = apart or _BLANK_LINE.search(before) is not None
        remarks.append(Remark(written, trailing, blank))
        end = match.end()
    return tuple(remarks), _BLANK_LINE.search(gap[end:]) is not None


class _Reader:
    def __init__(self, text: str, found: list[Word]) -> None:
        self.text = text
        self.found = found
        self.at = 0

    @property
    def next(self) -> Word:
        return self.found[self.at]

    def take(self) -> Word:
        word = self.next
        self.at += 1
        return word

    def statements(self) -> tuple[Statement, ...]:
        """The statements up to a `}` or the end of the text."""
        read: list[Statement] = []
        while True:
            while self.next.kind == _END:
                self.take()
            if self.next.kind in ("RBRACE", _LAST):
                return tuple(read)
            read.append(self._statement())

    def _statement(self) -> Statement:
        items: list[Item] = []
        while self.next.kind not in (_END, _LAST, "LBRACE", "RBRACE"):
            items.append(self._item())
        body = self._body() if self.next.kind == "LBRACE" else None
        return Statement(_with_tight_ranges(items), body)

    def _body(self) -> Body:
        opening = self.take()
        statements = self.statements()
        closing = self.take()
        empty = not (statements or closing.remarks)
        one_line = empty or "\n" not in self.text[opening.start : closing.end]
        return Body(opening, statements, closing, one_line)

    def _item(self) -> Item:
        return self._bracket() if self._opens() else self.take()

    def _opens(self) -> bool:
        return self.next.kind in OPENERS or self.next.kind in _POSTFIX.values()

    def _bracket(self) -> Bracket:
        opening = self.take()
        pieces: list[Piece] = []
        while self.next.kind not in CLOSERS:
            pieces.append(self._piece())
        closing = self.take()
        inside = bool(closing.remarks) or any(map(_remarked_piece, pieces))
        return Bracket(opening, tuple(pieces), closing, remarked=inside)

    def _piece(self) -> Piece:
        items: list[Item] = []
        while self.next.kind not in CLOSERS and self.next.kind != "COMMA":
            items.append(self._item())
        comma = self._comma() if self.next.kind == "COMMA" else None
        return Piece(_with_tight_ranges(items), comma)

    def _comma(self) -> Word:
        """A comma; comments before it are moved behind it, where they are expected."""
        comma = self.take()
        if comma.remarks and not self.next.remarks:
            self.found[self.at] = replace(self.next, remarks=comma.remarks)
            return replace(comma, remarks=())
        return comma


def _remarked_piece(piece: Piece) -> bool:
    words = (first_word(piece.items[0]), piece.comma)
    return remarked(piece.items) or any(word.remarks for word in words if word is not None)


def _with_tight_ranges(items: list[Item]) -> tuple[Item, ...]:
    """The same, with `..` told apart: `0..3`, but `n + 1 .. 99`."""
    return tuple(
        replace(item, kind=TIGHT)
        if isinstance(item, Word) and item.kind == "_DOTDOT" and _is_tight(items, number)
        else item
        for number, item in enumerate(items)
    )


def _is_tight(items: list[Item], number: int) -> bool:
    ends = (reversed(items[:number]), iter(items[number + 1 :]))
    return not any(_reaches_sum(end) for end in ends)


def _reaches_sum(items: Iterator[Item]) -> bool:
    """Whether a sum or product is met before the end of a range is over."""
    for item in items:
        if isinstance(item, Bracket):
            continue
        if item.kind in _RANGE_ENDS or item.kind.startswith(_KEYWORD):
            return False
        if item.kind in _SUMS:
            return True
    return False
