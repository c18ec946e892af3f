"""What can be written in a line of `nodes` or of `expect`."""

from __future__ import annotations

from itertools import pairwise

from atpdsl.editor import words
from atpdsl.editor.cursor import Cursor
from atpdsl.editor.items import Item, ItemSort, items_of
from atpdsl.editor.names import Names, Space
from atpdsl.editor.offers import names_in, places, values

# After these another part of an expression is wanted.
CONTINUING = frozenset(
    (
        *(",", "+", "-", "*", "/", "(", "[", "->", "..", "=", "vs"),
        *("==", "!=", "<", ">", "<=", ">=", "and", "or", "not", "in"),
    )
)


def kinds(cursor: Cursor) -> tuple[Item, ...]:
    """Kinds of nodes; behind `heads.` only the part that is missing."""
    first = cursor.before[-2] if cursor.before[-1:] == (".",) and len(cursor.before) > 1 else ""
    if not first:
        return items_of(words.KINDS, ItemSort.KIND)
    return tuple(
        Item(label=kind.name.removeprefix(f"{first}."), sort=ItemSort.KIND, detail=kind.doc)
        for kind in words.KINDS.values()
        if kind.name.startswith(f"{first}.")
    )


def selection(cursor: Cursor, names: Names) -> tuple[Item, ...]:
    """A line of `nodes`: kinds, then `at` and places, then `where` and conditions."""
    before = cursor.before
    if "where" in before:
        axes = items_of(words.AXIS_WORDS, ItemSort.VALUE)
        joins = [words.OPERATORS[word] for word in ("and", "or", "not", "in")]
        return axes if is_open(cursor, "where") else items_of(joins, ItemSort.OPERATOR)
    if before.count("[") > before.count("]"):
        return values(names)
    if "at" in before:
        if is_open(cursor, "at"):
            return places(names, None, spread=True)
        return items_of((words.OPERATORS["where"],), ItemSort.OPERATOR)
    if before[-1] in (",", ".", "->"):
        return kinds(cursor)
    return items_of((words.OPERATORS["at"], words.OPERATORS["where"]), ItemSort.OPERATOR)


def expectation(cursor: Cursor, names: Names) -> tuple[Item, ...]:
    """A line of `expect`: functions of the result, and what they are asked about."""
    if cursor.before[-1:] == ("at",):
        return places(names, None, spread=False)
    if cursor.before.count("(") <= cursor.before.count(")"):
        return items_of(words.EXPECT_WORDS, ItemSort.FUNCTION)
    if cursor.before[-1] not in ("(", ",", ".", "="):
        return items_of((words.OPERATORS["at"],), ItemSort.OPERATOR)
    truth = items_of((words.TRUTH_WORD,), ItemSort.VALUE)
    arguments = items_of(words.ARGUMENTS_OF.get(_called(cursor), ()), ItemSort.KEY)
    asked = words.ASKED_WORDS.get(_called(cursor))
    if asked is not None:
        return (*items_of(asked, ItemSort.VALUE), *arguments, *names_in(names, Space.METHOD))
    return (*arguments, *names_in(names, Space.METHOD), *truth, *kinds(cursor))


def _called(cursor: Cursor) -> str:
    """The function whose brackets are open, "" for none."""
    opened: list[str] = []
    for before, sign in pairwise(("", *cursor.before)):
        if sign == "(":
            opened.append(before)
        elif sign == ")" and opened:
            opened.pop()
    return opened[-1] if opened else ""


def is_open(cursor: Cursor, word: str) -> bool:
    """Whether another item is wanted behind `word`."""
    return cursor.before[-1] == word or cursor.before[-1] in CONTINUING
