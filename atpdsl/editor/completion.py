"""What can be written at a place of a text, whether or not the text is right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from atpdsl.editor import words
from atpdsl.editor.columns import column_items
from atpdsl.editor.complete_nodes import expectation, is_open, kinds, selection
from atpdsl.editor.complete_prompts import prompts_line
from atpdsl.editor.complete_strings import in_string
from atpdsl.editor.complete_values import setting_value
from atpdsl.editor.cursor import Cursor, cursor_at
from atpdsl.editor.items import Completion, Item, ItemSort, calls_of, items_of
from atpdsl.editor.names import Names, Space
from atpdsl.editor.offers import names_in, pair_formula, places, values, word_lists
from atpdsl.editor.snippets import LINE_SNIPPETS, STATEMENT_SNIPPETS
from atpdsl.problems import Span
from atpdsl.semantics.schema import SELECTION, SHAPES, Shape
from atpdsl.syntax.words import BODY_STATEMENTS

NOTHING: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is known besides the text.

    Attributes:
        names: the names of the text and of the files that it includes.
        folder: the text's folder, None if it is in none.
    """

    names: Names
    folder: Path | None = None


def complete(text: str, offset: int, around: Around) -> Completion:
    """What can be written at an offset, in place of the word before it."""
    cursor = cursor_at(text, offset)
    if cursor.comment:
        return Completion(items=(), span=Span(offset, offset))
    scope = around.names.scope_at(offset)
    if cursor.string is not None:
        return in_string(cursor, around.names, scope, around.folder)
    items = (*_columns(cursor, around.folder), *_members(cursor, around.names))
    if not items:
        body = bool(cursor.owners)
        items = _body(cursor, around.names, scope) if body else _top(cursor, around.names)
    return Completion(items=_once(items), span=Span(cursor.word.start, cursor.offset))


def _columns(cursor: Cursor, folder: Path | None) -> tuple[Item, ...]:
    """Behind `row.`, the columns of the file that the prompts come from."""
    path: list[str] = []
    before = list(cursor.before)
    while len(before) > 1 and before[-1] == ".":
        path.insert(0, before[-2])
        before = before[:-2]
    if path[:1] != ["row"] or cursor.owner != "prompts":
        return NOTHING
    prefix = "".join(f"{name}." for name in path[1:])
    return column_items(cursor.owners[-1], folder, prefix)


def _members(cursor: Cursor, names: Names) -> tuple[Item, ...]:
    """Behind `common.`, the names of the file that was included under that name."""
    if cursor.before[-1:] != (".",) or len(cursor.before) < 2:
        return NOTHING
    prefix = f"{cursor.before[-2]}."
    found = (*names_in(names, Space.VALUE), *names_in(names, Space.PROMPTS))
    return tuple(
        replace(item, label=item.label.removeprefix(prefix))
        for item in found
        if item.label.startswith(prefix)
    )


