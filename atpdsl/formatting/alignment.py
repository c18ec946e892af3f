"""Which words of neighbouring statements stand below each other.

Settings at their `=`, slots at `in`, selections at `at`, and pairs at `->`, `{` and `vs`, as
long as no blank line, no statement of another kind and none of several lines stands between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from atpdsl.formatting.lines import WIDTH
from atpdsl.formatting.outline import (
    Item,
    Statement,
    Word,
    remarked_statement,
)
from atpdsl.formatting.spacing import Pads, flat, in_a_row, statement_line
from atpdsl.problems.clean import columns

# What stands left of an aligned word is no wider than this.
WIDEST = 40
_ASSIGNING = frozenset({"_KW_LET", "_KW_POS", "_KW_PARAM", "_KW_MODEL", "_KW_METRIC"}) | {
    "_KW_METHOD"
}
_PAIR = "_KW_PAIR"
_DRAWING = frozenset({"_KW_SLOT", "_KW_SWEEP"})


@dataclass(frozen=True, slots=True)
class Row:
    """A statement on one line that can be aligned.

    Attributes:
        family: rows of one family stand below each other.
        anchors: the words that are aligned, from left to right.
        line: all of its words.
    """

    family: str
    anchors: tuple[Word, ...]
    line: tuple[Word, ...]

    @property
    def is_pair(self) -> bool:
        """Whether it is a row of a table, which is aligned as a whole or not at all."""
        return self.family == _PAIR


def align(statements: Sequence[Statement], indent: int, *, in_body: bool) -> Pads:
    """The spaces that align the statements of a block."""
    pads: dict[int, int] = {}
    for run in _runs(statements, indent, in_body=in_body):
        _align_run(run, indent, pads)
    return pads


def opened(statements: Iterable[Statement], indent: int) -> frozenset[int]:
    """Where the pairs begin whose bodies are opened because that of a neighbour has to be."""
    found: set[int] = set()
    for together, run in groupby(statements, key=_is_short_pair):
        pairs = list(run)
        if together and not all(fits_on_a_line(pair, indent) for pair in pairs):
            found.update(pair.first.start for pair in pairs)
    return frozenset(found)


def _is_short_pair(statement: Statement) -> bool:
    body = statement.body
    return statement.first.kind == _PAIR and body is not None and body.one_line


def fits_on_a_line(statement: Statement, indent: int) -> bool:
    """Whether a statement, with a body that stood on one line, can stand on one."""
    body = statement.body
    if body is not None and not body.one_line:
        return False
    if remarked_statement(statement):
        return False
    line = flat(statement_line(statement), {})
    return "\n" not in line and indent + columns(line) <= WIDTH


def _runs(
    statements: Sequence[Statement], indent: int, *, in_body: bool
) -> Iterator[list[Row]]:
    """Neighbours of one family."""
    run: list[Row] = []
    open_pairs = opened(statements, indent)
    for statement in statements:
        row = _row(statement, indent, in_body=in_body)
        if statement.first.start in open_pairs:
            row = None
        first = statement.first
        apart = first.blank or any(remark.blank for remark in first.remarks)
        if run and (row is None or apart or row.family != run[0].family):
            yield run
            run = []
        if row is not None:
            run.append(row)
    yield run


def _row(statement: Statement, indent: int, *, in_body: bool) -> Row | None:
    if not fits_on_a_line(statement, indent):
        return None
    family, anchors = _anchors(statement, in_body=in_body)
    return Row(family, anchors, tuple(statement_line(statement))) if anchors else None


def _anchors(statement: Statement, *, in_body: bool) -> tuple[str, tuple[Word, ...]]:
    """The family of a statement and the words that are aligned in it."""
    items, first = statement.items, statement.first
    second, third = [*map(_kind, items[:3]), "", "", ""][1:3]
    if first.kind == "NAME" and second == "EQUAL":
        return "=", _first_of(items, "EQUAL")
    if first.kind in _ASSIGNING:
        family = "=" if in_body else first.kind
        return family, _first_of(items, "EQUAL") if third == "EQUAL" else ()
    if first.kind in _DRAWING:
        return first.kind, _first_of(items, "_KW_IN")
    if first.kind == "_KW_CORRUPT":
        return first.kind, _first_of(items, "_ARROW")
    if first.kind == _PAIR:
        return first.kind, (*_first_of(items, "_ARROW"), *_answer(statement))
    if first.kind.startswith("_KW_") and first.kind != "_KW_NOT":
        return "", ()
    return _selection(statement)


def _kind(item: Item) -> str:
    return item.kind if isinstance(item, Word) else ""


def _selection(statement: Statement) -> tuple[str, tuple[Word, ...]]:
    places = _first_of(statement.items, "_KW_AT")
    if places:
        return "at", (*_first_of(statement.items, "_ARROW"), *places)
    body = statement.body
    return ("{", (body.opening,)) if body is not None else ("", ())


def _answer(statement: Statement) -> tuple[Word, ...]:
    """The brace of a pair's body, and the `vs` of its answer if that is all it has."""
    body = statement.body
    if body is None:
        return ()
    only = body.statements[0].items if len(body.statements) == 1 else ()
    return (body.opening, *_first_of(only, "_KW_VS"))


def _first_of(items: Iterable[Item], kind: str) -> tuple[Word, ...]:
    found = (item for item in items if isinstance(item, Word) and item.kind == kind)
    return tuple(found)[:1]


def _align_run(run: list[Row], indent: int, pads: dict[int, int]) -> None:
    """Adds the pads of a run, anchor by anchor, for the rows that stay on their line."""
    for number in range(max((len(row.anchors) for row in run), default=0)):
        rows = [row for row in run if len(row.anchors) > number]
        padded = _column_pads(rows, number, indent, pads)
        for row, pad in padded:
            pads[row.anchors[number].start] = pad
        if not padded:
            return


def _column_pads(
    rows: list[Row], number: int, indent: int, pads: Pads
) -> list[tuple[Row, int]]:
    """The pads of one column; a row that would become too long because of it is left out."""
    lefts = {id(row): _left(row, row.anchors[number], pads) for row in rows}
    rows = [row for row in rows if row.is_pair or number or lefts[id(row)] <= WIDEST]
    while rows:
        column = max(lefts[id(row)] for row in rows)
        padded = [(row, column - lefts[id(row)]) for row in rows]
        too_long = {
            id(row) for row, pad in padded if pad and _overflows(row, indent, pads, pad)
        }
        if not too_long:
            return padded
        rows = [row for row in rows if id(row) not in too_long and not row.is_pair]
    return []


def _overflows(row: Row, indent: int, pads: Pads, pad: int) -> bool:
    width = indent + columns(flat(row.line, pads))
    return width <= WIDTH < width + pad


def _left(row: Row, anchor: Word, pads: Pads) -> int:
    """How far a row reaches before a word."""
    width = 0
    for gap, word in in_a_row(row.line, pads):
        if word is anchor:
            return width
        width += len(gap) + columns(word.text)
    return width
