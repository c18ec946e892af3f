"""What the formatter sees of a spec: statements, words, brackets, and remarks between them.

The words are the tokens that the parser took, so the outline is exact. Nothing is lost that
could be written back, unlike in the tree of `atpdsl.syntax.tree`, which knows no parentheses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

OPENERS = frozenset({"LPAR", "LSQB"})
# Those that follow a value: calls, and what stands in brackets after a kind of nodes.
POSTFIX = frozenset({"CALL", "INDEX"})
CLOSERS = frozenset({"RPAR", "RSQB"})
VALUE_ENDS = frozenset({"NAME", "NUMBER", "STRING", "RAW", "LONG", *CLOSERS})
# A `-` before a value, and a `..` that stands close to its ends.
PREFIX, TIGHT = "PREFIX", "TIGHT"


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment.

    Attributes:
        trailing: it stands on the line of the word before it.
        blank: a blank line stands before it.
    """

    text: str
    trailing: bool
    blank: bool

    @property
    def is_doc(self) -> bool:
        """Whether it may belong to a statement."""
        return self.text.startswith("##")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A token, and what stands before it.

    Attributes:
        kind: the name of its terminal, or one of those above.
        remarks: the comments between the word before and this one.
        blank: a blank line stands before it, after the remarks.
        start, end: where it stands.
    """

    kind: str
    text: str
    start: int
    end: int
    remarks: tuple[Remark, ...] = ()
    blank: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands between two commas of a bracket, with the comma that follows it."""

    items: tuple[Item, ...]
    comma: Word | None


@dataclass(frozen=True, slots=True)
class Bracket:
    """`(...)` or `[...]`."""

    opening: Word
    pieces: tuple[Piece, ...]
    closing: Word

    @property
    def takes_last_comma(self) -> bool:
        """Whether a comma may stand before the closing bracket."""
        return self.opening.kind in ("CALL", "LSQB")


Item = Word | Bracket


@dataclass(frozen=True, slots=True)
class Body:
    """`{ ... }`; `one_line` if it stood on one, or is empty."""

    opening: Word
    statements: tuple[Statement, ...]
    closing: Word
    one_line: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement: its words, commas among them, and its body."""

    items: tuple[Item, ...]
    body: Body | None

    @property
    def first(self) -> Word:
        """Its first word, before which its comments stand."""
        return next(words(self.items))


def words(items: Iterable[Item]) -> Iterator[Word]:
    """All words in order, those in brackets too."""
    for item in items:
        if isinstance(item, Word):
            yield item
            continue
        yield item.opening
        for piece in item.pieces:
            yield from words(piece.items)
            if piece.comma is not None:
                yield piece.comma
        yield item.closing


def body_words(body: Body) -> Iterator[Word]:
    """All words of a body, its braces included."""
    yield body.opening
    for statement in body.statements:
        yield from statement_words(statement)
    yield body.closing


def statement_words(statement: Statement) -> Iterator[Word]:
    """All words of a statement, those of its body included."""
    yield from words(statement.items)
    if statement.body is not None:
        yield from body_words(statement.body)


def has_remarks(found: Iterable[Word], *, after: Word | None = None) -> bool:
    """Whether a comment stands between words; that before the word `after` does not count."""
    return any(word.remarks for word in found if word is not after)
