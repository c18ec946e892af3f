"""The names of a spec as items of completion."""

from __future__ import annotations

from atpdsl.editor import words
from atpdsl.editor.describe import in_words
from atpdsl.editor.items import Item, ItemSort, calls_of, items_of
from atpdsl.editor.names import Definition, Names, Sort, Space

PLACE_SORTS = (Sort.SLOT, Sort.PLACE, Sort.POSITION)


def names_in(names: Names, space: Space, scope: int | None = None) -> tuple[Item, ...]:
    """The names of a space."""
    return tuple(_item(found, ItemSort.NAME) for found in names.visible(space, scope))


def values(names: Names) -> tuple[Item, ...]:
    """The names of `let`, `param`, `sweep` and included files."""
    return names_in(names, Space.VALUE)


def pair_names(names: Names, scope: int | None) -> tuple[Item, ...]:
    """The names of a set of prompts."""
    return names_in(names, Space.PAIR, scope)


def pair_formula(names: Names, scope: int | None) -> tuple[Item, ...]:
    """What a formula may be made of."""
    functions = calls_of(words.FUNCTION_WORDS, quoted=False)
    return (*pair_names(names, scope), *values(names), *functions)


def places(names: Names, scope: int | None, *, spread: bool) -> tuple[Item, ...]:
    """What may stand behind `at`; `spread` includes what is more than one place."""
    own = tuple(
        _item(found, ItemSort.PLACE)
        for found in names.visible(Space.PAIR, scope)
        if found.sort in PLACE_SORTS
    )
    fixed = words.PLACES.values() if spread else (words.PLACES["last"],)
    return (*own, *items_of(fixed, ItemSort.PLACE))


def _item(found: Definition, sort: ItemSort) -> Item:
    return Item(label=found.name, sort=sort, detail=found.sort.value, doc=in_words(found))


def word_lists(names: Names) -> tuple[Item, ...]:
    """Where words may come from."""
    lists = (
        *calls_of((words.SOURCES["lines"],), quoted=True),
        *calls_of((words.SOURCES["table"],), quoted=False),
    )
    return (*values(names), *lists)
