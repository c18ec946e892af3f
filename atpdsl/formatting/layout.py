"""From the outline of a spec to its text.

A statement stands on one line if it fits. Otherwise its widest bracket is opened, with two more
columns of indentation inside, or it goes on below after a comma or an operator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atpdsl.formatting.alignment import align, fits_on_a_line, opened
from atpdsl.formatting.lines import Lines
from atpdsl.formatting.outline import (
    Body,
    Bracket,
    Item,
    Piece,
    Statement,
    Word,
    first_word,
    last_word,
    remarked,
)
from atpdsl.formatting.spacing import flat, flat_items, space, statement_line
from atpdsl.problems.clean import columns

STEP = 2
# Pieces of brackets that are no wider may share a line.
SHORT = 48
_LISTS = frozenset({"COMMA", "_ARROW"})
_OPERATORS = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "CMP"})
_JOINTS = frozenset({"_KW_AND", "_KW_OR"})


def lay_out(statements: Sequence[Statement], last: Word) -> str:
    """The text of a spec.

    Args:
        statements: all of them.
        last: the empty word at the end, with the comments before it.
    """
    layout = _Layout()
    layout.block(statements, 0, in_body=False)
    return layout.lines.finish(last)


class _Layout:
    def __init__(self) -> None:
        self.lines = Lines()
        self.pads: dict[int, int] = {}

    # ---- statements ----

    def block(self, statements: Sequence[Statement], indent: int, *, in_body: bool) -> None:
        """Writes statements, each on lines of its own."""
        self.pads.update(align(statements, indent, in_body=in_body))
        open_pairs = opened(statements, indent)
        for statement in statements:
            self.lines.begin(statement.first, indent)
            one_line = statement.first.start not in open_pairs
            self._statement(statement, indent, one_line=one_line)

    def _statement(self, statement: Statement, indent: int, *, one_line: bool) -> None:
        line = flat(statement_line(statement), self.pads)
        if one_line and fits_on_a_line(statement, indent) and self.lines.fits(line):
            self.lines.put(line)
            return
        tail = 0 if statement.body is None else len(" {")
        self.lines_of(statement.items, tail, indent + _hanging(statement), wide=True)
        if statement.body is not None:
            self._body(statement.body, indent)

    def _body(self, body: Body, indent: int) -> None:
        self.lines.put(" {")
        if not body.statements and not body.closing.remarks:
            self.lines.put("}")
            return
        self.lines.open_block()
        self.block(body.statements, indent + STEP, in_body=True)
        self.lines.end_block(body.closing, indent)
        self.lines.put("}")

    # ---- words ----

    def lines_of(self, items: Sequence[Item], tail: int, below: int, *, wide: bool) -> None:
        """Writes items, on one line if they fit.

        Args:
            items: of a statement or of a piece of a bracket; comments before the first are
                written already.
            tail: columns to leave free for what follows.
            below: the indentation of what goes on below.
            wide: whether newlines mean something, so that few places are left for them.
        """
        line = flat_items(items, self.pads)
        commented = remarked(items)
        if not commented and self.lines.fits(line, tail):
            self.lines.put(line)
            return
        opened = None if commented else self._widest(items, tail)
        breaks = self._breaks(items, wide=wide) if opened is None else frozenset()
        for number, item in enumerate(items):
            if number:
                self._join(items, number, tail, below, breaks)
            if isinstance(item, Word):
                self.lines.put(item.text)
            else:
                self._bracket(item, opened=item is opened)

    def _join(
        self, items: Sequence[Item], number: int, tail: int, below: int, breaks: frozenset[str]
    ) -> None:
        """Writes what stands before an item: a space, or the end of the line."""
        word = first_word(items[number])
        before = last_word(items[number - 1])
        gap = space(before, word) + " " * self.pads.get(word.start, 0)
        fits = before.kind not in breaks or self._part_fits(items, number, tail, gap, breaks)
        if word.remarks or not fits:
            self.lines.go_on(word, below)
        else:
            self.lines.put(gap)

    def _part_fits(
        self, items: Sequence[Item], number: int, tail: int, gap: str, breaks: frozenset[str]
    ) -> bool:
        """Whether the items up to the next place for a break fit on the line."""
        part: list[Item] = []
        for item in items[number:]:
            part.append(item)
            if isinstance(item, Word) and item.kind in breaks:
                return self.lines.fits(gap + flat_items(part, self.pads))
        return self.lines.fits(gap + flat_items(part, self.pads), tail)

    def _breaks(self, items: Sequence[Item], *, wide: bool) -> frozenset[str]:
        """The words after which lines may end."""
        kinds = {item.kind for item in items if isinstance(item, Word)}
        if kinds & _LISTS:
            return _LISTS
        return _OPERATORS if wide else _OPERATORS | _JOINTS

    def _widest(self, items: Sequence[Item], tail: int) -> Bracket | None:
        """The bracket to open, if what is before it then fits, and it is most of the line."""
        if _is_list(items):
            return None
        brackets = [item for item in items if isinstance(item, Bracket) and item.pieces]
        if not brackets:
            return None
        widths = {id(b): columns(flat_items((b,), self.pads)) for b in brackets}
        widest = max(brackets, key=lambda bracket: widths[id(bracket)])
        before = items[: next(n for n, item in enumerate(items) if item is widest)]
        helps = self.lines.fits(flat_items(before, self.pads), len(" ["))
        return widest if helps and widths[id(widest)] > tail + len("[]") else None

    # ---- brackets ----

    def _bracket(self, bracket: Bracket, *, opened: bool) -> None:
        line = flat_items((bracket,), self.pads)
        if not bracket.remarked and not (opened and bracket.pieces) and self.lines.fits(line):
            self.lines.put(line)
            return
        outer = self.lines.indent
        self.lines.put(bracket.opening.text)
        filled = self._is_filled(bracket)
        for number, piece in enumerate(bracket.pieces):
            self._piece(bracket, piece, outer + STEP, filled=filled and number > 0)
        if bracket.pieces or bracket.closing.remarks:
            self.lines.go_on(bracket.closing, outer, outer + STEP)
        self.lines.put(bracket.closing.text)

    def _is_filled(self, bracket: Bracket) -> bool:
        """Whether several pieces share a line: those of lists and tables, if all are short."""
        pieces = [piece.items for piece in bracket.pieces]
        rows = all(isinstance(items[0], Bracket) and len(items) == 1 for items in pieces)
        if bracket.opening.kind not in ("LSQB", "INDEX") and not rows:
            return False
        return all(columns(flat_items(items, self.pads)) <= SHORT for items in pieces)

    def _piece(self, bracket: Bracket, piece: Piece, inner: int, *, filled: bool) -> None:
        first = first_word(piece.items[0])
        written = flat_items(piece.items, self.pads)
        if filled and not first.remarks and self.lines.fits(" " + written, len(",")):
            self.lines.put(" ")
        else:
            self.lines.go_on(first, inner)
        self.lines_of(piece.items, len(","), inner + 2 * STEP, wide=False)
        if piece.comma is not None and piece.comma.remarks:
            self.lines.go_on(piece.comma, inner)
        if piece is not bracket.pieces[-1] or bracket.takes_last_comma:
            self.lines.put(",")


def _hanging(statement: Statement) -> int:
    """How much further in the lines begin on which a statement goes on."""
    return len("export ") if statement.first.kind == "_KW_EXPORT" else 2 * STEP


def _is_list(items: Sequence[Item]) -> bool:
    """Whether items are the list of an `export` or a selection."""
    kinds = [item.kind for item in _top(items)]
    selects = bool(kinds) and not kinds[0].startswith("_KW_") and "EQUAL" not in kinds[:2]
    return "COMMA" in kinds and (selects or kinds[0] == "_KW_EXPORT")


def _top(items: Sequence[Item]) -> Iterator[Word]:
    return (item for item in items if isinstance(item, Word))
