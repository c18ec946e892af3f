"""What can be written behind `name =`."""

from __future__ import annotations

from atpdsl.editor import words
from atpdsl.editor.collect import SETTING_SPACES
from atpdsl.editor.complete_nodes import is_open
from atpdsl.editor.complete_prompts import formula
from atpdsl.editor.cursor import Cursor
from atpdsl.editor.items import Item, ItemSort, calls_of, items_of
from atpdsl.editor.names import Names
from atpdsl.editor.offers import names_in, values
from atpdsl.semantics.schema import Key, Shape

KEEPS = (words.CALLS["top"], words.CALLS["threshold"])
FORMULA_KEYS = (("prompts", "keep"), ("prompts", "clean"), ("prompts", "corrupted"))


def setting_value(
    cursor: Cursor, shape: Shape | None, names: Names, scope: int | None
) -> tuple[Item, ...]:
    """The values of the setting that the place is behind the `=` of."""
    word, name = cursor.owner, cursor.before[0]
    if (word, name) in FORMULA_KEYS:
        return formula(cursor, names, scope)
    if name == "flag" and word in words.QUANTITIES:
        return _flag(cursor, names)
    if not is_open(cursor, "="):
        return ()
    if (word, name) == ("circuit", "keep"):
        return (*calls_of(KEEPS, quoted=False), *values(names))
    if (word, name) == ("verify", "stop_when"):
        return _stop(cursor, names)
    spaces = SETTING_SPACES.get((word, name))
    if spaces is not None:
        return tuple(item for space in spaces for item in names_in(names, space))
    key = None if shape is None else shape.key(name)
    return (*_choices(key), *values(names))


def _flag(cursor: Cursor, names: Names) -> tuple[Item, ...]:
    """A condition on what a diagnostic knows of a node."""
    if is_open(cursor, "="):
        quantities = items_of(words.QUANTITIES[cursor.owner], ItemSort.VALUE)
        return (*quantities, *values(names))
    joins = [words.OPERATORS[word] for word in ("and", "or", "not")]
    return items_of(joins, ItemSort.OPERATOR)


def _stop(cursor: Cursor, names: Names) -> tuple[Item, ...]:
    """`misses(top = 10) < 5%`."""
    if cursor.before.count("(") > cursor.before.count(")"):
        given = cursor.before[-1] == "="
        return values(names) if given else items_of((words.ARGUMENTS["top"],), ItemSort.KEY)
    begun = len(cursor.before) > 2
    return values(names) if begun else calls_of((words.STOP,), quoted=False)


def _choices(key: Key | None) -> tuple[Item, ...]:
    if key is None:
        return ()
    if key.type == "bool":
        return items_of(words.SWITCHES, ItemSort.VALUE)
    return tuple(
        Item(
            label=choice,
            sort=ItemSort.VALUE,
            detail="default" if choice == key.default else "",
        )
        for choice in key.choices
    )
