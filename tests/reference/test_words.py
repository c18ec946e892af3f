from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from atpdsl.reference.words import KEYWORDS, words
from atpdsl.semantics.schema import LINES, SHAPES
from atpdsl.syntax.words import BODY_STATEMENTS, SETTINGS, STATEMENTS

GRAMMAR = Path(__file__).parents[2] / "grammars" / "atp.lark"
# Settings whose name is a word of the language anyway, or stands in several statements.
AMBIGUOUS = {"from", "help", "min", "max", "choices", "method", "prompts", "flag"}


def all_words() -> dict[str, Any]:
    """The words after a journey through JSON."""
    return json.loads(json.dumps(words()))


def test_statements_and_lines_are_those_of_the_grammar():
    found = all_words()

    assert tuple(s["name"] for s in found["statements"][:-1]) == STATEMENTS
    assert {s["name"] for s in found["lines"]} == set(BODY_STATEMENTS)


def test_keywords_are_the_words_of_the_grammar_that_begin_no_statement():
    keywords = {w.lower() for w in re.findall(r"^_KW_(\w+)", GRAMMAR.read_text(), re.MULTILINE)}

    assert keywords - set(STATEMENTS) - set(BODY_STATEMENTS) == set(KEYWORDS)


def test_a_setting_has_its_type_default_and_choices():
    (verify,) = [s for s in all_words()["statements"] if s["name"] == "verify"]
    (top,) = [key for key in verify["settings"] if key["name"] == "top"]

    assert top["type"] == "amount"
    assert top["default"] == 20
    assert top["minimum"] == 0
    assert top["doc"]


def test_the_settings_that_the_syntax_knows_are_those_of_the_schema():
    """`seed = 3` outside of a block is told where it belongs."""
    homes: dict[str, list[str]] = {}
    for shape in (*SHAPES, *LINES):
        for key in shape.keys:
            if not key.later and not shape.later and shape.word not in ("param", "pair"):
                homes.setdefault(key.name, []).append(shape.word)
    from atpdsl.semantics.schema import PROMPTS_FROM_FILE

    for key in PROMPTS_FROM_FILE.keys:
        homes.setdefault(key.name, []).append("prompts")
    known = {name: tuple(dict.fromkeys(words)) for name, words in homes.items()}

    assert {n: w for n, w in known.items() if n not in AMBIGUOUS} == SETTINGS
