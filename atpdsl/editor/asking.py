"""The place that a request of an editor is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.editor import convert
from atpdsl.editor.documents import Document
from atpdsl.editor.lines import Lines

if TYPE_CHECKING:
    from lsprotocol import types

    from atpdsl.editor.server import SpecServer


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a place of an open text."""

    document: Document
    lines: Lines
    offset: int


def asked(server: SpecServer, uri: str, position: types.Position) -> Asked | None:
    """The place that a request is about; None if the text is not open."""
    document = server.documents.get(uri)
    if document is None:
        return None
    lines = server.documents.lines(document.text)
    return Asked(document, lines, convert.to_offset(lines, position))
