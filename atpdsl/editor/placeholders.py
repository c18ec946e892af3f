"""`{S}`, `{yy:02 as YY}` and `{row.name as N}` in strings, also in unfinished ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from atpdsl.problems import Span
from atpdsl.syntax import tree as t

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_NAME = re.compile(r"\s*([A-Za-z_]\w*)", re.ASCII)
_LABEL = re.compile(r"\bas\s+([A-Za-z_]\w*)\s*$", re.ASCII)
_UNFINISHED = re.compile(r"(?:^|[^{])(?:\{\{)*\{([^{}]*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """The names of one `{...}`: `slot` is read there, `label` is given to the place."""

    slot: t.Name | None
    label: t.Name | None
    span: Span


def placeholders(string: t.String) -> Iterator[Placeholder]:
    """The placeholders of a string with their places in the source; raw ones have none."""
    if string.raw:
        return
    for braces in _BRACES.finditer(string.value):
        if braces[1] is None:
            continue
        start = braces.start(1)
        slot, label = _NAME.match(braces[1]), _LABEL.search(braces[1])
        yield Placeholder(
            slot=_placed(string, slot, start),
            label=_placed(string, label, start),
            span=string.place(braces.start(), braces.end()),
        )


def _placed(string: t.String, found: re.Match[str] | None, start: int) -> t.Name | None:
    if found is None:
        return None
    return t.Name(found[1], string.place(start + found.start(1), start + found.end(1)))


def unfinished(text: str) -> str | None:
    """What stands behind a `{` that is still open at the end of a text, None if none is."""
    found = _UNFINISHED.search(text)
    return None if found is None else found[1]
