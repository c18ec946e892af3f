"""Words in a row, with the spaces that belong between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from atpdsl.formatting.outline import (
    PREFIX,
    TIGHT,
    VALUE_ENDS,
    Bracket,
    Item,
    Statement,
    Word,
)
from atpdsl.problems.clean import columns

SEMICOLON = Word(kind="SEMICOLON", text=";", start=-1, end=-1)
# Nothing so wide is ever put on a line, so what follows does not matter.
FAR_TOO_WIDE = 400
_NO_SPACE_AFTER = frozenset({"LPAR", "LSQB", "CALL", "INDEX", "DOT", PREFIX})
_NO_SPACE_BEFORE = frozenset({"RPAR", "RSQB", "CALL", "INDEX", "DOT", "COMMA", "SEMICOLON"})
_VALUE_STARTS = frozenset({"NAME", "NUMBER", "STRING", "RAW", "LONG", "LPAR", "LSQB", PREFIX})

# Where words begin -> spaces that are put before them to align them.
Pads = Mapping[int, int]


def space(before: Word, word: Word) -> str:
    """What stands between two words on a line."""
    if before.kind in _NO_SPACE_AFTER or word.kind in _NO_SPACE_BEFORE:
        return ""
    if word.kind == TIGHT and before.kind in VALUE_ENDS:
        return ""
    if before.kind == TIGHT and word.kind in _VALUE_STARTS:
        return ""
    return "" if before.kind == "LBRACE" and word.kind == "RBRACE" else " "


def in_a_row(found: Iterable[Word], pads: Pads) -> Iterator[tuple[str, Word]]:
    """Words with the spaces before them; none before the first."""
    before: Word | None = None
    for word in found:
        gap = "" if before is None else space(before, word) + " " * pads.get(word.start, 0)
        yield gap, word
        before = word


def flat(found: Iterable[Word], pads: Pads) -> str:
    """Words as they stand on one line; not all of them if they do not fit on any."""
    parts: list[str] = []
    width = 0
    for gap, word in in_a_row(found, pads):
        parts.append(gap + word.text)
        width = 0 if "\n" in word.text else width + len(gap) + columns(word.text)
        if width > FAR_TOO_WIDE:
            break
    return "".join(parts)


def flat_items(items: Iterable[Item], pads: Pads) -> str:
    """Items as they stand on one line, without commas before closing brackets."""
    return flat(line_words(items), pads)


def line_words(items: Iterable[Item]) -> Iterator[Word]:
    """The words of items when they stand on one line."""
    for item in items:
        if isinstance(item, Bracket):
            yield from _bracket_words(item)
        else:
            yield item


def _bracket_words(bracket: Bracket) -> Iterator[Word]:
    yield bracket.opening
    last = len(bracket.pieces) - 1
    for number, piece in enumerate(bracket.pieces):
        yield from line_words(piece.items)
        if piece.comma is not None and number < last:
            yield piece.comma
    yield bracket.closing


def statement_line(statement: Statement) -> Iterator[Word]:
    """The words of a statement when it stands on one line, with its body."""
    yield from line_words(statement.items)
    body = statement.body
    if body is None:
        return
    yield body.opening
    for number, inner in enumerate(body.statements):
        if number:
            yield SEMICOLON
        yield from statement_line(inner)
    yield body.closing
