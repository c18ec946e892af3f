"""What can be written in a line of `prompts`, behind the word that it begins with."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.editor import words
from atpdsl.editor.complete_nodes import is_open
from atpdsl.editor.cursor import Cursor
from atpdsl.editor.items import Item, ItemSort, calls_of, items_of
from atpdsl.editor.names import Names
from atpdsl.editor.offers import pair_formula, pair_names, places, values, word_lists

NOTHING: tuple[Item, ...] = ()
JOINS = ("and", "or", "in")


def prompts_line(cursor: Cursor, names: Names, scope: int | None) -> tuple[Item, ...]:
    """What may come next in a line."""
    match cursor.statement:
        case "slot":
            return _slot(cursor, names, scope)
        case "corrupt" if "->" in cursor.before:
            other = items_of((words.OTHER,), ItemSort.VALUE)
            return (*pair_names(names, scope), *other, *values(names))
        case "corrupt":
            return pair_names(names, scope)
        case "answer":
            return formula(cursor, names, scope, joins=("vs",))
        case "pos" if "=" in cursor.before:
            (pattern,) = calls_of((words.CALLS["match"],), quoted=True)
            return (
                *places(names, scope, spread=False),
                replace(pattern, snippet='match(r"$1")$0'),
            )
        case "let" if "=" in cursor.before:
            return formula(cursor, names, scope)
        case _:
            return NOTHING


def _slot(cursor: Cursor, names: Names, scope: int | None) -> tuple[Item, ...]:
    """Names, `in`, a list of words, and perhaps `where` and a condition."""
    before = cursor.before
    if "where" in before:
        return formula(cursor, names, scope)
    if "in" not in before:
        ready = len(before) > 1 and before[-1] != ","
        return items_of((words.OPERATORS["in"],), ItemSort.OPERATOR) if ready else NOTHING
    if is_open(cursor, "in"):
        return word_lists(names)
    return items_of((words.OPERATORS["where"],), ItemSort.OPERATOR)


def formula(
    cursor: Cursor, names: Names, scope: int | None, *, joins: tuple[str, ...] = JOINS
) -> tuple[Item, ...]:
    """Part of a formula, or a word that joins another part to it."""
    if not is_open(cursor, cursor.statement) and cursor.before[-1] != "where":
        return items_of([words.OPERATORS[word] for word in joins], ItemSort.OPERATOR)
    rows = cursor.owners[0] if cursor.owners else ()
    row = items_of((words.ROW,), ItemSort.VALUE) if "from" in rows else NOTHING
    return (*row, *pair_formula(names, scope))
