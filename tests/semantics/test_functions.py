from __future__ import annotations

from pathlib import Path

import pytest

from atpdsl.semantics.functions import FUNCTIONS, SYNONYMS
from tests.semantics.formula import value_of

EXAMPLES = {
    "int": ("int(3.9)", 3),
    "float": ('float("0.5")', 0.5),
    "text": ("text(12)", "12"),
    "two_digits": ("two_digits(8..11)", ("08", "09", "10", "11")),
    "digits": ("digits(7, 3)", "007"),
    "lower": ('lower("Mary")', "mary"),
    "upper": ('upper(["a", "b"])', ("A", "B")),
    "title": ('title("the red")', "The Red"),
    "strip": ('strip(" a ")', "a"),
    "starts_with": ('starts_with("Mary", "J", "M")', True),
    "ends_with": ('ends_with("Mary", "r")', False),
    "len": ('len("Mary") + len(1..3)', 7),
    "min": ("min(3, [1, 2])", 1),
    "max": ("max(3, [1, 2])", 3),
    "abs": ("abs(-3)", 3),
    "single_token": ('single_token("Mary", " a")', True),
    "same_token_count": ('same_token_count("Mary", "Maria")', False),
    "token_count": ('token_count("Mary", "Maria")', 3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_gives_what_its_line_says(name):
    text, value = EXAMPLES[name]

    assert name in text
    assert value_of(text) == value


def test_every_function_says_how_it_is_called_and_what_it_gives():
    for name, function in FUNCTIONS.items():
        assert function.signature.startswith(f"{name}(")
        assert function.doc
        assert not function.doc.endswith(".")


def test_no_synonym_is_a_function():
    assert not set(SYNONYMS) & set(FUNCTIONS)


def test_every_function_is_on_the_page_of_the_language():
    page = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")

    for function in FUNCTIONS.values():
        assert f"| `{function.signature}` | {function.doc} |" in page
