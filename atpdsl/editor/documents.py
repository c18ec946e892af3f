"""The texts that are open in an editor, and what was found out about each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.editor.collect import names_of
from atpdsl.editor.lines import Encoding, Lines
from atpdsl.editor.names import Names
from atpdsl.editor.reading import read_file

if TYPE_CHECKING:
    from atpdsl.checked import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text that is open.

    Attributes:
        path: its file, None for one that was never saved.
        version: as the editor counts its changes.
    """

    uri: str
    text: str
    version: int | None
    path: Path | None

    @property
    def folder(self) -> Path | None:
        """The folder of its file."""
        return None if self.path is None else self.path.parent

    @property
    def name(self) -> str:
        """What messages call it."""
        return "untitled.atp" if self.path is None else str(self.path)


class Documents:
    """All texts that are open, by URI."""

    def __init__(self) -> None:
        self.encoding = Encoding.UTF16
        self._open: dict[str, Document] = {}
        self._studies: dict[str, tuple[Document, Study]] = {}

    def put(self, document: Document) -> None:
        """A text that was opened or changed."""
        self._open[document.uri] = document

    def drop(self, uri: str) -> None:
        """A text that was closed."""
        self._open.pop(uri, None)
        self._studies.pop(uri, None)

    def get(self, uri: str) -> Document | None:
        """An open text."""
        return self._open.get(uri)

    def all(self) -> tuple[Document, ...]:
        """Every open text."""
        return tuple(self._open.values())

    def lines(self, text: str) -> Lines:
        """A text's lines as the editor counts them."""
        return Lines(text, self.encoding)

    def names(self, document: Document) -> Names:
        """The names of a text; included files are read as they are on the screen."""
        return names_of(document.text, document.folder, self.read)

    def read(self, path: Path) -> str | None:
        """The text of a file, as it is on the screen if it is open."""
        for document in self._open.values():
            if document.path is not None and document.path.resolve() == path:
                return document.text
        return read_file(path)

    # ---- what was found out ----

    def remember(self, document: Document, study: Study) -> None:
        """Keeps what was found out about a text until it is closed."""
        if document.uri in self._open:
            self._studies[document.uri] = (document, study)

    def study(self, document: Document) -> Study | None:
        """What was found out about this very text, None if nothing was."""
        known = self._studies.get(document.uri)
        return known[1] if known is not None and known[0].text == document.text else None

    def forget_study(self, document: Document) -> None:
        """Forgets what was found out, as a file that the text includes has changed."""
        self._studies.pop(document.uri, None)
