"""What formatting must keep, over random specs of the whole grammar."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from random import Random
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atpdsl.formatting.same import same_tree
from atpdsl.formatting.text import format_text
from atpdsl.problems import Source
from atpdsl.syntax import grammar
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse
from tests.fuzz.specs import OPERATORS, write_spec

SHAPES = (*get_args(t.Statement), *get_args(t.BodyStatement), *get_args(t.Expression))
SPECS = st.randoms(use_true_random=False).map(write_spec)
TEXTS = int(os.environ.get("ATPDSL_FUZZ", "2000"))
SETTINGS = settings(
    max_examples=max(100, TEXTS // 20),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def tree_of(text: str) -> t.SpecFile:
    tree, problems = parse(Source("a.atp", text))
    assert problems == ()
    return tree


def comments_of(tree: t.SpecFile) -> list[str]:
    return [comment.text.rstrip(" \t") for comment in tree.comments]


def check(text: str) -> None:
    before = tree_of(text)
    formatted = format_text(text)
    after = tree_of(formatted)

    assert comments_of(after) == comments_of(before)
    assert same_tree(replace(after, comments=()), replace(before, comments=()))
    assert format_text(formatted) == formatted
    assert formatted.endswith("\n") or not formatted
    assert "\r" not in formatted


@SETTINGS
@given(SPECS)
def test_a_formatted_spec_says_the_same_and_stays_as_it_is(text):
    check(text)


@pytest.mark.parametrize("part", range(4))
def test_so_do_many_more(part):
    for seed in range(part, TEXTS // 2, 4):
        check(write_spec(Random(seed)))


def words_of(text: str) -> list[str]:
    """The parser's words, without commas before closing brackets."""
    parsing = grammar.parser().parse_interactive(text, start=grammar.FILE)
    tokens = [token for token in parsing.iter_parse() if token.type != "_NL"]
    followers = [token.type for token in tokens[1:]] + [""] * bool(tokens)
    return [
        str(token).replace("\r\n", "\n")
        for token, follower in zip(tokens, followers, strict=True)
        if not (token.type == "COMMA" and follower in ("RPAR", "RSQB"))
    ]


@SETTINGS
@given(SPECS)
def test_a_formatted_spec_has_the_same_words(text):
    assert words_of(format_text(text)) == words_of(text)


@SETTINGS
@given(SPECS)
def test_a_formatted_spec_is_the_same_whatever_spaces_it_had(text):
    """Kinds of line ends, and blank lines before and after it."""
    loose = "\n\n" + text.replace("\r\n", "\n").replace("\n", "\r\n") + "\n \n"

    assert format_text(loose) == format_text(text)


def shapes_in(node: object) -> Iterator[str]:
    """The names of the classes in a tree."""
    if isinstance(node, tuple):
        for item in node:
            yield from shapes_in(item)
    elif is_dataclass(node):
        yield type(node).__name__
        for field in fields(node):
            yield from shapes_in(getattr(node, field.name))


def test_random_specs_have_every_shape_of_the_tree():
    found = {
        name for seed in range(300) for name in shapes_in(tree_of(write_spec(Random(seed))))
    }

    assert found >= {shape.__name__ for shape in SHAPES}


def test_random_specs_have_every_operator():
    texts = [word for seed in range(300) for word in words_of(write_spec(Random(seed)))]

    assert set(OPERATORS) <= set(texts)
