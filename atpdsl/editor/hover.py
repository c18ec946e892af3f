"""What a place of a text means, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.editor import words
from atpdsl.editor.cursor import Cursor, cursor_at
from atpdsl.editor.describe import in_words
from atpdsl.editor.facts import facts_at
from atpdsl.editor.names import Names, Space, Symbol
from atpdsl.editor.words import Word
from atpdsl.problems import Span
from atpdsl.syntax import tree as t

if TYPE_CHECKING:
    from atpdsl.checked import Study

# Words that stand for themselves wherever they are, asked in this order.
TABLES: tuple[Mapping[str, Word], ...] = (
    words.PLACES,
    words.OPERATORS,
    words.SOURCES,
    words.FUNCTION_WORDS,
    words.EXPORT_WORDS,
    words.CALLS,
    words.SWITCHES,
    {words.OTHER.name: words.OTHER},
)
BY_STATEMENT: Mapping[str, tuple[Mapping[str, Word], ...]] = {
    "method": (words.METHOD_WORDS,),
    "metric": (words.METRIC_WORDS, words.READING_WORDS, words.SIDES),
    "export": (words.EXPORT_WORDS,),
    "expect": (
        words.EXPECT_WORDS,
        words.ARGUMENTS,
        {words.TRUTH_WORD.name: words.TRUTH_WORD},
        *({word.name: word for word in asked} for asked in words.ASKED_WORDS.values()),
    ),
    "verify": ({words.STOP.name: words.STOP},),
    **{part: (quantities,) for part, quantities in words.QUANTITIES.items()},
}
SELECTIONS = ("nodes", "edges", "expect")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hover:
    """Markdown about a stretch of the text."""

    text: str
    span: Span


def hover(text: str, offset: int, names: Names, study: Study | None) -> Hover | None:
    """What is to be said of the place at an offset; None if nothing is.

    Args:
        text: the spec.
        offset: the place.
        names: those of the text.
        study: what is known of this very text, None if it was not checked.
    """
    cursor = cursor_at(text, offset)
    if cursor.comment:
        return None
    symbol = names.at(offset)
    # A slot in a template is asked about for its own sake.
    own = symbol is not None and symbol.definitions[0].key.space is Space.PAIR
    facts = facts_at(text, offset, study) if study is not None and not own else None
    meaning = _symbol(symbol) if symbol is not None else _word(cursor)
    parts = [meaning.text] if meaning is not None else []
    parts += [facts.text] if facts is not None else []
    if not parts:
        return None
    span = meaning.span if meaning is not None else facts.span if facts is not None else None
    return Hover(text="\n\n".join(parts), span=span or cursor.word)


def _symbol(symbol: Symbol) -> Hover:
    first = symbol.definitions[0]
    title = f"**{symbol.name}** ({first.sort.value})"
    parts = [title, in_words(first)]
    if first.key.space is Space.METHOD and isinstance(first.statement, t.Declaration):
        parts += [markdown(word) for word in _method(first.statement)]
    return Hover(text="\n\n".join(parts), span=symbol.span)


def _method(statement: t.Declaration) -> tuple[Word, ...]:
    """The method that a label stands for."""
    name = statement.value.text if isinstance(statement.value, t.Name) else ""
    return (words.METHOD_WORDS[name],) if name in words.METHOD_WORDS else ()


def _word(cursor: Cursor) -> Hover | None:
    """A word of the language; in a string there is none."""
    name = cursor.text[cursor.word.start : cursor.word.end]
    if cursor.string is not None or not name:
        return None
    span, found = cursor.word, _meaning(name, cursor)
    if found is None:
        dotted, span = _dotted(cursor)
        found = words.KINDS.get(dotted) if _selects(cursor) else None
    return None if found is None else Hover(text=markdown(found), span=span)


def _meaning(name: str, cursor: Cursor) -> Word | None:
    if not cursor.before and not cursor.owners:
        return words.statement_word(name)
    if not cursor.before and cursor.owners:
        key = _key(name, cursor)
        if key is not None:
            return key
        part = words.PARTS.get(name) if cursor.owner == "diagnose" else None
        if part is not None:
            return Word(name=name, sort="part of `diagnose`", doc=part.doc, call=part.example)
        if cursor.owner in ("prompts", "pair") and name in words.LINE_WORDS:
            return words.LINE_WORDS[name]
    choice = _choice(name, cursor)
    if choice is not None:
        return choice
    own = BY_STATEMENT.get(cursor.statement if not cursor.owners else cursor.owner, ())
    axes = (words.AXIS_WORDS,) if "where" in cursor.before and _selects(cursor) else ()
    tables = (*own, *axes, *TABLES)
    return next((table[name] for table in tables if name in table), None)


def _key(name: str, cursor: Cursor) -> Word | None:
    shape = words.shape_of(cursor.owners[-1])
    key = None if shape is None or cursor.after != "=" else shape.key(name)
    return None if key is None or shape is None else words.key_word(key, shape.word)


def _choice(name: str, cursor: Cursor) -> Word | None:
    """A word that is the value of a setting."""
    shape = words.shape_of(cursor.owners[-1]) if cursor.owners else None
    if shape is None or cursor.before[1:2] != ("=",):
        return None
    key = shape.key(cursor.before[0])
    if key is None or name not in key.choices:
        return None
    return Word(name=name, sort=f"value of `{key.name}`", doc=key.doc)


def _selects(cursor: Cursor) -> bool:
    return cursor.owner in SELECTIONS


def _dotted(cursor: Cursor) -> tuple[str, Span]:
    """The word with what stands before and behind its dot, and the place of all of it."""
    text, start, end = cursor.text, cursor.word.start, cursor.word.end
    if text[start - 1 : start] == ".":
        start -= 1
        while start > 0 and text[start - 1].isalnum():
            start -= 1
    if text[end : end + 1] == ".":
        end += 1
        while end < len(text) and text[end].isalnum():
            end += 1
    return text[start:end], Span(start, end)


def markdown(word: Word) -> str:
    """A word and what it means."""
    call = f"\n\n```atp\n{word.call}\n```" if word.call else ""
    more = f"\n\n{word.more}" if word.more else ""
    return f"**{word.name}** ({word.sort}): {word.doc}{call}{more}"
