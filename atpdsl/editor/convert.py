"""From answers about texts to the types of the language server protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lsprotocol import types

from atpdsl.editor.items import Completion, Item, ItemSort
from atpdsl.editor.lines import Lines, Position
from atpdsl.editor.outline import Entry, EntrySort, Fold

if TYPE_CHECKING:
    from atpdsl.editor.diagnostics import Diagnostic
    from atpdsl.editor.rename import Edit
    from atpdsl.problems import Span

NAME = "atpdsl"
ITEM_KINDS = {
    ItemSort.STATEMENT: types.CompletionItemKind.Keyword,
    ItemSort.KEY: types.CompletionItemKind.Property,
    ItemSort.VALUE: types.CompletionItemKind.EnumMember,
    ItemSort.KIND: types.CompletionItemKind.Class,
    ItemSort.FUNCTION: types.CompletionItemKind.Function,
    ItemSort.NAME: types.CompletionItemKind.Variable,
    ItemSort.PLACE: types.CompletionItemKind.Reference,
    ItemSort.MODEL: types.CompletionItemKind.Module,
    ItemSort.FILE: types.CompletionItemKind.File,
    ItemSort.OPERATOR: types.CompletionItemKind.Operator,
}
ENTRY_KINDS = {
    EntrySort.STATEMENT: types.SymbolKind.Namespace,
    EntrySort.NAME: types.SymbolKind.Variable,
    EntrySort.TEXT: types.SymbolKind.String,
    EntrySort.SETTING: types.SymbolKind.Property,
}


def to_range(lines: Lines, span: Span) -> types.Range:
    """A stretch of a text."""
    return types.Range(start=_position(lines, span.start), end=_position(lines, span.end))


def _position(lines: Lines, offset: int) -> types.Position:
    found = lines.position(offset)
    return types.Position(line=found.line, character=found.character)


def to_offset(lines: Lines, position: types.Position) -> int:
    """The offset of a position."""
    return lines.offset(Position(position.line, position.character))


def to_edit(lines: Lines, edit: Edit) -> types.TextEdit:
    """A change of a text."""
    return types.TextEdit(range=to_range(lines, edit.span), new_text=edit.text)


def to_completion(
    lines: Lines, completion: Completion, *, snippets: bool
) -> types.CompletionList:
    """What can be written; with places to fill in where the editor knows them."""
    place = to_range(lines, completion.span)
    items = [
        _item(item, number, place, snippets=snippets)
        for number, item in enumerate(completion.items)
    ]
    return types.CompletionList(is_incomplete=False, items=items)


def _item(
    item: Item, number: int, place: types.Range, *, snippets: bool
) -> types.CompletionItem:
    filled = snippets and bool(item.snippet)
    form = types.InsertTextFormat.Snippet if filled else types.InsertTextFormat.PlainText
    doc = types.MarkupContent(kind=types.MarkupKind.Markdown, value=item.doc)
    return types.CompletionItem(
        label=item.label,
        kind=ITEM_KINDS[item.sort],
        detail=item.detail or None,
        documentation=doc if item.doc else None,
        sort_text=f"{number:04}",
        insert_text_format=form,
        text_edit=types.TextEdit(
            range=place,
            new_text=item.snippet if filled else item.insert or item.label,
        ),
    )


def to_diagnostic(
    lines: Lines,
    diagnostic: Diagnostic,
    notes: Iterable[types.DiagnosticRelatedInformation],
    *,
    href: str | None,
) -> types.Diagnostic:
    """A problem; `href` is where its code is explained."""
    severity = types.DiagnosticSeverity
    return types.Diagnostic(
        range=to_range(lines, diagnostic.span),
        severity=severity.Error if diagnostic.error else severity.Warning,
        code=diagnostic.code,
        code_description=None if href is None else types.CodeDescription(href=href),
        source=NAME,
        message=diagnostic.message,
        related_information=list(notes) or None,
    )


def to_symbol(lines: Lines, entry: Entry) -> types.DocumentSymbol:
    """A line of the outline."""
    return types.DocumentSymbol(
        name=entry.name or "?",
        detail=entry.detail or None,
        kind=ENTRY_KINDS[entry.sort],
        range=to_range(lines, entry.span),
        selection_range=to_range(lines, entry.head),
        children=[to_symbol(lines, inner) for inner in entry.inside],
    )


def to_fold(fold: Fold) -> types.FoldingRange:
    """Lines that can be folded."""
    kind = types.FoldingRangeKind
    return types.FoldingRange(
        start_line=fold.first,
        end_line=fold.last,
        kind=kind.Comment if fold.comment else kind.Region,
    )
