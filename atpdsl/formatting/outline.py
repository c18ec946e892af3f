"""What the formatter sees of a spec: statements, words, brackets, and remarks between them.

The words are the tokens that the parser took, so the outline is exact. Nothing is lost that
could be written back, unlike in the tree of `atpdsl.syntax.tree`, which knows no parentheses.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    """`(...)` or `[...]`.

    Attributes:
        remarked: a comment stands in it.
    """

    opening: Word
    pieces: tuple[Piece, ...]
    closing: Word
    remarked: bool

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
        return first_word(self.items[0])


def remarked(items: Iterable[Item]) -> bool:
    """Whether a comment stands in items; those before the first one do not count."""
    return any(
        (number and first_word(item).remarks) or (isinstance(item, Bracket) and item.remarked)
        for number, item in enumerate(items)
    )


def remarked_body(body: Body) -> bool:
    """Whether a comment stands in a body."""
    return bool(body.closing.remarks) or any(
        statement.first.remarks or remarked_statement(statement)
        for statement in body.statements
    )


def remarked_statement(statement: Statement) -> bool:
    """Whether a comment stands in a statement or its body."""
    body = statement.body
    return remarked(statement.items) or (body is not None and remarked_body(body))


def first_word(item: Item) -> Word:
    """The word that an item begins with."""
    return item if isinstance(item, Word) else item.opening


def last_word(item: Item) -> Word:
    """The word that an item ends with."""
    return item if isinstance(item, Word) else item.closing
