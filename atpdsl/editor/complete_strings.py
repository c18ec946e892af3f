"""What can be written inside a string."""

from __future__ import annotations

import re
from pathlib import Path

from atpdsl.editor.columns import column_items
from atpdsl.editor.cursor import Cursor
from atpdsl.editor.items import Completion, Item, ItemSort
from atpdsl.editor.names import Names
from atpdsl.editor.offers import pair_names, values
from atpdsl.editor.placeholders import unfinished
from atpdsl.editor.reading import SUFFIX
from atpdsl.elaboration.including import LIBRARY, library_names
from atpdsl.models.catalogue import ADDABLE, EMBEDDED
from atpdsl.problems import Span

MOST_FILES = 200
_WORD = re.compile(r"[A-Za-z_0-9]*$")
_ROW = re.compile(r"\s*row\.([\w.]*)")
_QUOTES = re.compile(r'r?"{1,3}')


def in_string(
    cursor: Cursor, names: Names, scope: int | None, folder: Path | None
) -> Completion:
    """What can be written at a place inside a string."""
    string = cursor.string or Span(cursor.offset, cursor.offset)
    quotes = _QUOTES.match(cursor.text, string.start)
    start = min(string.start if quotes is None else quotes.end(), cursor.offset)
    typed = cursor.text[start : cursor.offset]
    raw = cursor.text.startswith("r", string.start)
    inside = None if raw else unfinished(typed)
    if inside is not None:
        found = _in_row(inside, cursor, folder)
        return found or _in_braces(inside, cursor, names, scope)
    span = Span(start, cursor.offset)
    match cursor.statement:
        case "model" if not cursor.owners:
            return Completion(items=_models(), span=span)
        case "include":
            return Completion(items=_files(folder), span=span)
        case _:
            return Completion(items=(), span=span)


def _in_row(inside: str, cursor: Cursor, folder: Path | None) -> Completion | None:
    """The columns behind `{row.`; None where something else is written."""
    path = _ROW.fullmatch(inside)
    if path is None or not cursor.owners:
        return None
    items = column_items(cursor.owners[0], folder)
    return Completion(items=items, span=Span(cursor.offset - len(path[1]), cursor.offset))


def _in_braces(inside: str, cursor: Cursor, names: Names, scope: int | None) -> Completion:
    """The names that a placeholder may begin with."""
    word = _WORD.search(inside)
    typed = "" if word is None else word[0]
    span = Span(cursor.offset - len(typed), cursor.offset)
    if inside.strip() != typed:
        return Completion(items=(), span=span)
    pairs = cursor.owners[0][0] == "prompts" if cursor.owners else cursor.statement == "metric"
    own = pair_names(names, scope) if pairs else ()
    return Completion(items=(*own, *values(names)), span=span)


def _models() -> tuple[Item, ...]:
    embedded = tuple(
        Item(label=one.name, sort=ItemSort.MODEL, detail="embedded", doc=one.summary)
        for one in EMBEDDED
    )
    added = tuple(
        Item(
            label=one.name,
            sort=ItemSort.MODEL,
            detail="after `atpdsl model add`",
            doc=f"{one.summary} ({one.licence})",
        )
        for one in ADDABLE
    )
    return (*embedded, *added)


def _files(folder: Path | None) -> tuple[Item, ...]:
    library = tuple(
        Item(label=f"{LIBRARY}{name}", sort=ItemSort.FILE, detail="library")
        for name in library_names()
    )
    try:
        beside = sorted(path.name for path in folder.glob(f"*{SUFFIX}")) if folder else []
    except OSError:
        beside = []
    own = tuple(Item(label=name, sort=ItemSort.FILE) for name in beside[:MOST_FILES])
    return (*library, *own)