def _once(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items without those whose label was there already."""
    found: dict[str, Item] = {}
    for item in items:
        found.setdefault(item.label, item)
    return tuple(found.values())


# ---- the top level ----


def _top(cursor: Cursor, names: Names) -> tuple[Item, ...]:
    match cursor.statement:
        case "":
            return _statements(cursor)
        case "method":
            return _method(cursor)
        case "metric":
            return _metric(cursor, names)
        case "prompts":
            return _prompts(cursor, names)
        case "export":
            formats = calls_of(words.EXPORT_WORDS, quoted=True)
            return formats if cursor.before[-1] in ("export", ",") else NOTHING
        case "let" | "param" | "sweep":
            ready = bool({"=", "in"} & set(cursor.before))
            return word_lists(names) if ready else _in_after(cursor)
        case _:
            return NOTHING


def _in_after(cursor: Cursor) -> tuple[Item, ...]:
    """The `in` of a `sweep` behind its name."""
    ready = cursor.statement == "sweep" and len(cursor.before) == 2
    return items_of((words.OPERATORS["in"],), ItemSort.OPERATOR) if ready else NOTHING


def _statements(cursor: Cursor) -> tuple[Item, ...]:
    there = {line[0] for line in cursor.siblings}
    wanted = [shape for shape in SHAPES if not shape.later]
    fresh = [shape for shape in wanted if not (shape.once and shape.word in there)]
    missing = [shape for shape in fresh if shape.required and shape.word not in there]
    ordered = dict.fromkeys((*(s.word for s in missing), *(s.word for s in fresh)))
    docs = {shape.word: shape for shape in fresh}
    return tuple(
        Item(
            label=word,
            sort=ItemSort.STATEMENT,
            detail=docs[word].doc,
            doc=f"```atp\n{docs[word].form}\n```",
            snippet=STATEMENT_SNIPPETS[word],
        )
        for word in ordered
    )


def _method(cursor: Cursor) -> tuple[Item, ...]:
    if cursor.before[-1] in ("method", "="):
        return items_of(words.METHOD_WORDS, ItemSort.FUNCTION)
    return NOTHING


def _metric(cursor: Cursor, names: Names) -> tuple[Item, ...]:
    before = cursor.before
    if "at" in before:
        return places(names, None, spread=False) if is_open(cursor, "at") else NOTHING
    if is_open(cursor, "metric"):
        inside = before.count("(") > before.count(")")
        formula = (
            (*items_of(words.SIDES, ItemSort.VALUE), *pair_formula(names, None))
            if inside
            else values(names)
        )
        metrics = items_of(words.METRIC_WORDS, ItemSort.FUNCTION)
        readings = calls_of(words.READING_WORDS, quoted=False)
        return (*formula, *readings) if inside else (*metrics, *readings, *formula)
    return items_of((words.OPERATORS["at"],), ItemSort.OPERATOR)


def _prompts(cursor: Cursor, names: Names) -> tuple[Item, ...]:
    if cursor.before[-1] == "from":
        files = [words.SOURCES[name] for name in words.FILE_SOURCES]
        return (*names_in(names, Space.PROMPTS), *calls_of(files, quoted=True))
    if len(cursor.before) <= 2 and "from" not in cursor.before:
        return items_of((words.OPERATORS["from"],), ItemSort.OPERATOR)
    return NOTHING


# ---- bodies ----


def _body(cursor: Cursor, names: Names, scope: int | None) -> tuple[Item, ...]:
    shape = words.shape_of(cursor.owners[-1])
    if not cursor.before:
        return _line_start(cursor, shape)
    if len(cursor.before) >= 2 and cursor.before[1] == "=":
        return setting_value(cursor, shape, names, scope)
    if cursor.owner in ("nodes", "edges"):
        return selection(cursor, names)
    if cursor.statement in BODY_STATEMENTS:
        return prompts_line(cursor, names, scope)
    if cursor.owner == "expect":
        return expectation(cursor, names)
    return NOTHING


def _line_start(cursor: Cursor, shape: Shape | None) -> tuple[Item, ...]:
    if shape is None:
        return NOTHING
    there = {line[0] for line in cursor.siblings if len(line) > 1 and line[1] == "="}
    keys = tuple(
        Item(
            label=key.name,
            sort=ItemSort.KEY,
            detail=key.doc,
            doc=words.key_word(key, shape.word).more,
            insert=f"{key.name} = ",
            snippet=f"{key.name} = $0",
        )
        for key in shape.keys
        if not key.later and key.name not in there
    )
    lines = tuple(
        Item(
            label=word,
            sort=ItemSort.STATEMENT,
            detail=words.LINE_WORDS[word].doc,
            doc=f"```atp\n{words.LINE_WORDS[word].call}\n```",
            snippet=LINE_SNIPPETS[word],
        )
        for word in shape.statements
        if word in words.LINE_WORDS
    )
    parts = tuple(
        Item(label=part.word, sort=ItemSort.KEY, detail=part.doc) for part in shape.parts
    )
    chosen = kinds(cursor) if SELECTION in shape.statements else ()
    expected = items_of(words.EXPECT_WORDS, ItemSort.FUNCTION)
    return (*lines, *keys, *parts, *chosen, *(expected if shape.word == "expect" else ()))
