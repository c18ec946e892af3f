"""The language server: what is open in the editor, and what is wrong with it.

Specs are checked on a thread of their own, a moment after the last change. What was found out
about a text that has changed in the meantime is thrown away.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from atpdsl.checked import Study
from atpdsl.checking import Access, check_source
from atpdsl.editor.convert import NAME, to_diagnostic, to_range
from atpdsl.editor.diagnostics import Diagnostic, FileDiagnostics, diagnostics_of
from atpdsl.editor.documents import Document, Documents
from atpdsl.editor.explanations import explanation_file
from atpdsl.editor.lines import Encoding
from atpdsl.editor.publishing import Board, Shown
from atpdsl.problems import Source

# Seconds without a change before a text is checked.
PAUSE = 0.2
# More points of a sweep are alike, and would keep the editor waiting.
MOST_POINTS = 12


class SpecServer(LanguageServer):
    """A server for one editor."""

    def __init__(self) -> None:
        super().__init__(
            NAME,
            metadata.version("atpdsl"),
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
        )
        self.documents = Documents()
        self.board = Board()
        self.told_to_stop = False
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="check")
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._explained: dict[str, str | None] = {}

    # ---- texts ----

    def read_in(self, uri: str) -> None:
        """Takes over a text as the editor has it now, and checks it a moment later."""
        text_document = self.workspace.get_text_document(uri)
        encoding = self.workspace.position_encoding or Encoding.UTF16
        self.documents.encoding = Encoding(getattr(encoding, "value", encoding))
        path = uris.to_fs_path(uri)
        document = Document(
            uri=uri,
            text=text_document.source,
            version=text_document.version,
            path=None if path is None else Path(path),
        )
        fresh = self.documents.get(uri) is None
        self.documents.put(document)
        self.check_soon(uri, pause=0 if fresh else PAUSE)

    def close(self, uri: str) -> None:
        """Forgets a text."""
        task = self._checks.pop(uri, None)
        if task is not None:
            task.cancel()
        self.documents.drop(uri)
        for shown in (uri, *self.board.drop(uri)):
            self._publish(shown)

    def uri_of(self, path: Path) -> str:
        """The URI of a file: the editor's own if it is open."""
        for document in self.documents.all():
            if document.path is not None and document.path.resolve() == path:
                return document.uri
        return uris.from_fs_path(str(path)) or path.as_uri()

    # ---- checking ----

    def check_soon(self, uri: str, *, pause: float) -> None:
        """Checks a text after a pause, unless it changes before."""
        running = self._checks.pop(uri, None)
        if running is not None:
            running.cancel()
        self._checks[uri] = asyncio.get_running_loop().create_task(self._check(uri, pause))

    async def _check(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        document = self.documents.get(uri)
        if document is None:
            return
        study = await self.study(document)
        if study is None or self.documents.get(uri) is not document:
            return
        found = {
            self._uri(file.path, uri): Shown(text=file.text, diagnostics=file.diagnostics)
            for file in diagnostics_of(study)
            if self._is_on_screen(file)
        }
        for changed in self.board.put(uri, found):
            self._publish(changed)

    async def study(self, document: Document) -> Study | None:
        """What can be known of a text; None where it has changed, or our code has failed."""
        known = self.documents.study(document)
        if known is not None:
            return known
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._worker, self._study, document)
        (study,) = await asyncio.gather(work, return_exceptions=True)
        if isinstance(study, BaseException):
            self._tell_bug(document, study)
            return None
        if study is not None:
            self.documents.remember(document, study)
        return study

    def _study(self, document: Document) -> Study | None:
        if self.documents.get(document.uri) is not document:
            return None
        source = Source(document.name, document.text)
        access = Access(offline=True, most_points=MOST_POINTS)
        return check_source(source, document.folder or self._root(), access)

    def _root(self) -> Path:
        return Path(self.workspace.root_path or ".")

    def _tell_bug(self, document: Document, error: BaseException) -> None:
        message = f"internal error in {document.name}: {type(error).__name__}: {error}"
        self.window_log_message(
            types.LogMessageParams(type=types.MessageType.Error, message=message)
        )

    # ---- problems ----

    def _uri(self, path: Path | None, uri: str) -> str:
        return uri if path is None else self.uri_of(path)

    def _is_on_screen(self, file: FileDiagnostics) -> bool:
        """Whether a file's problems are about the text that the editor shows, if it does."""
        return file.path is None or self.documents.read(file.path) == file.text

    def _publish(self, uri: str) -> None:
        shown = self.board.shown(uri)
        lines = self.documents.lines(shown.text)
        document = self.documents.get(uri)
        params = types.PublishDiagnosticsParams(
            uri=uri,
            version=None if document is None else document.version,
            diagnostics=[
                to_diagnostic(
                    lines, found, self._notes(found, uri), href=self._explained_at(found.code)
                )
                for found in shown.diagnostics
            ],
        )
        self.text_document_publish_diagnostics(params)

    def _notes(
        self, diagnostic: Diagnostic, uri: str
    ) -> list[types.DiagnosticRelatedInformation]:
        return [
            types.DiagnosticRelatedInformation(
                location=types.Location(
                    uri=self._uri(note.path, uri),
                    range=to_range(self.documents.lines(note.text), note.span),
                ),
                message=note.message,
            )
            for note in diagnostic.notes
        ]

    def _explained_at(self, code: str) -> str | None:
        if code not in self._explained:
            path = explanation_file(code)
            self._explained[code] = None if path is None else uris.from_fs_path(str(path))
        return self._explained[code]

    # ---- the end ----

    def stop_checking(self) -> None:
        """Gives up what was not checked yet."""
        self._worker.shutdown(wait=False, cancel_futures=True)


def serve(stdin: BinaryIO, stdout: BinaryIO, *, debug: bool = False) -> bool:
    """Answers an editor until it says that it is done, or goes away.

    Returns:
        Whether it said so.
    """
    from atpdsl.editor.requests import register

    # Refusals are answers, and pygls would log each with a traceback.
    logging.getLogger("pygls").setLevel(logging.DEBUG if debug else logging.CRITICAL)
    server = SpecServer()
    register(server)
    server.start_io(stdin, stdout)
    server.stop_checking()
    return server.told_to_stop
