"""What completion offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from atpdsl.editor.words import Word
from atpdsl.problems import Span


class ItemSort(StrEnum):
    """What an item is, for the sign that an editor puts before it."""

    STATEMENT = "statement"
    KEY = "key"
    VALUE = "value"
    KIND = "kind"
    FUNCTION = "function"
    NAME = "name"
    PLACE = "place"
    MODEL = "model"
    FILE = "file"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that can be written.

    Attributes:
        label: what is shown, and written if `insert` is empty.
        detail: a few words beside it.
        doc: Markdown.
        snippet: what is written by an editor that can fill in places, `$0` and `${1:word}`.
    """

    label: str
    sort: ItemSort
    detail: str = ""
    doc: str = ""
    insert: str = ""
    snippet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Items, in the order in which they are shown, and the text that one takes the place of."""

    items: tuple[Item, ...]
    span: Span


def items_of(words: Iterable[Word] | Mapping[str, Word], sort: ItemSort) -> tuple[Item, ...]:
    """Words as items."""
    found = words.values() if isinstance(words, Mapping) else words
    return tuple(
        Item(label=word.name, sort=sort, detail=word.sort, doc=word.doc) for word in found
    )


def calls_of(words: Iterable[Word] | Mapping[str, Word], *, quoted: bool) -> tuple[Item, ...]:
    """Functions as items; `quoted` ones take a text."""
    found = words.values() if isinstance(words, Mapping) else words
    return tuple(
        Item(
            label=word.name,
            sort=ItemSort.FUNCTION,
            detail=word.call or word.sort,
            doc=word.doc,
            snippet=f'{word.name}("$1")$0' if quoted else f"{word.name}($1)$0",
        )
        for word in found
    )
