"""The questions of an editor: each goes to a function of a text and an offset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lsprotocol import types

from atpdsl.editor import changes, convert
from atpdsl.editor.asking import asked
from atpdsl.editor.completion import Around, complete
from atpdsl.editor.documents import Document
from atpdsl.editor.facts import node_counts
from atpdsl.editor.hover import hover
from atpdsl.editor.outline import folds, outline
from atpdsl.editor.places import Place, definitions, references
from atpdsl.editor.server import SpecServer

TRIGGERS = ['"', "{", ".", ":", "["]


# ---- texts ----


def did_open(server: SpecServer, params: types.DidOpenTextDocumentParams) -> None:
    """A text was opened."""
    server.read_in(params.text_document.uri)


def did_change(server: SpecServer, params: types.DidChangeTextDocumentParams) -> None:
    """A text was changed."""
    server.read_in(params.text_document.uri)


def did_save(server: SpecServer, params: types.DidSaveTextDocumentParams) -> None:
    """A text was saved: other texts that include it may have other problems now."""
    for document in server.documents.all():
        if document.uri != params.text_document.uri:
            server.documents.forget_study(document)
            server.check_soon(document.uri, pause=0)


def did_close(server: SpecServer, params: types.DidCloseTextDocumentParams) -> None:
    """A text was closed."""
    server.close(params.text_document.uri)


def shutdown(server: SpecServer, _params: None) -> None:
    """The editor is about to end."""
    server.told_to_stop = True


# ---- questions ----


def completion(
    server: SpecServer, params: types.CompletionParams
) -> types.CompletionList | None:
    """What can be written here."""
    place = asked(server, params.text_document.uri, params.position)
    if place is None:
        return None
    document = place.document
    around = Around(names=server.documents.names(document), folder=document.folder)
    found = complete(document.text, place.offset, around)
    return convert.to_completion(place.lines, found, snippets=_snippets(server))


def _snippets(server: SpecServer) -> bool:
    """Whether the editor can fill in places of what it inserts."""
    documents = server.client_capabilities.text_document
    known = documents.completion if documents else None
    item = known.completion_item if known else None
    return bool(item and item.snippet_support)


async def hovering(server: SpecServer, params: types.HoverParams) -> types.Hover | None:
    """What this is."""
    place = asked(server, params.text_document.uri, params.position)
    if place is None:
        return None
    document = place.document
    study = await server.study(document)
    found = hover(document.text, place.offset, server.documents.names(document), study)
    if found is None:
        return None
    content = types.MarkupContent(kind=types.MarkupKind.Markdown, value=found.text)
    return types.Hover(contents=content, range=convert.to_range(place.lines, found.span))


def definition(server: SpecServer, params: types.DefinitionParams) -> list[types.Location]:
    """Where this is defined."""
    place = asked(server, params.text_document.uri, params.position)
    if place is None:
        return []
    document = place.document
    names = server.documents.names(document)
    found = definitions(document.text, place.offset, names, document.folder)
    return _locations(server, document, found)


def reference(server: SpecServer, params: types.ReferenceParams) -> list[types.Location]:
    """Where this is used."""
    place = asked(server, params.text_document.uri, params.position)
    if place is None:
        return []
    names = server.documents.names(place.document)
    declared = params.context.include_declaration
    return _locations(
        server, place.document, references(place.offset, names, declared=declared)
    )


def highlight(
    server: SpecServer, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight]:
    """The same name elsewhere in the text."""
    place = asked(server, params.text_document.uri, params.position)
    if place is None:
        return []
    found = references(place.offset, server.documents.names(place.document), declared=True)
    return [
        types.DocumentHighlight(range=convert.to_range(place.lines, one.span))
        for one in found
        if one.path is None
    ]


def _locations(
    server: SpecServer, document: Document, places: tuple[Place, ...]
) -> list[types.Location]:
    found: list[types.Location] = []
    for place in places:
        text = document.text if place.path is None else server.documents.read(place.path)
        uri = document.uri if place.path is None else server.uri_of(place.path)
        lines = server.documents.lines(text or "")
        found.append(types.Location(uri=uri, range=convert.to_range(lines, place.span)))
    return found


# ---- views of the whole text ----


def symbols(
    server: SpecServer, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol]:
    """The outline."""
    document = server.documents.get(params.text_document.uri)
    if document is None:
        return []
    lines = server.documents.lines(document.text)
    return [convert.to_symbol(lines, entry) for entry in outline(document.text)]


def folding(server: SpecServer, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    """What can be folded."""
    document = server.documents.get(params.text_document.uri)
    return [] if document is None else [convert.to_fold(fold) for fold in folds(document.text)]


async def inlay_hints(
    server: SpecServer, params: types.InlayHintParams
) -> list[types.InlayHint]:
    """How many nodes each line of `nodes` chooses."""
    place = asked(server, params.text_document.uri, params.range.start)
    study = None if place is None else await server.study(place.document)
    if place is None or study is None:
        return []
    end = convert.to_offset(place.lines, params.range.end)
    return [
        types.InlayHint(
            position=convert.to_range(place.lines, hint.span).end,
            label=hint.text,
            padding_left=True,
        )
        for hint in node_counts(place.document.text, study)
        if place.offset <= hint.span.end <= end
    ]


Handler = Callable[[SpecServer, Any], Any]
HANDLERS: dict[str, Handler] = {
    types.TEXT_DOCUMENT_DID_OPEN: did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: did_change,
    types.TEXT_DOCUMENT_DID_SAVE: did_save,
    types.TEXT_DOCUMENT_DID_CLOSE: did_close,
    types.SHUTDOWN: shutdown,
    types.TEXT_DOCUMENT_HOVER: hovering,
    types.TEXT_DOCUMENT_DEFINITION: definition,
    types.TEXT_DOCUMENT_REFERENCES: reference,
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: highlight,
    types.TEXT_DOCUMENT_PREPARE_RENAME: changes.prepare_rename,
    types.TEXT_DOCUMENT_RENAME: changes.renaming,
    types.TEXT_DOCUMENT_FORMATTING: changes.formatting,
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: symbols,
    types.TEXT_DOCUMENT_FOLDING_RANGE: folding,
    types.TEXT_DOCUMENT_INLAY_HINT: inlay_hints,
}


def register(server: SpecServer) -> None:
    """Has a server answer all of this."""
    for method, handler in HANDLERS.items():
        server.feature(method)(handler)
    triggers = types.CompletionOptions(trigger_characters=TRIGGERS)
    server.feature(types.TEXT_DOCUMENT_COMPLETION, triggers)(completion)
    kinds = types.CodeActionOptions(
        code_action_kinds=[types.CodeActionKind.QuickFix, changes.FIX_ALL]
    )
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)(changes.code_actions)
