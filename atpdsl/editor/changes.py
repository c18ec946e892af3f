"""The changes that an editor asks for: another name, another layout, a problem mended."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from atpdsl.editor import convert
from atpdsl.editor.asking import asked
from atpdsl.editor.diagnostics import Diagnostic, all_mends, diagnostics_of, mends_at
from atpdsl.editor.documents import Document
from atpdsl.editor.layout import format_edits
from atpdsl.editor.rename import Edit, RefusedRenameError, rename, renameable
from atpdsl.editor.server import SpecServer
from atpdsl.problems import Span

FIX_ALL = types.CodeActionKind.SourceFixAll


def prepare_rename(
    server: SpecServer, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    """Whether this can be renamed, and what it is called now."""
    place = asked(server, params.text_document.uri, params.position)
    if place is None:
        return None
    document = place.document
    try:
        names = server.documents.names(document)
        symbol = renameable(document.text, place.offset, names)
    except RefusedRenameError as error:
        raise _refusal(error) from error
    span = symbol.span
    return types.PrepareRenamePlaceholder(
        range=convert.to_range(place.lines, span),
        placeholder=document.text[span.start : span.end],
    )


def renaming(server: SpecServer, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """The changes that give this another name."""
    place = asked(server, params.text_document.uri, params.position)
    if place is None:
        return None
    document = place.document
    try:
        names = server.documents.names(document)
        edits = rename(document.text, place.offset, params.new_name, names, document.folder)
    except RefusedRenameError as error:
        raise _refusal(error) from error
    return _workspace_edit(server, document, edits)


def _refusal(error: RefusedRenameError) -> JsonRpcException:
    return JsonRpcException(message=str(error), code=types.LSPErrorCodes.RequestFailed.value)


def _workspace_edit(
    server: SpecServer, document: Document, edits: tuple[Edit, ...]
) -> types.WorkspaceEdit:
    lines = server.documents.lines(document.text)
    changes = [convert.to_edit(lines, edit) for edit in edits]
    workspace = server.client_capabilities.workspace
    known = workspace.workspace_edit if workspace else None
    if not (known and known.document_changes):
        return types.WorkspaceEdit(changes={document.uri: changes})
    identifier = types.OptionalVersionedTextDocumentIdentifier(
        uri=document.uri, version=document.version
    )
    versioned = types.TextDocumentEdit(text_document=identifier, edits=list(changes))
    return types.WorkspaceEdit(document_changes=[versioned])


def formatting(
    server: SpecServer, params: types.DocumentFormattingParams
) -> list[types.TextEdit] | None:
    """The canonical layout; None where the text cannot be read."""
    document = server.documents.get(params.text_document.uri)
    if document is None:
        return None
    edits = format_edits(document.text)
    lines = server.documents.lines(document.text)
    return None if edits is None else [convert.to_edit(lines, edit) for edit in edits]


async def code_actions(
    server: SpecServer, params: types.CodeActionParams
) -> list[types.CodeAction]:
    """What mends the problems here."""
    place = asked(server, params.text_document.uri, params.range.start)
    study = None if place is None else await server.study(place.document)
    if place is None or study is None:
        return []
    end = convert.to_offset(place.lines, params.range.end)
    found = diagnostics_of(study)[0].diagnostics
    only = params.context.only
    actions: list[types.CodeAction] = []
    if _wanted(types.CodeActionKind.QuickFix, only):
        here = mends_at(found, Span(place.offset, end))
        actions += [_quick_fix(server, place.document, one) for one in here]
    edits = all_mends(found)
    if edits and _wanted(FIX_ALL, only):
        actions.append(
            types.CodeAction(
                title="mend all that can be mended",
                kind=FIX_ALL,
                edit=_workspace_edit(server, place.document, edits),
            )
        )
    return actions


def _wanted(
    kind: types.CodeActionKind, only: Iterable[types.CodeActionKind | str] | None
) -> bool:
    """Whether an editor that asks for some kinds of actions asks for this one."""
    return only is None or any(
        f"{kind.value}.".startswith(f"{one.value if isinstance(one, Enum) else one}.")
        for one in only
    )


def _quick_fix(
    server: SpecServer, document: Document, diagnostic: Diagnostic
) -> types.CodeAction:
    lines = server.documents.lines(document.text)
    edits = () if diagnostic.mend is None else (diagnostic.mend.edit,)
    return types.CodeAction(
        title=diagnostic.mend.title if diagnostic.mend else diagnostic.code,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[convert.to_diagnostic(lines, diagnostic, (), href=None)],
        is_preferred=True,
        edit=_workspace_edit(server, document, edits),
    )
