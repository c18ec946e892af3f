from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.elaboration.moving import depth_of, moved, size_of, standing_at
from atpdsl.problems import Source, Span
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse
from tests.syntax.test_any_text import SETTINGS, TEXTS

LANGUAGE = Path(__file__).parents[1] / "syntax" / "whole_language.atp"


def value_of(text: str) -> t.Expression:
    tree, problems = parse(Source("a.atp", f"atp 1\nlet x = {text}\n"))
    statement = tree.statements[1]
    assert problems == ()
    assert isinstance(statement, t.Let)
    return statement.value


@SETTINGS
@given(TEXTS, st.integers(1, 1000))
def test_a_moved_tree_is_the_tree_of_the_text_at_that_place(text, by):
    text = text.replace("\ufeff", "")
    tree, _ = parse(Source("a.atp", text))
    # A text of its own line before it changes nothing but places.
    later, _ = parse(Source("a.atp", "\n" * by + text))

    assert moved(tree, by).statements == later.statements
    assert moved(moved(tree, by), -by) == tree


def test_every_place_of_the_language_is_moved():
    text = LANGUAGE.read_text()
    tree, _ = parse(Source("a.atp", text))
    later, _ = parse(Source("a.atp", " " * 7 + text))

    assert moved(tree, 7).statements == later.statements


@pytest.mark.parametrize("text", ['["a", b.c, 3%]', 'f(x = -1 at y)[2..3] + "z"'])
def test_a_value_stands_where_its_name_stands(text):
    value = value_of(text)
    span = Span(500, 504)
    there = standing_at(value, span)

    places: list[Span] = []
    rest: list[object] = [there]
    while rest:
        part = rest.pop()
        if isinstance(part, Span):
            places.append(part)
        elif isinstance(part, tuple):
            rest += part
        elif hasattr(part, "__dataclass_fields__"):
            rest += [getattr(part, name) for name in part.__dataclass_fields__]
    assert set(places) == {span}
    assert standing_at(there, span) == there
    assert standing_at(there, value.span) == standing_at(value, value.span)


def test_each_part_of_a_text_that_stands_for_a_name_is_at_the_name():
    there = standing_at(value_of('"Mary"'), Span(500, 504))

    assert isinstance(there, t.String)
    assert there.place(1, 3) == there.place(0, 4) == Span(500, 504)


@pytest.mark.parametrize(
    ("text", "size", "depth"), [("3", 1, 1), ('"abc"', 4, 0), ("[a, [b]]", 4, 3)]
)
def test_values_are_measured(text, size, depth):
    assert size_of(value_of(text)) == size
    assert depth_of(value_of(text)) == depth
