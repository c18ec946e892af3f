"""Which words are highlighted as what; the lexer and the TextMate grammar are made of these."""

from __future__ import annotations

import re
from collections.abc import Iterable

from atpdsl.editor import words
from atpdsl.semantics.filters import AXES
from atpdsl.semantics.schema import ON_OFF, SHAPES
from atpdsl.syntax.words import BODY_STATEMENTS

STATEMENT_WORDS: tuple[str, ...] = tuple(shape.word for shape in SHAPES)
LINE_WORDS: tuple[str, ...] = BODY_STATEMENTS
OPERATOR_WORDS: tuple[str, ...] = tuple(words.OPERATORS)
CONSTANTS: tuple[str, ...] = tuple(ON_OFF)
PLACES: tuple[str, ...] = (*words.PLACES, *words.SIDES, words.OTHER.name, words.ROW.name)
KINDS: tuple[str, ...] = tuple(words.KINDS)
AXIS_NAMES: tuple[str, ...] = AXES
METHOD_NAMES: tuple[str, ...] = tuple(words.METHOD_WORDS)
METRIC_NAMES: tuple[str, ...] = tuple(words.METRIC_WORDS)
FUNCTIONS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *words.FUNCTION_WORDS,
            *words.READING_WORDS,
            *words.SOURCES,
            *words.EXPORT_WORDS,
            *words.CALLS,
            *words.EXPECT_WORDS,
        )
    )
)

NUMBER = r"[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?:%|[A-Za-z]+)?"
NODE_NAME = r"L[0-9]+(?:[HN][0-9]+)?"
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
STARRED = r"atp\*"


def any_of(names: Iterable[str]) -> str:
    """A pattern for one of some words, the longest that fits."""
    return "|".join(re.escape(name) for name in sorted(names, key=lambda n: (-len(n), n)))
