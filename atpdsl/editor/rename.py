"""Giving a name another name, everywhere in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from atpdsl.checking import vocabulary
from atpdsl.editor.collect import names_of
from atpdsl.editor.names import Names, Space, Symbol
from atpdsl.editor.reading import parsed
from atpdsl.elaboration.naming import NODE_NAME, reserved_words
from atpdsl.problems import Span
from atpdsl.semantics.slots import RESERVED

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WORDS = frozenset(("and", "or", "not", "in", "at", "as", "from", "where", "vs"))


class RefusedRenameError(Exception):
    """A name cannot be changed; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change of a text: what stands at `span` becomes `text`."""

    span: Span
    text: str


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    """A text with changes made, none of which overlap."""
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def renameable(text: str, offset: int, names: Names) -> Symbol:
    """The name at an offset.

    Raises:
        RefusedRenameError: when there is none that could be changed.
    """
    symbol = names.at(offset)
    if symbol is None:
        raise RefusedRenameError("there is no name of this spec here")
    elsewhere = next((one for one in symbol.definitions if one.path is not None), None)
    if elsewhere is not None and elsewhere.path is not None:
        raise RefusedRenameError(
            f"`{symbol.name}` is defined in `{elsewhere.path.name}`: rename it there"
        )
    if parsed(text).problems:
        raise RefusedRenameError("parts of this spec cannot be read: mend them first")
    return symbol


def rename(
    text: str, offset: int, new: str, names: Names, folder: Path | None = None
) -> tuple[Edit, ...]:
    """The changes that give the name at an offset another name.

    Args:
        text: the spec.
        offset: a place of the name.
        new: what it is to be called.
        names: those of the text.
        folder: the text's folder, for the names of included files.

    Raises:
        RefusedRenameError: when the spec would then mean something else.
    """
    symbol = renameable(text, offset, names)
    old = text[symbol.span.start : symbol.span.end]
    if new == old:
        return ()
    _check_word(new, symbol)
    edits = tuple(sorted(_edits(symbol, old, new), key=lambda edit: edit.span.start))
    _check_meaning(symbol, edits, new, names_of(applied(text, edits), folder))
    if parsed(applied(text, edits)).problems:
        raise RefusedRenameError(f"`{new}` cannot stand there")
    return edits


def _edits(symbol: Symbol, old: str, new: str) -> set[Edit]:
    """One change per place; `method atp`, whose name is not written, gets one."""
    implied = {one.span for one in symbol.definitions if one.implied}
    spans = {one.span for one in symbol.definitions} | {use.span for use in symbol.uses}
    return {
        Edit(span=span, text=f"{new} = {old}" if span in implied else new) for span in spans
    }


def _check_word(new: str, symbol: Symbol) -> None:
    if not _NAME.fullmatch(new) or new in WORDS:
        raise RefusedRenameError(
            f"`{new}` is no name: letters, digits and `_` make one, and no digit first"
        )
    spaces = {one.key.space for one in symbol.definitions}
    taken = reserved_words(vocabulary()) if Space.VALUE in spaces else frozenset(RESERVED)
    if new in taken or (Space.VALUE in spaces and NODE_NAME.fullmatch(new)):
        raise RefusedRenameError(f"`{new}` means something else already")


def _check_meaning(symbol: Symbol, edits: tuple[Edit, ...], new: str, names: Names) -> None:
    """Refuses a change after which other places would bear the name, or fewer.

    `names` are those of the changed text.
    """
    wanted = _moved(edits, new)
    found = names.at(wanted[0].start) if wanted else None
    spans: set[Span] = set()
    if found is not None:
        spans = {one.span for one in found.definitions} | {one.span for one in found.uses}
    same = sorted(spans, key=_start) == wanted
    alone = found is not None and len(found.definitions) == len(symbol.definitions)
    if not same or not alone:
        raise RefusedRenameError(f"there is another `{new}` already")


def _moved(edits: tuple[Edit, ...], new: str) -> list[Span]:
    """Where the name stands in the changed text."""
    spans: list[Span] = []
    shift = 0
    for edit in edits:
        start = edit.span.start + shift
        spans.append(Span(start, start + len(new)))
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    return spans


def _start(span: Span) -> int:
    return span.start
