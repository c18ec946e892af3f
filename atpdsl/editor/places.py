"""Where a name is defined, where it is used, and which file an `include` opens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atpdsl.editor.names import Names
from atpdsl.editor.reading import included_file, parsed
from atpdsl.problems import Span
from atpdsl.syntax import tree as t


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of a file; `path` is None for the text that was asked about."""

    path: Path | None
    span: Span


def definitions(
    text: str, offset: int, names: Names, folder: Path | None = None
) -> tuple[Place, ...]:
    """Where the name at an offset gets its meaning, or the file that is included there."""
    for statement in parsed(text).tree.statements:
        if isinstance(statement, t.Include) and _within(statement.path.span, offset):
            path = included_file(statement.path.value, folder)
            exists = path is not None and path.is_file()
            return (Place(path=path, span=Span(0, 0)),) if exists else ()
    symbol = names.at(offset)
    found = symbol.definitions if symbol is not None else ()
    return tuple(Place(path=one.path, span=one.span) for one in found)


def references(offset: int, names: Names, *, declared: bool) -> tuple[Place, ...]:
    """Where the name at an offset is used; its definitions too, if `declared`."""
    symbol = names.at(offset)
    if symbol is None:
        return ()
    places = [Place(path=None, span=use.span) for use in symbol.uses]
    if declared:
        places += [Place(path=one.path, span=one.span) for one in symbol.definitions]
    return tuple(sorted(places, key=lambda place: (str(place.path or ""), place.span.start)))


def _within(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end
